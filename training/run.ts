/**
 * A training run: a folder with its configuration, metrics (one JSON line a step), sheets of samples and
 * checkpoints. Everything random depends on the seed and the step alone, so a run that was stopped
 * continues bit for bit.
 */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Positions } from '../encoders/positions/compose.ts';
import type { DiTConfig } from '../generators/dit-config.ts';
import { type Engine, specsOf } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { createBatches } from './batches.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { rateAt, type TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { createLoss, createNetwork, createPlaces, type NetworkOptions } from './network.ts';
import { adamW } from './optimisers/adamw.ts';
import { muon } from './optimisers/muon.ts';
import type { Optimiser } from './optimisers/optimiser.ts';
import { createUpdate, emaDecay, type Update } from './update.ts';
import { viewsOf } from './views.ts';
import { createWatch } from './watch.ts';

export type TrainOptions = NetworkOptions & {
  readonly engine: Engine;
  readonly data: Dataset;
  /** The same pictures at the other sides that views are taken from. */
  readonly otherSides?: readonly Dataset[];
  /** Pictures that are never trained on, for the held-out loss and the conditions of sheets. */
  readonly heldOut: Dataset;
  /** The run's folder. */
  readonly folder: string;
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

export async function train(config: TrainingConfig, options: TrainOptions): Promise<Trained> {
  const { engine, data, folder, signal, onStep } = options;
  const rng = createRng(config.seed);
  const { dit, positions, weights } = createNetwork(config, data, rng, options);
  const optimiser = createOptimiser(config, engine);
  const pictures = picturesBySide([data, ...(options.otherSides ?? [])]);
  const batches = createBatches(data, rng.stream('data'), {
    ...config,
    variance: dit.variance,
    micro: dit.micro ?? false,
    coordinates: createPlaces(dit, positions),
    seen: { views: viewsOf(config, dit.patch), pictures, patch: dit.patch },
  });
  const loss = createLoss(dit, positions, config.objective);
  const update = await createUpdate(loss, optimiser, {
    engine,
    inputs: specsOf(batches(0)),
    weights,
    ...(config.clip === undefined ? {} : { clip: config.clip }),
    ema: emaDecay(config.ema),
    ...(config.optimiser.hold ? { hold: config.optimiser.hold } : {}),
  });
  const saved = await loadCheckpoint(folder, update.state());
  if (saved) update.restore(saved);
  await openMetrics(folder, config, saved?.step ?? 0);
  const watch = await createWatch(config, { ...options, dit, positions, loss, weights, rng });

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
    const count = parts.reduce((sum, { t }) => sum + t.data.length, 0);
    const picturesPerSecond = (1000 * count) / (performance.now() - start);
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

/** Finds pictures by their side. */
const picturesBySide =
  (all: readonly Dataset[]) =>
  (side: number): Dataset => {
    const found = all.find(({ size }) => size === side);
    if (found) return found;
    const sides = all.map(({ size }) => size).join(', ');
    throw new RangeError(`views: expected sides of ${sides}, got ${side}; open pictures of it too`);
  };

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
