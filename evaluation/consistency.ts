/**
 * Is one seed one picture at every size? Noise of another size is drawn given that of the trained size, so a model
 * could draw the same picture, larger. Measured (ours): the distance of a picture, brought to the trained size,
 * from the picture of the same seed and words drawn at that size, over the distance from the next picture of another
 * seed. 0: the same; 1: the seed tells nothing. Pictures of other proportions are compared by their middle square.
 *
 * Distances are root mean squared differences over pixels and channels, colours in [0, 1].
 */
import { middleSquare } from '../encoders/features/crops.ts';
import { resizedPicture } from '../encoders/features/resize-pixels.ts';
import type { Picture } from '../png.ts';
import type { Rng } from '../tensor/rng.ts';
import { bootstrap, type Interval, sumOf } from './bootstrap.ts';

export type Consistency = {
  readonly same: Interval;
  readonly other: Interval;
  /** same / other */
  readonly ratio: Interval;
};

/** Picture i of both sides has the same seed and words. */
export function compareSizes(
  pictures: readonly Picture[],
  trained: readonly Picture[],
  rng: Rng,
): Consistency {
  if (pictures.length !== trained.length || trained.length < 2)
    throw new RangeError(
      `consistency: expected as many pictures of both sizes, at least 2, got ${pictures.length} and ${trained.length}`,
    );
  const base = trained.map(middleSquare);
  const side = base[0]!.width;
  const brought = pictures.map((picture) => resizedPicture(middleSquare(picture), side, side));
  const apart = (move: number) =>
    Float64Array.from(brought, (picture, i) =>
      distance(picture.data, base[(i + move) % base.length]!.data),
    );
  const [same, other] = [apart(0), apart(1)];
  const mean = (values: Float64Array) => (pick: Int32Array) => sumOf(values, pick) / pick.length;
  const interval = (name: string, statistic: (pick: Int32Array) => number) =>
    bootstrap(same.length, statistic, { rng: rng.stream(name) });
  return {
    same: interval('same', mean(same)),
    other: interval('other', mean(other)),
    ratio: interval('ratio', (pick) => sumOf(same, pick) / sumOf(other, pick)),
  };
}

function distance(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum / a.length) / 255;
}
