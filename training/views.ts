/**
 * How a picture of some size becomes one of a training batch. Pictures are drawn at every size that is
 * asked for, so nothing is scaled up:
 *
 * - `full`: the whole picture, at its own size; in a view that is no square it stands in the middle of
 *   white, as wide or high as the shorter side.
 * - `crop`: a cut of a larger picture, anywhere; its tokens have the positions of a whole picture, and
 *   only micro-conditioning says what was cut (SDXL: Podell et al. 2023, section 2.2).
 * - `window`: neighbouring tokens of a larger picture at the positions that they have there.
 * - `rows`: rows and columns of tokens of a larger picture, drawn at random without replacement and in
 *   order, at the positions that they have there (segmented sequences: Karypis, McAuley and Karypis
 *   2023; rows and columns are ours).
 *
 * A picture of its own shape (data/own-shapes.ts) has no such view: its part is cut out anywhere, and
 * micro-conditioning says of what and where.
 *
 * `window` and `rows` cost no more tokens than a picture of the trained size, and show positions and
 * patches of larger ones.
 */
import type { MicroSize } from '../encoders/positions/contract.ts';
import type { Rng } from '../tensor/rng.ts';
import type { TrainingConfig } from './config.ts';
import type { Shape, Sides } from './data/dataset.ts';

export type View = {
  readonly how: 'full' | 'crop' | 'window' | 'rows';
  /** [height, width] of the view in pixels. */
  readonly size: readonly [number, number];
  /** Side of the picture that it is taken from; of a `full` one the shorter side. */
  readonly of: number;
  /** [height, width] in pixels of the picture whose places its tokens have. */
  readonly placed: readonly [number, number];
  /** Part of the steps, against the sum of the shares of all that a step may show. */
  readonly share: number;
  /** The first and the last step that may show it. */
  readonly from: number;
  readonly until: number;
  /** Pictures of a step. */
  readonly batch: number;
};

/** One picture's view: its pixels and where its tokens are. */
export type Seen = {
  /** height * width * 3 bytes of RGB */
  readonly pixels: Uint8Array;
  /** Rows and columns of the larger picture's tokens that these are, where positions are those. */
  readonly tokens?: { readonly rows: readonly number[]; readonly columns: readonly number[] };
  readonly size: MicroSize;
};

/** The view of a step, counted from 1: `at` in [0, 1) falls into its share. */
export function chooseView(all: readonly View[], step: number, at: number): View {
  const views = all.filter(({ from, until }) => from <= step && step <= until);
  const total = views.reduce((sum, { share }) => sum + share, 0);
  let left = at * total;
  for (const view of views) {
    left -= view.share;
    if (left < 0) return view;
  }
  return views.at(-1)!;
}

/** `mirrored` turns the picture round before anything is cut. */
export type Seeing = { readonly rng: Rng; readonly mirrored?: boolean };

/** Cuts a view out of a square picture of side `view.of`. */
export function see(
  { how, size: [height, width], of }: Pick<View, 'how' | 'size' | 'of'>,
  pixels: Uint8Array,
  patch: number,
  { rng, mirrored = false }: Seeing,
): Seen {
  const whole: MicroSize = { original: [of, of], crop: [0, 0], target: [of, of] };
  const take = (rows: readonly number[], columns: readonly number[]) =>
    pick(pixels, [of, of], rows, columns, mirrored);
  if (how === 'full') {
    const size = { original: [height, width], crop: [0, 0], target: [height, width] } as const;
    const rows = range((of - height) / 2, height);
    return { pixels: take(rows, range((of - width) / 2, width)), size };
  }
  if (how === 'crop') {
    const [top, left] = [rng.integer(of - height + 1), rng.integer(of - width + 1)];
    const size = { original: [of, of], crop: [top, left], target: [height, width] } as const;
    return { pixels: take(range(top, height), range(left, width)), size };
  }
  const draw = how === 'window' ? neighbours : ordered;
  const rows = draw(height / patch, of / patch, rng);
  const columns = draw(width / patch, of / patch, rng);
  const pixelsOf = (tokens: readonly number[]) => tokens.flatMap((i) => range(i * patch, patch));
  return {
    pixels: take(pixelsOf(rows), pixelsOf(columns)),
    tokens: { rows, columns },
    size: whole,
  };
}

/** Cuts its part out of a picture of its own shape, anywhere: what is scaled to cover a bucket, or to patches. */
export function seeOwn(
  pixels: Uint8Array,
  { size, cut: [height, width] }: Shape,
  { rng, mirrored = false }: Seeing,
): Seen {
  const [top, left] = [rng.integer(size[0] - height + 1), rng.integer(size[1] - width + 1)];
  return {
    pixels: pick(pixels, size, range(top, height), range(left, width), mirrored),
    size: { original: size, crop: [top, left], target: [height, width] },
  };
}

