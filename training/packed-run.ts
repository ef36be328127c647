/**
 * A run on packed pictures (packing.ts) of FiT: the same folder as a diffusion model's (run.ts). Pictures of
 * all views share the rows of every step, and one program trains them all.
 */
import { raster } from '../encoders/positions/grid.ts';
import { compileFiT } from '../generators/compile-fit.ts';
import { type HostTensors, specsOf } from '../tensor/program.ts';
import { createRng, type Rng } from '../tensor/rng.ts';
import type { Dataset } from './data/dataset.ts';
import { createHeldOutLoss, heldOutBatches, saveSheet } from './held-out.ts';
import { runSteps } from './loop.ts';
import { createPlaces, createTimeShift } from './network.ts';
import { createPackedBatches, type PackedBatch } from './packed-batches.ts';
import type { PackedTraining } from './packed-config.ts';
import {
  createPackedLoss,
  createPackedNetwork,
  type PackedNetwork,
  packedViews,
} from './packed-network.ts';
import { createPreview } from './preview.ts';
import { createOptimiser, picturesBySide, type TrainOptions } from './run.ts';
import { createUpdate, emaDecay, type Loss, type Update } from './update.ts';
import type { View } from './views.ts';

export type TrainPackedOptions = Omit<TrainOptions, 'registry'>;

export async function trainPacked(
  training: PackedTraining,
  options: TrainPackedOptions,
): Promise<{ network: PackedNetwork; update: Update; finished: boolean }> {
  const { engine, data, otherSides = [], init } = options;
  const rng = createRng(training.seed);
  const network = createPackedNetwork(training, data.vocabulary.length, rng, init);
  const views = packedViews(training, network.config);
  const pictures = picturesBySide([data, ...otherSides]);
  const own = batchesOf(training, network, data, rng.stream('data'), { views, pictures });
  const loss = createPackedLoss(network);
  const inputs = specsOf(own(0));
  const update = await createUpdate(loss, createOptimiser(training, engine), {
    ...{ engine, inputs, weights: network.weights, ema: emaDecay(training.ema) },
    ...(training.clip === undefined ? {} : { clip: training.clip }),
    ...(training.optimiser.hold ? { hold: training.optimiser.hold } : {}),
  });
  const watch = await createWatch(training, { ...options, network, loss, rng });
  const { folder, signal, onStep } = options;
  const finished = await runSteps(training, {
    ...{ folder, update, batches: own, watch, signal, onStep, picturesOf },
  });
  return { network, update, finished };
}

/** The pictures that found a place: of a row as many as its largest number. */
function picturesOf({ mask }: HostTensors): number {
  const [rows, length] = mask!.shape as [number, number];
  const numbers = Array.from({ length: rows }, (_, row) =>
    Math.max(...mask!.data.subarray(row * length, (row + 1) * length)),
  );
  return numbers.reduce((a, b) => a + b);
}

type Shown = {
  readonly views: readonly View[];
  readonly pictures: (side: number) => Dataset;
};

function batchesOf(
  training: PackedTraining,
  { config, positions }: PackedNetwork,
  data: Dataset,
  rng: Rng,
  shown: Shown,
): (step: number) => PackedBatch {
  const { patch } = config;
  const moved = createPlaces({ patch }, positions);
  const still = new Map<string, ReturnType<typeof positions.place>['coordinates']>();
  const placesOf = ({ size: [height, width] }: Pick<View, 'size'>) => {
    const key = `${height}x${width}`;
    const grid = raster(height / patch, width / patch);
    const found = still.get(key) ?? positions.place(grid, 'sample').coordinates;
    still.set(key, found);
    return found;
  };
  return createPackedBatches(data, rng, {
    ...training,
    ...shown,
    patch,
    timeShift: createTimeShift({ patch }, positions),
    coordinates: (draw, view, tokens) => moved(draw, view, tokens) ?? placesOf(view),
  });
}

type WatchOptions = TrainPackedOptions & {
  readonly network: PackedNetwork;
  readonly loss: Loss;
  readonly rng: Rng;
};

/** Whole held-out pictures of the trained size, and sheets of samples of it. */
async function createWatch(training: PackedTraining, options: WatchOptions) {
  const { engine, heldOut, folder, network, loss, rng } = options;
  const { config, positions, weights } = network;
  const plain = { ...training, drop: { all: 0, some: 0, size: 0 }, flip: false };
  const { views: _, ...whole } = plain;
  const batches = batchesOf(plain, network, heldOut, rng.stream('held-out'), {
    views: packedViews(whole, config),
    pictures: () => heldOut,
  });
  const held = await createHeldOutLoss({
    ...{ engine, loss, weights, batches, inputs: specsOf(batches(0)) },
    count: heldOutBatches(heldOut.length, training.batch),
  });
  const { patch, channels, variance } = config;
  const preview = await createPreview({
    network: {
      ...{ patch, channels, variance },
      compile: (grid, batch) =>
        compileFiT(engine, { config, positions, weights, grid, batch, mode: 'live' }),
    },
    ...{ objective: training.objective, heldOut, sampling: training.sampling },
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
