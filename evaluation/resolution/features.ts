/** Features of pictures of one size, kept on disk: pooled, in their places, and of crops at full resolution. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FeatureNetwork } from '../../encoders/features/contract.ts';
import { fullResolutionCrops } from '../../encoders/features/crops.ts';
import type { Picture } from '../../png.ts';
import type { HostTensor } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { type Rows, rowsOf } from '../../tensor/rows.ts';
import { readSafetensors, writeSafetensors } from '../../tensor/safetensors.ts';
import { spatialRows } from '../metrics/spatial-frechet.ts';

/** Side of crops: what a network that sees 299 pixels magnifies and does not shrink. */
export const CROP = 64;

export type FeatureSet = {
  readonly pooled: Rows;
  /** Where the network keeps places. */
  readonly spatial?: Rows;
  /** Where pictures are larger than a crop. */
  readonly crops?: Rows;
};

export async function readFeatures(
  network: FeatureNetwork,
  pictures: readonly Picture[],
  signal?: AbortSignal,
): Promise<FeatureSet> {
  const { pooled, maps } = await network.read(pictures, signal);
  const larger = pictures.some(({ width, height }) => width > CROP || height > CROP);
  const crops = larger
    ? await network.read(fullResolutionCrops(pictures, CROP, createRng(0).stream('crops')), signal)
    : undefined;
  return {
    pooled: rowsOf(pooled, network.width),
    ...(maps ? { spatial: spatialRows(maps, maps.channels) } : {}),
    ...(crops ? { crops: rowsOf(crops.pooled, network.width) } : {}),
  };
}

/** Those in the file, else those of the pictures, which then are in the file. */
export async function keptFeatures(
  path: string,
  make: () => Promise<FeatureSet>,
): Promise<FeatureSet> {
  const kept = await readSafetensors(path).catch(() => undefined);
  if (kept)
    return Object.fromEntries(
      Object.entries(kept.tensors).map(([name, { data, shape }]) => [
        name,
        rowsOf(data, shape[1]!),
      ]),
    ) as FeatureSet;
  const made = await make();
  await mkdir(dirname(path), { recursive: true });
  await writeSafetensors(
    path,
    Object.fromEntries(
      Object.entries(made).map(([name, { data, count, width }]): [string, HostTensor] => [
        name,
        { data: Float32Array.from(data), shape: [count, width] },
      ]),
    ),
  );
  return made;
}
