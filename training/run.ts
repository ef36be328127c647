/**
 * A training run: a folder with its configuration, metrics (one JSON line a step), sheets of samples and
 * checkpoints. Everything random depends on the seed and the step alone, so a run that was stopped
 * continues bit for bit.
 */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  composePositions,
  type PositionConfig,
  type Positions,
} from '../encoders/positions/compose.ts';
import type { Grid } from '../encoders/positions/grid.ts';
import type { Registry } from '../encoders/positions/registry.ts';
import { placedConstants } from '../generators/compile.ts';
import { forwardDiT } from '../generators/dit.ts';
import { DIT_PRESETS, type DiTConfig } from '../generators/dit-config.ts';
import { initDiT } from '../generators/dit-weights.ts';
import { DiTSchema, gridOf, type ObjectiveConfig } from '../generators/model.ts';
import { contactSheet, encodePng } from '../png.ts';
import { checkSchema } from '../schema.ts';
import type { Engine, HostTensors, Spec } from '../tensor/program.ts';
import { createRng, type Rng } from '../tensor/rng.ts';
import { type Batch, createBatches } from './batches.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { rateAt, type TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { createObjective } from './objective.ts';
import { adamW } from './optimisers/adamw.ts';
import { muon } from './optimisers/muon.ts';
import type { Optimiser } from './optimisers/optimiser.ts';
import { createPreview } from './preview.ts';
import { createUpdate, emaDecay, type Loss, type Update } from './update.ts';

export type TrainOptions = {
  readonly engine: Engine;
  readonly data: Dataset;
  /** Pictures that are never trained on, for the held-out loss and the conditions of sheets. */
  readonly heldOut: Dataset;
  /** The run's folder. */
  readonly folder: string;
  /** Weights to start a new run from in place of random ones. */
  readonly init?: HostTensors;
  /** Position methods beyond those that ship (withMethods). */
  readonly registry?: Registry;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly onStep?: (progress: StepProgress) => void;
};
export type StepProgress = {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly norm: number;
  readonly rate: number;
  readonly picturesPerSecond: number;
  readonly heldOutLoss?: number;
};
export type Trained = {
  readonly config: DiTConfig;
  readonly positions: Positions;
  readonly update: Update;
  /** False when the signal stopped the run early. */
  readonly finished: boolean;
};

/** Pictures on a sheet of samples. */
const SHEET = 24;
/** Held-out batches that the loss is a mean of. */
const HELD_OUT_BATCHES = 4;

export async function train(config: TrainingConfig, options: TrainOptions): Promise<Trained> {
  const { engine, data, heldOut, folder, signal, onStep } = options;
  const rng = createRng(config.seed);
  const { dit, positions, weights } = createNetwork(config, data, rng, options);
  const optimiser = createOptimiser(config, engine);
  const size = { height: data.size, width: data.size };
  const drawn = drawnCoordinates(positions, gridOf(dit, size));
  const batches = createBatches(data, rng.stream('data'), {
    ...config,
    ...drawn,
    variance: dit.variance,
  });
  const loss = createLoss(dit, positions, size, config.objective);
  const inputs = specsOf(batches(0));
  const update = await createUpdate(loss, optimiser, {
    engine,
    inputs,
    weights,
    ...(config.clip === undefined ? {} : { clip: config.clip }),
    ema: emaDecay(config.ema),
    ...(config.optimiser.hold ? { hold: config.optimiser.hold } : {}),
  });
  const saved = await loadCheckpoint(folder, update.state());
  if (saved) update.restore(saved);
  await openMetrics(folder, config, saved?.step ?? 0);
  const watch = await createWatch(config, {
    engine,
    dit,
    positions,
    loss,
    inputs,
    weights,
    heldOut,
    rng,
    folder,
  });

  let finished = true;
  const { accumulate, every } = config;
  for (let step = update.state().step + 1; step <= config.steps; step++) {
    if (signal?.aborted) {
      finished = false;
      break;
    }
    const start = performance.now();
    const parts = Array.from({ length: accumulate }, (_, i) =>
      batches((step - 1) * accumulate + i),
    );
    const rate = rateAt(config, step);
    const { loss: value, norm } = await update.step(parts, rate);
    const picturesPerSecond = (1000 * accumulate * config.batch) / (performance.now() - start);
    const last = step === config.steps;
    const due = (interval: number) => last || step % interval === 0;
    const heldOutLoss = due(every.heldOut)
      ? await watch.heldOutLoss(update.state().ema)
      : undefined;
    if (due(every.sheet)) await watch.sheet(update.state().ema, step);
    if (due(every.checkpoint)) await saveCheckpoint(folder, update.state());
    const line = {
      step,
      loss: value,
      norm,
      rate,
      picturesPerSecond,
      ...(heldOutLoss === undefined ? {} : { heldOutLoss }),
    };
    await appendFile(join(folder, 'metrics.jsonl'), `${JSON.stringify(line)}\n`);
    onStep?.({ ...line, steps: config.steps });
  }
  if (!finished) await saveCheckpoint(folder, update.state());
  await watch.dispose();
  return { config: dit, positions, update, finished };
}

