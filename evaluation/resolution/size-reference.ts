/** What all cells of one size are judged by: real drawings, their features, a reader. */
import { join } from 'node:path';
import type { FeatureNetwork } from '../../encoders/features/contract.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { digestOf } from './cell-files.ts';
import { CROP, type FeatureSet, keptFeatures, readFeatures } from './features.ts';
import { type HeldOut, scoreHeldOut } from './held-out.ts';
import { type Asked, lookAt } from './looks.ts';
import { distancesTo, type RealSide, type Reference, referenceOf } from './measure-cell.ts';
import { sizeName } from './plan.ts';
import { type ReaderLike, readerAt, type SizedReader } from './reading.ts';
import { checkPictures, type Drawings } from './reference.ts';

export type Judges = Asked & {
  readonly drawings: Drawings;
  readonly network: FeatureNetwork;
  readonly readers: readonly ReaderLike[];
  readonly samples: number;
  readonly heldOut: HeldOut | undefined;
  readonly out: string;
  readonly signal?: AbortSignal;
};

export type SizeReference = {
  /** The drawings whose words are asked for, in the order of the pictures. */
  readonly real: readonly Picture[];
  /** Of the others. */
  readonly features: FeatureSet;
  readonly reader: SizedReader;
  /** What cells are measured with: made when the first of them asks for it. */
  judge(): Promise<{ readonly reference: Reference; readonly real: RealSide }>;
};

/** Where features of drawings are kept. */
export function referenceFiles({ network, drawings, samples, out }: Judges, size: Size) {
  const { name, sees, kernel } = network;
  const digest = digestOf(name, sees, kernel, drawings.name, samples, CROP);
  const path = (what: string) =>
    join(out, 'reference', `${sizeName(size)}-${what}-${digest}.safetensors`);
  return { asked: path('asked'), others: path('reference') };
}

export async function referenceAt(run: Judges, size: Size): Promise<SizeReference> {
  const { drawings, network, samples, signal } = run;
  const all = await drawings.at(size);
  checkPictures('reference drawings', all, size);
  const files = referenceFiles(run, size);
  const read = (path: string, pictures: readonly Picture[]) =>
    keptFeatures(path, () => readFeatures(network, pictures, signal));
  const real = all.slice(0, samples);
  const features = await read(files.others, all.slice(samples));
  const reader = readerAt(run.readers, size);
  const judge = async () => {
    const reference = referenceOf(features);
    const distances = distancesTo(reference, await read(files.asked, real));
    const looks = await lookAt(real, reader, run);
    const { attributes, heldOut } = run;
    if (!heldOut) return { reference, real: { looks, distances } };
    const shown = await heldOut.drawings.at(size);
    checkPictures('held-out drawings', shown, size);
    const scores = await scoreHeldOut(shown, reader, { attributes, heldOut });
    return { reference, real: { looks, distances, heldOut: scores } };
  };
  let judged: ReturnType<typeof judge> | undefined;
  return {
    ...{ real, features, reader },
    judge() {
      judged ??= judge();
      return judged;
    },
  };
}
