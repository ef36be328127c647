/** What is looked at on the way of a run: the loss on held-out pictures, always the same, and sheets. */
import { microOf } from '../encoders/conditioning/micro.ts';
import type { Positions } from '../encoders/positions/compose.ts';
import { compileDiT, microInputs, placementInputs } from '../generators/compile.ts';
import type { DiTConfig } from '../generators/dit-config.ts';
import { type Engine, type HostTensors, specsOf } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { createBatches } from './batches.ts';
import type { TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { createHeldOutLoss, heldOutBatches, saveSheet } from './held-out.ts';
import { createPlaces } from './network.ts';
import { createPreview } from './preview.ts';
import type { Loss } from './update.ts';

export type WatchOptions = {
  readonly engine: Engine;
  readonly heldOut: Dataset;
  /** The run's folder. */
  readonly folder: string;
  readonly dit: DiTConfig;
  readonly positions: Positions;
  readonly loss: Loss;
  readonly weights: HostTensors;
  readonly rng: Rng;
};

/** Whole pictures of the trained size, so that runs with different views can be compared. */
export async function createWatch(config: TrainingConfig, options: WatchOptions) {
  const { engine, dit, positions, loss, weights, heldOut, rng, folder } = options;
  const batches = createBatches(heldOut, rng.stream('held-out'), {
    ...config,
    drop: { all: 0, some: 0 },
    flip: false,
    variance: dit.variance,
    micro: dit.micro ?? false,
    coordinates: createPlaces(dit, positions),
  });
  const held = await createHeldOutLoss({
    ...{ engine, loss, weights, batches, inputs: specsOf(batches(0)) },
    count: heldOutBatches(heldOut.length, config.batch),
  });
  const trained = { height: heldOut.size, width: heldOut.size };
  const told = microOf(config.sampling.micro ?? 'asked', trained, trained);
  const preview = await createPreview({
    network: {
      ...{ patch: dit.patch, channels: dit.channels, variance: dit.variance },
      compile: (grid, batch) =>
        compileDiT(engine, { config: dit, positions, weights, grid, batch, mode: 'live' }),
      inputs: (grid, batch, t) => ({
        ...microInputs(dit, batch, told),
        ...placementInputs(positions, grid, t),
      }),
    },
    ...{ objective: config.objective, heldOut, sampling: config.sampling },
    rng: rng.stream('sheet'),
  });
  return {
    heldOut: held.heldOut,
    sheet: async (ema: HostTensors, step: number) =>
      saveSheet(folder, step, await preview.sheet(ema)),
    async dispose(): Promise<void> {
      await held.dispose();
      await preview.dispose();
    },
  };
}
