/** Trains a diffusion transformer, as a configuration says. */
import type { Positions } from '../encoders/positions/compose.ts';
import type { DiTConfig } from '../generators/dit-config.ts';
import { type Engine, specsOf } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { createBatches } from './batches.ts';
import type { TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { runSteps, type StepProgress } from './loop.ts';
import {
  createLoss,
  createNetwork,
  createPlaces,
  createTimeShift,
  type NetworkOptions,
} from './network.ts';
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
export type Trained = {
  readonly config: DiTConfig;
  readonly positions: Positions;
  readonly update: Update;
  /** False when the signal stopped the run early. */
  readonly finished: boolean;
};

export async function train(config: TrainingConfig, options: TrainOptions): Promise<Trained> {
  const { engine, data } = options;
  const rng = createRng(config.seed);
  const { dit, positions, weights } = createNetwork(config, data, rng, options);
  const optimiser = createOptimiser(config, engine);
  const pictures = picturesBySide([data, ...(options.otherSides ?? [])]);
  const batches = createBatches(data, rng.stream('data'), {
    ...config,
    variance: dit.variance,
    micro: dit.micro ?? false,
    coordinates: createPlaces(dit, positions),
    timeShift: createTimeShift(dit, positions),
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
  const watch = await createWatch(config, { ...options, dit, positions, loss, weights, rng });
  const { folder, signal, onStep } = options;
  const finished = await runSteps(config, { folder, update, batches, watch, signal, onStep });
  return { config: dit, positions, update, finished };
}

/** Finds pictures by their side. */
export const picturesBySide =
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
