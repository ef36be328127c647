/**
 * Memorisation: how far is a picture from the nearest training drawing? Drawings that were held out of training say what
 * distance is to be expected without copying.
 *
 * The search is exact and needs no index: averages over blocks bound the distance from below
 * (by Jensen's inequality, the mean squared difference of block means is at most that of the pixels), so a
 * drawing is looked at in detail only while its averages are nearer than the best so far.
 */
import type { Picture } from '../png.ts';
import type { Rng } from '../tensor/rng.ts';
import { bootstrap, type Interval, quantile } from './bootstrap.ts';

/** Blocks a side of the averages; the last one has a distance of its own. */
const GRIDS = [8, 16, 32] as const;

/** Block averages of a picture and last its own bytes: RGB from 0 to 255. */
type Level = Float32Array | Uint8Array;
type Pyramid = { readonly levels: readonly Level[] };

/** Root of the mean squared difference over pixels and channels, colours in [0, 1]. */
export type Distance = { readonly full: number; readonly averaged: number; readonly index: number };

export function pyramidOf({ data, width, height }: Picture): Pyramid {
  const grids = GRIDS.filter((grid) => width % grid === 0 && height % grid === 0);
  return { levels: [...grids.map((grid) => averages(data, { width, height }, grid)), data] };
}

/** [H, W, 3] -> [grid, grid, 3], means of equal blocks. */
function averages(
  values: Uint8Array,
  { width, height }: { width: number; height: number },
  grid: number,
): Float32Array {
  const out = new Float32Array(grid * grid * 3);
  const [down, across] = [height / grid, width / grid];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const to = 3 * (Math.floor(y / down) * grid + Math.floor(x / across));
      for (let c = 0; c < 3; c++)
        out[to + c]! += values[3 * (y * width + x) + c]! / (down * across);
    }
  return out;
}

/** Mean squared difference; stops as soon as it must exceed `limit`. */
function meanSquare(a: Level, b: Level, limit: number): number {
  const stop = limit * a.length;
  let sum = 0;
  for (let from = 0; from < a.length && sum < stop; from += 192) {
    const to = Math.min(from + 192, a.length);
    for (let i = from; i < to; i++) sum += (a[i]! - b[i]!) ** 2;
  }
  return sum / a.length;
}

/** Nearest drawing to each query, among `drawings` (all of one size), in pixels and in averages. */
export function nearestDrawings(
  queries: readonly Picture[],
  drawings: readonly Picture[],
): Distance[] {
  if (drawings.length === 0)
    throw new RangeError('memorisation: expected training drawings of the style, got none');
  const trained = drawings.map(pyramidOf);
  return queries.map((query) => {
    const pyramid = pyramidOf(query);
    const last = pyramid.levels.length - 1;
    const bounds = trained.map(({ levels }) =>
      meanSquare(pyramid.levels[0]!, levels[0]!, Number.POSITIVE_INFINITY),
    );
    const order = bounds.map((_, i) => i).sort((a, b) => bounds[a]! - bounds[b]!);
    const search = (target: number) => nearestAt(pyramid, trained, { bounds, order, target });
    const full = search(last);
    const averaged = search(Math.max(0, last - 1));
    return {
      full: Math.sqrt(full.best) / 255,
      averaged: Math.sqrt(averaged.best) / 255,
      index: full.index,
    };
  });
}

type Search = {
  readonly bounds: readonly number[];
  readonly order: readonly number[];
  readonly target: number;
};

/** Smallest mean squared difference at level `target`; `order` is by the bounds of level 0. */
function nearestAt(
  query: Pyramid,
  trained: readonly Pyramid[],
  { bounds, order, target }: Search,
): { best: number; index: number } {
  let best = Number.POSITIVE_INFINITY;
  let index = -1;
  for (const i of order) {
    if (bounds[i]! >= best) break;
    let found = bounds[i]!;
    for (let level = 1; level <= target && found < best; level++)
      found = meanSquare(query.levels[level]!, trained[i]!.levels[level]!, best);
    if (found < best) [best, index] = [found, i];
  }
  return { best, index };
}

/** What is stated of one kind of distance. */
export type Nearness = {
  readonly generated: { readonly median: Interval; readonly low: Interval };
  readonly real: { readonly median: Interval; readonly low: Interval };
  /** Generated over real: below 1 is nearer to the training set than drawings it never saw. */
  readonly relative: { readonly median: Interval; readonly low: Interval };
};

/** Median and 5 % quantile; picture i of both sides has the same condition. */
export function compareNearness(
  generated: readonly number[],
  real: readonly number[],
  rng: Rng,
): Nearness {
  const at = (values: readonly number[], share: number) => (pick: Int32Array) =>
    quantile(
      Float64Array.from(pick, (i) => values[i]!),
      share,
    );
  const interval = (name: string, statistic: (pick: Int32Array) => number) =>
    bootstrap(generated.length, statistic, { rng: rng.stream(name), resamples: 300 });
  const both = (values: readonly number[], name: string) => ({
    median: interval(`${name}/median`, at(values, 0.5)),
    low: interval(`${name}/low`, at(values, 0.05)),
  });
  const ratio = (share: number) => (pick: Int32Array) =>
    at(generated, share)(pick) / at(real, share)(pick);
  return {
    generated: both(generated, 'generated'),
    real: both(real, 'real'),
    relative: {
      median: interval('relative/median', ratio(0.5)),
      low: interval('relative/low', ratio(0.05)),
    },
  };
}
