/**
 * Duplication: does a picture show one thing twice, as networks do beyond the size they were trained at (two
 * heads, rows of eyes)? Template matching of a picture with itself (ours): the largest normalised
 * correlation of its details with its details moved by at least a quarter of the shorter side.
 *
 * Details are the mean of the channels, its shorter side brought to 32 pixels (features' kernel), less its 5 x 5
 * mean. A move counts where both overlapping parts hold at least an eighth of all details, so that a scrap
 * at the border is not a copy. A picture made of copies side by side or of bands scores nearly 1; a
 * symmetric face does not, for a mirror image is no move.
 */
import { resizePixels } from '../encoders/features/resize-pixels.ts';
import type { Picture } from '../png.ts';
import type { Rng } from '../tensor/rng.ts';
import { bootstrap, type Interval, sumOf } from './bootstrap.ts';

const SIDE = 32;
const RADIUS = 2;
/** In parts of the shorter side. */
const NEAREST = 1 / 4;
const LEAST_SHARE = 1 / 8;
/** Mean squared detail of a picture that shows nothing: half a byte's step. */
const FLAT = (0.5 / 255) ** 2;

type Details = {
  readonly data: Float64Array;
  readonly width: number;
  readonly height: number;
  readonly energy: number;
};

/** Between -1 and 1; 0 for a picture without details. */
export function duplicationScore(picture: Picture): number {
  const details = detailsOf(picture);
  const { width, height, energy } = details;
  if (energy === 0) return 0;
  const least = Math.round(SIDE * NEAREST);
  let score = 0;
  for (let dy = 0; dy < height; dy++)
    for (let dx = dy === 0 ? least : 1 - width; dx < width; dx++) {
      if (dy < least && Math.abs(dx) < least) continue;
      score = Math.max(score, correlationAt(details, dy, dx));
    }
  return score;
}

function detailsOf(picture: Picture): Details {
  const scale = SIDE / Math.min(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((side) =>
    Math.max(SIDE, Math.round(side * scale)),
  ) as [number, number];
  const colors = resizePixels(picture, height, width);
  const gray = Float64Array.from({ length: width * height }, (_, at) =>
    [0, 1, 2].reduce((sum, c) => sum + colors[3 * at + c]! / 3, 0),
  );
  const data = gray.map((value, at) => {
    const [y, x] = [Math.floor(at / width), at % width];
    let [sum, count] = [0, 0];
    for (let v = Math.max(0, y - RADIUS); v <= Math.min(height - 1, y + RADIUS); v++)
      for (let u = Math.max(0, x - RADIUS); u <= Math.min(width - 1, x + RADIUS); u++) {
        sum += gray[v * width + u]!;
        count++;
      }
    return value - sum / count;
  });
  const energy = data.reduce((sum, detail) => sum + detail * detail, 0);
  return { data, width, height, energy: energy < FLAT * data.length ? 0 : energy };
}

/** Normalised correlation of the parts that overlap after a move; 0 where they hold too little. */
function correlationAt({ data, width, height, energy }: Details, dy: number, dx: number): number {
  const [left, right] = [Math.max(0, -dx), Math.min(width, width - dx)];
  let [product, here, there] = [0, 0, 0];
  for (let y = 0; y + dy < height; y++) {
    const move = dy * width + dx;
    for (let i = y * width + left; i < y * width + right; i++) {
      const [a, b] = [data[i]!, data[i + move]!];
      product += a * b;
      here += a * a;
      there += b * b;
    }
  }
  return Math.min(here, there) < LEAST_SHARE * energy ? 0 : product / Math.sqrt(here * there);
}

export type Duplication = {
  readonly generated: Interval;
  readonly real: Interval;
  /** Generated less real. */
  readonly difference: Interval;
};

/** Mean scores; score i of both sides is of the same condition. */
export function compareDuplication(
  generated: readonly number[],
  real: readonly number[],
  rng: Rng,
): Duplication {
  const mean = (scores: readonly number[]) => (pick: Int32Array) =>
    sumOf(scores, pick) / pick.length;
  const interval = (name: string, statistic: (pick: Int32Array) => number) =>
    bootstrap(generated.length, statistic, { rng: rng.stream(name) });
  return {
    generated: interval('generated', mean(generated)),
    real: interval('real', mean(real)),
    difference: interval('difference', (pick) => mean(generated)(pick) - mean(real)(pick)),
  };
}
