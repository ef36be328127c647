/** What all cells of one size are judged by: real drawings, their features, a reader; and how long judging takes. */
import { join } from 'node:path';
import type { FeatureNetwork } from '../../encoders/features/contract.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { digestOf, type Range } from './cell-files.ts';
import { CROP, keptFeatures, readFeatures } from './features.ts';
import { componentsFor, distancesTo, type SizeReference } from './measure-cell.ts';
import { type Cell, sizeName } from './plan.ts';
import { type ReaderLike, readerAt } from './reading.ts';
import { checkPictures, type Drawings } from './reference.ts';

export type Judging = {
  readonly drawings: Drawings;
  readonly network: FeatureNetwork;
  readonly readers: readonly ReaderLike[];
  readonly samples: number;
  readonly out: string;
  /** Milliseconds. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
};

/** Drawings that the time of judging is found with. */
const PROBED = 8;

export async function referenceAt(run: Judging, size: Size): Promise<SizeReference> {
  const { drawings, network, samples, readers, out, signal } = run;
  const all = await drawings.at(size);
  checkPictures('reference drawings', all, size);
  const folder = join(out, 'reference');
  const kept = (what: string, pictures: readonly Picture[]) => {
    const digest = digestOf(
      network.name,
      network.sees,
      network.kernel,
      drawings.name,
      samples,
      CROP,
    );
    const path = join(folder, `${sizeName(size)}-${what}-${digest}.safetensors`);
    return keptFeatures(path, () => readFeatures(network, pictures, signal));
  };
  const real = all.slice(0, samples);
  const realFeatures = await kept('asked', real);
  const features = await kept('reference', all.slice(samples));
  const space = {
    features,
    components: componentsFor(features.pooled),
    ...(features.spatial ? { spatialComponents: componentsFor(features.spatial) } : {}),
  };
  const reader = readerAt(readers, size);
  return { ...space, real, reader, realDistances: distancesTo(space, realFeatures) };
}

/** From one batch of drawings: of the missing pictures, and of all drawings of each of their sizes. */
export async function judgingSeconds(
  { network, drawings, now, signal }: Judging,
  missing: readonly { cell: Cell; range: Range }[],
): Promise<number> {
  const sizes = [...new Set(missing.map(({ cell }) => cell.size))];
  const some = (await drawings.at(sizes[0]!)).slice(0, PROBED);
  await network.read(some, signal);
  const start = now();
  await network.read(some, signal);
  const each = (now() - start) / 1000 / some.length;
  const looks = ({ width, height }: Size) => (Math.max(width, height) > CROP ? 2 : 1); // and at crops
  const pictures = missing.map(({ cell, range }) => (range.to - range.from) * looks(cell.size));
  const references = sizes.map((size) => drawings.count * looks(size));
  return each * [...pictures, ...references].reduce((sum, count) => sum + count, 0);
}
