/**
 * Memorisation: how far is a picture from the nearest training drawing? Drawings that were held out of training say what
 * distance is to be expected without copying.
 *
 * The search is exact: averages over blocks bound the distance from below (by Jensen's inequality, the mean squared
 * difference of block means is at most that of the pixels), so only the averages of all drawings are in memory, and a
 * drawing is read while they are nearer than the best so far: of 5,000 avatars of a style, about 70.
 */
import type { Picture } from '../png.ts';
import type { Rng } from '../tensor/rng.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { type Attributes, styleOf } from './attributes.ts';
import { bootstrap, type Interval, quantile } from './bootstrap.ts';

/** Blocks a side of the averages that are kept of every drawing, and of those that have a distance of their own. */
const [KEPT, AVERAGED] = [8, 32];

/** Root of the mean squared difference over pixels and channels, colours in [0, 1]. */
export type Distance = { readonly full: number; readonly averaged: number; readonly index: number };

/** What a model was trained on, to be searched; averages are made when the first picture asks for them. */
export type TrainingIndex = {
  readonly name: string;
  readonly count: number;
  readonly side: number;
  /** Of the drawings of the style among these words. The picture has the drawings' side. */
  nearest(picture: Picture, words: readonly number[]): Distance;
};

type Style = { readonly indices: readonly number[]; readonly averages: Float32Array };

type Drawings = Pick<Dataset, 'name' | 'length' | 'size' | 'pixels' | 'words'>;

export function indexTraining(data: Drawings, attributes: Attributes): TrainingIndex {
  let styles: Map<number, Style> | undefined;
  return {
    ...{ name: data.name, count: data.length, side: data.size },
    nearest({ data: pixels }, words) {
      styles ??= stylesOf(data, attributes);
      const style = styles.get(styleOf(attributes, words));
      if (!style)
        throw new RangeError('memorisation: expected training drawings of the style, got none');
      return search(pixels, style, data);
    },
  };
}

function stylesOf(data: Drawings, attributes: Attributes): Map<number, Style> {
  const members = new Map<number, number[]>();
  for (let i = 0; i < data.length; i++) {
    const style = styleOf(attributes, data.words(i));
    members.set(style, members.get(style) ?? []);
    members.get(style)!.push(i);
  }
  const length = 3 * gridOf(KEPT, data.size) ** 2;
  const styles = new Map<number, Style>();
  for (const [style, indices] of members) {
    const averages = new Float32Array(indices.length * length);
    for (const [k, i] of indices.entries())
      averages.set(averagesOf(data.pixels(i), data.size, KEPT), k * length);
    styles.set(style, { indices, averages });
  }
  return styles;
}

function search(pixels: Uint8Array, { indices, averages }: Style, data: Drawings): Distance {
  const side = data.size;
  const coarse = averagesOf(pixels, side, KEPT);
  const fine = averagesOf(pixels, side, AVERAGED);
  const bounds = Float64Array.from(indices, (_, k) => {
    const from = k * coarse.length;
    return meanSquare(coarse, averages.subarray(from, from + coarse.length));
  });
  const order = Uint32Array.from(bounds, (_, k) => k).sort((a, b) => bounds[a]! - bounds[b]!);
  // The nearest in averages is no farther than the nearest in pixels, so one bound ends both searches.
  let [full, averaged, index] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1];
  for (const k of order) {
    if (bounds[k]! >= full) break;
    const drawing = data.pixels(indices[k]!);
    averaged = Math.min(averaged, meanSquare(fine, averagesOf(drawing, side, AVERAGED)));
    const found = meanSquare(pixels, drawing, full);
    if (found < full) [full, index] = [found, indices[k]!];
  }
  return { full: Math.sqrt(full) / 255, averaged: Math.sqrt(averaged) / 255, index };
}

/** Blocks a side that cover a picture evenly: those that are wanted, or its pixels. */
const gridOf = (wanted: number, side: number): number => (side % wanted === 0 ? wanted : side);

/** RGB bytes of a square -> [grid, grid, 3], means of equal blocks. */
function averagesOf(pixels: Uint8Array, side: number, wanted: number): Float32Array {
  const grid = gridOf(wanted, side);
  const out = new Float32Array(grid * grid * 3);
  const block = side / grid;
  for (let y = 0, at = 0; y < side; y++) {
    const row = grid * Math.floor(y / block);
    for (let x = 0; x < side; x++) {
      const to = 3 * (row + Math.floor(x / block));
      for (let c = 0; c < 3; c++) out[to + c]! += pixels[at++]!;
    }
  }
  return out.map((sum) => sum / block ** 2);
}

/** Mean squared difference; stops as soon as it must exceed `limit`. */
function meanSquare(
  a: Float32Array | Uint8Array,
  b: Float32Array | Uint8Array,
  limit = Number.POSITIVE_INFINITY,
): number {
  const stop = limit * a.length;
  let sum = 0;
  for (let from = 0; from < a.length && sum < stop; from += 192) {
    const to = Math.min(from + 192, a.length);
    for (let i = from; i < to; i++) sum += (a[i]! - b[i]!) ** 2;
  }
  return sum / a.length;
}

/** What is stated of one kind of distance. */
export type Nearness = {
  readonly generated: { readonly median: Interval; readonly low: Interval };
  readonly real: { readonly median: Interval; readonly low: Interval };
  /** Generated over real: below 1 is nearer to the training set than drawings it never saw. */
  readonly relative: { readonly median: Interval; readonly low: Interval };
};

/** Of both kinds of distance: all pixels, and averages over blocks. */
export type Memorisation = {
  readonly drawings: number;
  readonly full: Nearness;
  readonly averaged: Nearness;
};

/** Picture i of both sides has the same condition. */
export function compareDistances(
  { count }: TrainingIndex,
  generated: readonly Distance[],
  real: readonly Distance[],
  rng: Rng,
): Memorisation {
  const compare = (what: 'full' | 'averaged') =>
    compareNearness(
      generated.map((distance) => distance[what]),
      real.map((distance) => distance[what]),
      rng.stream(what),
    );
  return { drawings: count, full: compare('full'), averaged: compare('averaged') };
}

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
