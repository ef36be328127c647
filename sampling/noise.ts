/**
 * Starting noise of a picture, [H, W, C], standard normal. At a size other than the trained one it is drawn *given* the
 * noise of the trained size, so that one seed is one picture at every size: each pixel of noise is the integral of one
 * white noise over its square, rescaled to variance 1. At twice the side, the averages of 2 x 2 blocks, times 2, are the
 * smaller noise.
 *
 * Ours: both sizes cut each axis into segments; a cell (segment x segment) of area `a` inside a trained pixel of area
 * `A` and a wanted pixel of area `B` is drawn by conditioning as  sqrt(a) e + a / sqrt(A) * (trained - fresh),  where
 * `fresh` is what the fresh normals e would have given the trained pixel; wanted = sum of cells / sqrt(B). This has the
 * law of a lattice of the sides' least common multiple, summed down, at the cost of (h + H)(w + W) normals.
 */
import type { Rng } from '../tensor/rng.ts';

export type Size = { readonly height: number; readonly width: number };

/** Draws from children of `rng`, so the result does not depend on what `rng` was used for before. */
export function noise(
  rng: Rng,
  { height, width, channels }: Size & { readonly channels: number },
  trained: Size = { height, width },
): Float32Array {
  for (const side of [height, width, channels, trained.height, trained.width])
    if (!Number.isInteger(side) || side < 1)
      throw new RangeError(`noise: expected sides and channels of at least 1, got ${side}`);
  const base = rng.stream('base').normals(trained.height * trained.width * channels);
  if (trained.height === height && trained.width === width) return base;
  const cells = cutAxis(trained.height, height).length * cutAxis(trained.width, width).length;
  const fresh = rng.stream(`${height}x${width}`).normals(cells * channels);
  return resizeNoise(base, fresh, { from: trained, to: { height, width }, channels });
}

type Segment = {
  readonly from: number; // the trained pixel it lies in
  readonly to: number; // the wanted pixel it lies in
  readonly share: number; // sqrt(its length / that of a trained pixel)
  readonly part: number; // sqrt(its length / that of a wanted pixel)
};

/** The segments into which `from` and `to` equal pixels cut one axis; at most from + to - 1. */
export function cutAxis(from: number, to: number): Segment[] {
  const segments: Segment[] = [];
  const total = from * to; // in this unit a trained pixel has length `to`, a wanted one length `from`
  for (let start = 0; start < total; ) {
    const i = Math.floor(start / to);
    const j = Math.floor(start / from);
    const end = Math.min((i + 1) * to, (j + 1) * from);
    const length = end - start;
    segments.push({
      from: i,
      to: j,
      share: Math.sqrt(length / to),
      part: Math.sqrt(length / from),
    });
    start = end;
  }
  return segments;
}

/** `base` [h, w, C] and `fresh` normals, one a cell and channel, to noise [H, W, C]. Linear in both. */
export function resizeNoise(
  base: Float32Array,
  fresh: Float32Array,
  { from, to, channels: C }: { from: Size; to: Size; channels: number },
): Float32Array {
  const rows = cutAxis(from.height, to.height);
  const columns = cutAxis(from.width, to.width);
  const gap = Float64Array.from(base); // trained - fresh
  let at = 0;
  for (const row of rows)
    for (const column of columns) {
      const pixel = (row.from * from.width + column.from) * C;
      const share = row.share * column.share;
      for (let c = 0; c < C; c++) gap[pixel + c]! -= share * fresh[at++]!;
    }

  const sum = new Float64Array(to.height * to.width * C);
  at = 0;
  for (const row of rows)
    for (const column of columns) {
      const source = (row.from * from.width + column.from) * C;
      const target = (row.to * to.width + column.to) * C;
      const share = row.share * column.share;
      const part = row.part * column.part;
      for (let c = 0; c < C; c++)
        sum[target + c]! += part * (fresh[at++]! + share * gap[source + c]!);
    }
  return Float32Array.from(sum);
}
