/**
 * Speckle: how rough is the flat background? The mean absolute Laplacian |4 c - up - down - left - right| there,
 * colours in [0, 1] (over [-1, 1] it is twice that).
 *
 * Background, by one rule for real and generated pictures (ours): pixels whose 3 x 3 mean is within 0.1 of white
 * in every channel (so a lone speck does not leave the background) and that join the picture's edge; without those
 * that have anything else within 2 pixels, so that edges of the figure do not count.
 */

import type { Picture } from '../png.ts';
import type { Rng } from '../tensor/rng.ts';
import { bootstrap, type Interval, sumOf } from './bootstrap.ts';
import { joinedToEdge } from './edge.ts';

const NEAR_WHITE = 0.1;
const MARGIN = 2;

/** 1 where the picture shows background, [H, W]. */
export function backgroundOf(picture: Picture): Uint8Array {
  return eroded(joinedToEdge(nearWhite(picture), picture.width, picture.height), picture);
}

function nearWhite({ data, width, height }: Picture): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const sums = [0, 0, 0];
    let count = 0;
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        count++;
        for (let c = 0; c < 3; c++) sums[c]! += data[3 * (v * width + u) + c]!;
      }
    return Number(sums.every((sum) => 1 - sum / count / 255 <= NEAR_WHITE));
  });
}

/** Keeps pixels whose surroundings inside the picture are all background. */
function eroded(mask: Uint8Array, { width, height }: Picture): Uint8Array {
  return mask.map((inside, at) => {
    if (!inside) return 0;
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let v = Math.max(0, y - MARGIN); v <= Math.min(height - 1, y + MARGIN); v++)
      for (let u = Math.max(0, x - MARGIN); u <= Math.min(width - 1, x + MARGIN); u++)
        if (!mask[v * width + u]) return 0;
    return 1;
  });
}

/** Sum of |Laplacian| over background pixels (not of the outermost rows and columns) and channels, and their number. */
export function roughness(picture: Picture): { readonly sum: number; readonly count: number } {
  const { data, width, height } = picture;
  const background = backgroundOf(picture);
  let sum = 0;
  let count = 0;
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      if (!background[at]) continue;
      for (let c = 0; c < 3; c++) {
        const value = (pixel: number) => data[3 * pixel + c]!;
        const around = value(at - 1) + value(at + 1) + value(at - width) + value(at + width);
        sum += Math.abs(4 * value(at) - around) / 255;
        count++;
      }
    }
  return { sum, count };
}

export type Speckle = {
  readonly generated: Interval;
  readonly real: Interval;
  /** Generated less real. */
  readonly difference: Interval;
  /** Pictures in which any background was found. */
  readonly measured: { readonly generated: number; readonly real: number };
};

/** Means over all background pixels; picture i of both sides has the same condition. */
export function compareSpeckle(
  generated: readonly Picture[],
  real: readonly Picture[],
  rng: Rng,
): Speckle {
  const [a, b] = [generated.map(roughness), real.map(roughness)];
  const mean = (parts: readonly { sum: number; count: number }[]) => {
    const sums = Float64Array.from(parts, ({ sum }) => sum);
    const counts = Float64Array.from(parts, ({ count }) => count);
    return (pick: Int32Array) => sumOf(sums, pick) / sumOf(counts, pick);
  };
  const [ofGenerated, ofReal] = [mean(a), mean(b)];
  const interval = (name: string, statistic: (pick: Int32Array) => number) =>
    bootstrap(a.length, statistic, { rng: rng.stream(name) });
  const measured = (parts: readonly { count: number }[]) =>
    parts.filter(({ count }) => count > 0).length;
  return {
    generated: interval('generated', ofGenerated),
    real: interval('real', ofReal),
    difference: interval('difference', (pick) => ofGenerated(pick) - ofReal(pick)),
    measured: { generated: measured(a), real: measured(b) },
  };
}