/** The network of a configuration, for a data set's vocabulary, with new or given weights. */
export function createNetwork(
  config: Pick<TrainingConfig, 'model'>,
  data: Pick<Dataset, 'size' | 'vocabulary'>,
  rng: Rng,
  { init, registry }: Pick<TrainOptions, 'init' | 'registry'> = {},
) {
  const preset = DIT_PRESETS[config.model.preset as keyof typeof DIT_PRESETS];
  if (!preset) {
    throw new RangeError(
      `model.preset: expected one of ${Object.keys(DIT_PRESETS).join(', ')}, got '${config.model.preset}'`,
    );
  }
  const merged = {
    ...preset,
    condition: { words: data.vocabulary.length },
    ...config.model.config,
  };
  const dit = checkSchema(DiTSchema, merged, 'model.config') as DiTConfig;
  const size = { height: data.size, width: data.size };
  if (data.size % dit.patch !== 0) {
    throw new RangeError(
      `data.size: expected a multiple of the patch (${dit.patch}), got ${data.size}`,
    );
  }
  const { width, heads, depth } = dit;
  const positions = composePositions(
    config.model.positions as PositionConfig,
    { width, heads, depth, trained: gridOf(dit, size) },
    registry,
  );
  const fresh = {
    ...initDiT(dit, rng.stream('weights'), positions.projectedHeads),
    ...positions.init(rng.stream('weights')),
  };
  return { dit, positions, weights: { ...fresh, ...init } };
}

export function createOptimiser(
  { optimiser: { muon: matrices, adamw } }: Pick<TrainingConfig, 'optimiser'>,
  engine: Engine,
): Optimiser {
  const { embeddings, betas, ...common } = adamw;
  const others = {
    ...common,
    ...(betas ? { betas: betas as [number, number] } : {}),
    rates:
      embeddings === undefined
        ? []
        : [{ match: /embedding_table|in_context_posemb/, rate: embeddings }],
  };
  return matrices ? muon({ engine, rate: matrices.rate, others }) : adamW(others);
}

function createLoss(
  dit: DiTConfig,
  positions: Positions,
  size: { height: number; width: number },
  objective: ObjectiveConfig,
): Loss {
  const grid = gridOf(dit, size);
  const error = createObjective(objective, dit);
  return ({ weights, inputs }) => {
    const { x, t, condition, coordinates } = inputs;
    const constants = placedConstants(positions.place(grid, 'sample'));
    const placed = coordinates ? { ...constants, coordinates } : constants;
    const prediction = forwardDiT(dit, positions, weights, {
      x: x!,
      t: t!,
      condition: condition!,
      placed,
      grid,
    });
    return error(prediction, inputs);
  };
}

/** Random position methods draw new coordinates for every picture; others have constants. */
const drawnCoordinates = (positions: Positions, grid: Grid) =>
  positions.random
    ? { coordinates: (rng: Rng) => positions.place(grid, 'train', { rng }).coordinates }
    : {};

const specsOf = (batch: Batch): Record<string, Spec> =>
  Object.fromEntries(Object.entries(batch).map(([name, { shape }]) => [name, { shape }]));

/** Lines after the checkpoint belong to steps that are made again. */
export async function openMetrics(folder: string, config: unknown, step: number): Promise<void> {
  await mkdir(join(folder, 'sheets'), { recursive: true });
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const path = join(folder, 'metrics.jsonl');
  const lines = (await readFile(path, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '');
  const kept = lines.filter((line) => (JSON.parse(line) as { step: number }).step <= step);
  await writeFile(path, kept.map((line) => `${line}\n`).join(''));
}

type WatchOptions = Pick<TrainOptions, 'engine' | 'heldOut' | 'folder'> & {
  readonly dit: DiTConfig;
  readonly positions: Positions;
  readonly loss: Loss;
  readonly inputs: Record<string, Spec>;
  readonly weights: HostTensors;
  readonly rng: Rng;
};

/** What is looked at on the way: the loss on held-out pictures, always the same, and sheets of samples. */
async function createWatch(config: TrainingConfig, options: WatchOptions) {
  const { engine, dit, positions, loss, inputs, weights, heldOut, rng, folder } = options;
  const batches = createBatches(heldOut, rng.stream('held-out'), {
    ...config,
    drop: { all: 0, some: 0 },
    flip: false,
    variance: dit.variance,
    ...drawnCoordinates(positions, gridOf(dit, { height: heldOut.size, width: heldOut.size })),
  });
  const count = Math.max(1, Math.min(HELD_OUT_BATCHES, Math.floor(heldOut.length / config.batch)));
  const program = await engine.compile(
    ({ weights: w, inputs: given }) => ({ outputs: { loss: loss({ weights: w, inputs: given }) } }),
    { inputs, weights },
    { name: 'held-out loss', weights: 'live' },
  );
  const preview = await createPreview({
    engine,
    config: dit,
    positions,
    weights,
    objective: config.objective,
    size: heldOut.size,
    conditions: Array.from({ length: Math.min(SHEET, heldOut.length) }, (_, i) => heldOut.words(i)),
    vocabulary: heldOut.vocabulary.length,
    sampling: config.sampling,
    rng: rng.stream('sheet'),
  });
  return {
    async heldOutLoss(ema: HostTensors): Promise<number> {
      let total = 0;
      for (let i = 0; i < count; i++)
        total += (await program.run(batches(i), { weights: ema })).loss!.data[0]!;
      return total / count;
    },
    async sheet(ema: HostTensors, step: number): Promise<void> {
      const picture = await contactSheet(await preview.sheet(ema), { columns: 6 });
      await writeFile(join(folder, 'sheets', `step-${step}.png`), await encodePng(picture));
    },
    async dispose(): Promise<void> {
      await program.dispose();
      await preview.dispose();
    },
  };
}
