/** The kernel distance of pictures, in the pooled features of a network. */
import type { FeatureNetwork } from '../encoders/features/contract.ts';
import type { Picture } from '../png.ts';
import { type Rows, rowsOf } from '../tensor/rows.ts';
import { type Kid, kid } from './metrics/kid.ts';

export type Features = Pick<FeatureNetwork, 'name' | 'width' | 'read'>;
export type PictureKid = Kid & { readonly features: string };
type Reading = {
  readonly signal?: AbortSignal | undefined;
  /** How many pictures were read so far. */
  readonly onRead?: (done: number) => void;
};

/** Pictures that are looked at between two reports. */
const CHUNK = 32;

/** One row a picture. */
export async function pooledRows(
  features: Features,
  pictures: readonly Picture[],
  { signal, onRead }: Reading = {},
): Promise<Rows> {
  const { width } = features;
  const pooled = new Float32Array(pictures.length * width);
  for (let at = 0; at < pictures.length; at += CHUNK) {
    const part = pictures.slice(at, at + CHUNK);
    pooled.set((await features.read(part, signal)).pooled, at * width);
    onRead?.(at + part.length);
  }
  return rowsOf(pooled, width);
}

/** Of generated pictures from real ones; `onRead` counts both. */
export async function kidOfPictures(
  features: Features,
  generated: readonly Picture[],
  real: readonly Picture[],
  { signal, onRead }: Reading = {},
): Promise<PictureKid> {
  const mine = await pooledRows(features, generated, { signal, ...(onRead && { onRead }) });
  const counted = onRead && ((done: number) => onRead(generated.length + done));
  const theirs = await pooledRows(features, real, { signal, ...(counted && { onRead: counted }) });
  return { features: features.name, ...kid(mine, theirs) };
}
