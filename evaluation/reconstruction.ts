/**
 * How near a reconstruction is to its picture: peak signal-to-noise ratio, 10 log10(1 / mean squared error) with
 * colours in [0, 1], over the figure or everywhere, and SSIM. Drawings stand on a flat background that anything
 * gets right, so what counts is the figure.
 */

import type { Picture } from '../png.ts';
import { joinedToEdge } from './edge.ts';

/**
 * 1 where a picture shows its figure, [H, W]: everything but the pixels of exactly the top left corner's
 * colour that join the edge through such pixels (of neighbours above, below and beside).
 */
export function figureOf({ data, width, height }: Picture): Uint8Array {
  const flat = Uint8Array.from({ length: width * height }, (_, at) =>
    [0, 1, 2].every((c) => data[3 * at + c] === data[c]) ? 1 : 0,
  );
  return joinedToEdge(flat, width, height).map((background) => 1 - background);
}

/** Sum of squared differences, colours in [0, 1], and the number of values, where `mask` is 1. */
export function squaredError(
  made: Picture,
  wanted: Picture,
  mask?: Uint8Array,
): { readonly sum: number; readonly count: number } {
  if (made.width !== wanted.width || made.height !== wanted.height)
    throw new RangeError(
      `squaredError: expected a picture of ${wanted.width} x ${wanted.height}, got ${made.width} x ${made.height}`,
    );
  let [sum, count] = [0, 0];
  for (let i = 0; i < wanted.data.length; i++) {
    if (mask && !mask[Math.floor(i / 3)]) continue;
    sum += ((made.data[i]! - wanted.data[i]!) / 255) ** 2;
    count++;
  }
  return { sum, count };
}

/** The error of 8-bit rounding, so that equal pictures have a finite ratio of 58.9 dB. */
const LEAST = 1 / 12 / 255 ** 2;

/** In dB. */
export const psnr = ({ sum, count }: { readonly sum: number; readonly count: number }): number =>
  -10 * Math.log10(Math.max(LEAST, sum / count));

const RADIUS = 5;
const SIGMA = 1.5;
const [C1, C2] = [0.01 ** 2, 0.03 ** 2];

/**
 * Structural similarity (Wang et al. 2004, eq. 13) of luma (Rec. 601) in [0, 1]: the mean over all places of an
 * 11 x 11 Gaussian window with deviation 1.5 that lies inside the picture.
 */
export function ssim(a: Picture, b: Picture): number {
  const { width, height } = a;
  if (b.width !== width || b.height !== height || Math.min(width, height) <= 2 * RADIUS)
    throw new RangeError(
      `ssim: expected two pictures of one size of at least ${2 * RADIUS + 1} pixels, got ${width} x ${height} and ${b.width} x ${b.height}`,
    );
  const [x, y] = [lumaOf(a), lumaOf(b)];
  const blur = (of: (i: number) => number) =>
    blurred(
      Float64Array.from(x, (_, i) => of(i)),
      width,
    );
  const [mx, my] = [blur((i) => x[i]!), blur((i) => y[i]!)];
  const [xx, yy] = [blur((i) => x[i]! ** 2), blur((i) => y[i]! ** 2)];
  const xy = blur((i) => x[i]! * y[i]!);
  let sum = 0;
  for (let i = 0; i < mx.length; i++) {
    const [p, q] = [mx[i]!, my[i]!];
    const [vx, vy, cov] = [xx[i]! - p * p, yy[i]! - q * q, xy[i]! - p * q];
    sum += ((2 * p * q + C1) * (2 * cov + C2)) / ((p * p + q * q + C1) * (vx + vy + C2));
  }
  return sum / mx.length;
}

const lumaOf = ({ data }: Picture): Float64Array =>
  Float64Array.from(
    { length: data.length / 3 },
    (_, i) => (0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!) / 255,
  );

/** Gaussian means where the whole window fits: [H, W] -> [H - 10, W - 10]. */
function blurred(values: Float64Array, width: number): Float64Array {
  const height = values.length / width;
  const taps = Array.from({ length: 2 * RADIUS + 1 }, (_, i) =>
    Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA ** 2)),
  );
  const total = taps.reduce((a, b) => a + b, 0);
  const [w, h] = [width - 2 * RADIUS, height - 2 * RADIUS];
  const rows = new Float64Array(height * w);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < w; x++)
      for (const [k, tap] of taps.entries())
        rows[y * w + x]! += (tap / total) * values[y * width + x + k]!;
  const out = new Float64Array(h * w);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (const [k, tap] of taps.entries())
        out[y * w + x]! += (tap / total) * rows[(y + k) * w + x]!;
  return out;
}