const range = (start: number, length: number): number[] =>
  Array.from({ length }, (_, i) => Math.floor(start) + i);

function neighbours(count: number, among: number, rng: Rng): number[] {
  return range(rng.integer(among - count + 1), count);
}

/** `count` of 0 ... among - 1 without replacement, ascending: every subset is equally likely. */
function ordered(count: number, among: number, rng: Rng): number[] {
  const chosen: number[] = [];
  for (let i = 0; i < among && chosen.length < count; i++)
    if (rng.integer(among - i) < count - chosen.length) chosen.push(i);
  return chosen;
}

/** Rows and columns of pixels of a picture; those outside of it are white. */
function pick(
  pixels: Uint8Array,
  [height, width]: Sides,
  rows: readonly number[],
  columns: readonly number[],
  mirrored: boolean,
): Uint8Array {
  const out = new Uint8Array(rows.length * columns.length * 3).fill(255);
  for (const [y, row] of rows.entries()) {
    if (row < 0 || row >= height) continue;
    for (const [x, asked] of columns.entries()) {
      const column = mirrored ? width - 1 - asked : asked;
      if (column < 0 || column >= width) continue;
      const from = 3 * (row * width + column);
      const to = 3 * (y * columns.length + x);
      for (let c = 0; c < 3; c++) out[to + c] = pixels[from + c]!;
    }
  }
  return out;
}

/** Coordinates [T, 2] of the tokens that a view took from a grid of `columns` columns. */
export function coordinatesOf(
  coordinates: ArrayLike<number>,
  columns: number,
  tokens: NonNullable<Seen['tokens']>,
): Float32Array {
  const places = tokens.rows.flatMap((row) =>
    tokens.columns.map((column) => row * columns + column),
  );
  return Float32Array.from(places.flatMap((i) => [coordinates[2 * i]!, coordinates[2 * i + 1]!]));
}

type ViewConfig = Pick<TrainingConfig, 'data' | 'batch' | 'views' | 'steps'>;

/** Sides of pictures that a configuration's views need besides `data.size`. */
export const sidesOf = (config: ViewConfig): number[] => [
  ...new Set(viewsOf(config).flatMap(({ of }) => (of === config.data.size ? [] : [of]))),
];

/** Sizes [height, width] whose positions or pictures a configuration's views show, each once. */
export function sizesOf(config: ViewConfig): [number, number][] {
  return [...new Set(viewsOf(config).map(({ placed }) => placed.join('x')))].map(
    (size) => size.split('x').map(Number) as [number, number],
  );
}

/** The views of a configuration with all defaults filled in; throws where one cannot be had. */
export function viewsOf(
  { data, batch, views = [{ how: 'full', share: 1 }], steps }: ViewConfig,
  patch = 1,
): View[] {
  const all = views.map(({ how, size = data.size, of, share, ...rest }, i) => {
    const { batch: own = batch, from = 1, until = steps } = rest;
    const sides = typeof size === 'number' ? ([size, size] as const) : size;
    const where = `views[${i}]`;
    const larger = how === 'full' ? Math.min(...sides) : (of ?? data.size);
    if (how === 'full' && of !== undefined)
      throw new RangeError(`${where}.of: expected none of a full view, got ${of}; leave it out`);
    for (const side of how === 'crop' ? sides : [...sides, larger])
      if (side % patch !== 0)
        throw new RangeError(
          `${where}: expected sides that are multiples of the patch (${patch}), got ${side}`,
        );
    if (how !== 'full' && Math.max(...sides) > larger)
      throw new RangeError(
        `${where}.of: expected a side of at least ${Math.max(...sides)} to take the view from, got ${larger}`,
      );
    if (own > batch)
      throw new RangeError(`${where}.batch: expected at most the run's (${batch}), got ${own}`);
    const placed = how === 'window' || how === 'rows' ? ([larger, larger] as const) : sides;
    return { how, size: sides, of: larger, placed, share, from, until, batch: own };
  });
  checkStages(all, steps);
  return all;
}

/** Throws unless every step has a view: between two borders of stages all steps are alike. */
function checkStages(views: readonly View[], steps: number): void {
  const borders = [1, ...views.map(({ until }) => until + 1)].filter((step) => step <= steps);
  for (const step of borders) {
    if (views.some(({ from, until }) => from <= step && step <= until)) continue;
    throw new RangeError(
      `views: expected one for every step, got none for step ${step}; change 'from' and 'until'`,
    );
  }
}
