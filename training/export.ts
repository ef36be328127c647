/** A run's moving average as a model folder: what `generate` and workers load. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelCard, writeModel } from '../generators/model.ts';
import { createRng } from '../tensor/rng.ts';
import { checkTensors, readSafetensors } from '../tensor/safetensors.ts';
import { readTrainingConfig, type TrainingConfig } from './config.ts';
import { createNetwork } from './network.ts';
import { sizesOf } from './views.ts';

export type ExportOptions = {
  /** The model folder to write. */
  readonly to: string;
  readonly vocabulary: readonly string[];
  readonly styles?: Readonly<Record<string, readonly string[]>>;
};

/** A model draws sizes up to this many times the side that it was trained on. */
const LARGEST = 4;

/** Writes the newest checkpoint's moving average in half precision, with its card. */
export async function exportRun(run: string, options: ExportOptions): Promise<ModelCard> {
  const config = await readTrainingConfig(join(run, 'config.json'));
  const checkpoint = await readFile(join(run, 'latest'), 'utf8').catch(() => {
    throw new Error(
      `export: expected a run with a checkpoint, got '${run}', which has none yet; train it on`,
    );
  });
  const { size } = config.data;
  const network = createNetwork(config, { size, vocabulary: options.vocabulary }, createRng(0));
  const path = join(run, checkpoint, 'ema.safetensors');
  const { tensors } = await readSafetensors(path);
  const shapes = Object.entries(network.weights).map(([name, { shape }]) => [name, shape] as const);
  checkTensors(tensors, Object.fromEntries(shapes), path);
  return writeModel(options.to, cardOf(config, network.dit, options), tensors, 'F16');
}

function cardOf(
  config: TrainingConfig,
  dit: ModelCard['config'],
  { vocabulary, styles = {} }: ExportOptions,
): Omit<ModelCard, 'digest'> {
  const { size, set } = config.data;
  const sizes = sizesOf(config);
  return {
    version: 1,
    id: config.name,
    title: config.title,
    architecture: 'dit',
    config: dit,
    positions: config.model.positions,
    objective: config.objective,
    trained: { height: size, width: size },
    ...(sizes.length > 1 ? { sizes } : {}),
    largestSide: LARGEST * size,
    vocabulary: [...vocabulary],
    ...(Object.keys(styles).length > 0
      ? { styles: Object.fromEntries(Object.entries(styles).map(([s, words]) => [s, [...words]])) }
      : {}),
    sampling: config.sampling,
    data: set,
    licence: config.licence,
  };
}
