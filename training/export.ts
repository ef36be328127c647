/** A run's moving average as a model folder: what `generate` and workers load. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DiTCard, type FiTCard, type ModelCard, writeModel } from '../generators/model.ts';
import { createRng } from '../tensor/rng.ts';
import { checkTensors, readSafetensors } from '../tensor/safetensors.ts';
import type { TrainingConfig } from './config.ts';
import { trainedBy } from './metrics.ts';
import { createNetwork } from './network.ts';
import { type PackedTraining, readDiffusionTraining } from './packed-config.ts';
import { createPackedNetwork } from './packed-network.ts';
import { sizesOf } from './views.ts';

export type ExportOptions = {
  /** The model folder to write. */
  readonly to: string;
  readonly vocabulary: readonly string[];
  readonly styles?: Readonly<Record<string, readonly string[]>>;
  /** Sizes [height, width] of pictures in their own shapes. Default: those of the run's views. */
  readonly sizes?: readonly (readonly [number, number])[];
};

/** A model draws sizes up to this many times the side that it was trained on. */
const LARGEST = 4;

/** Writes the newest checkpoint's moving average in half precision, with its card. */
export async function exportRun(run: string, options: ExportOptions): Promise<ModelCard> {
  const training = await readDiffusionTraining(join(run, 'config.json'));
  const checkpoint = await readFile(join(run, 'latest'), 'utf8').catch(() => {
    throw new Error(
      `export: expected a run with a checkpoint, got '${run}', which has none yet; train it on`,
    );
  });
  const { weights, ...network } = networkOf(training, options.vocabulary);
  const path = join(run, checkpoint, 'ema.safetensors');
  const { tensors } = await readSafetensors(path);
  const shapes = Object.entries(weights).map(([name, { shape }]) => [name, shape] as const);
  checkTensors(tensors, Object.fromEntries(shapes), path);
  const card = { ...cardOf(training, network, options), ...(await trainedBy(run, checkpoint)) };
  return writeModel<ModelCard>(options.to, card, tensors, 'F16');
}

function networkOf(training: TrainingConfig | PackedTraining, vocabulary: readonly string[]) {
  if ('packed' in training) {
    const { config, weights } = createPackedNetwork(training, vocabulary.length, createRng(0));
    return { architecture: 'fit' as const, config, weights };
  }
  const { size } = training.data;
  const { dit, weights } = createNetwork(training, { size, vocabulary }, createRng(0));
  return { architecture: 'dit' as const, config: dit, weights };
}

function cardOf(
  training: TrainingConfig,
  network: Pick<DiTCard, 'architecture' | 'config'> | Pick<FiTCard, 'architecture' | 'config'>,
  { vocabulary, styles = {}, sizes: own }: ExportOptions,
): Omit<DiTCard, 'digest'> | Omit<FiTCard, 'digest'> {
  const { size, set } = training.data;
  const sizes = own?.map(([h, w]): [number, number] => [h, w]) ?? sizesOf(training);
  return {
    version: 1,
    id: training.name,
    title: training.title,
    ...network,
    positions: training.model.positions,
    objective: training.objective,
    trained: { height: size, width: size },
    ...(sizes.length > 1 ? { sizes } : {}),
    largestSide: LARGEST * size,
    vocabulary: [...vocabulary],
    ...(Object.keys(styles).length > 0
      ? { styles: Object.fromEntries(Object.entries(styles).map(([s, words]) => [s, [...words]])) }
      : {}),
    sampling: training.sampling,
    data: set,
    licence: training.licence,
  };
}
