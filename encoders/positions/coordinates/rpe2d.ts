/**
 * RPE-2D: randomized positions in two dimensions (Hou et al. 2025, arXiv 2503.18719; in one: Ruoss et
 * al. 2023). In training the rows lie at H increasing places drawn from a range 0 ... L - 1 much longer
 * than H, the columns likewise on their own, anew for every picture: the order of patches is
 * learned, not their distance, and a larger grid finds its positions within the range trained on.
 *
 * Of the paper only this much could be read, so the range, the draws but 'sorted' and the places in
 * sampling are ours. Options:
 * - `factor` (4): L is this many times the trained side; or `range` [rows, columns], or [side], L
 *   itself, to hold it still while the trained side changes.
 * - `draw`: 'sorted', H of the L whole numbers without replacement; 'real', H sorted reals in
 *   [0, L - 1]; and two controls: 'contiguous', neighbours 1 apart from a random place, and 'stride',
 *   equal steps, random in length and place.
 * - `inference`: where m rows lie in sampling. 'expected' (i + 1)(L + 1) / (m + 1) - 1, the mean of the
 *   sorted draw; 'end-points' i (L - 1) / (m - 1); 'contiguous' neighbours 1 apart in the middle;
 *   'resampled' a draw as in training, from the given rng, else from `seed` (0).
 * - `round` (false): whole numbers only in sampling.
 *
 * Every offset within L is trained, and a grid that does not lie within L is refused, so extensions of frequencies have
 * nothing to extend. The draw 'contiguous' trains the offsets of the trained side only.
 *
 * The paper's other parts: random crops and their conditioning are training's; the attention's scale and
 * the timestep shift of its later version are the extensions `attention-scale` and `time-shift`.
 */
import { createRng, type Rng } from '../../../tensor/rng.ts';
import type { CoordinatesMethod, Options } from '../contract.ts';
import { extentOf, type Grid, type Raster, spansInTokens } from '../grid.ts';
import { everyPlace, placeOnAxes } from './axes.ts';

type Draw = (side: number, range: number, rng: Rng) => number[];
type Inference = (side: number, range: number) => number[];

const DRAWS: Readonly<Record<string, Draw>> = {
  sorted: drawSorted,
  real: (side, range, rng) =>
    everyPlace(side, () => rng.uniform() * (range - 1)).sort((a, b) => a - b),
  contiguous(side, range, rng) {
    const start = rng.integer(range - side + 1);
    return everyPlace(side, (i) => start + i);
  },
  stride(side, range, rng) {
    const steps = Math.max(side - 1, 1);
    const step = 1 + rng.uniform() * ((range - 1) / steps - 1);
    const start = rng.uniform() * (range - 1 - step * (side - 1));
    return everyPlace(side, (i) => start + step * i);
  },
};

const INFERENCE: Readonly<Record<string, Inference>> = {
  expected: (side, range) => everyPlace(side, (i) => ((i + 1) * (range + 1)) / (side + 1) - 1),
  'end-points': (side, range) =>
    everyPlace(side, (i) => (side === 1 ? (range - 1) / 2 : (i * (range - 1)) / (side - 1))),
  contiguous: (side, range) => everyPlace(side, (i) => i + (range - side) / 2),
};

export const rpe2d: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'rpe2d',
  random: true,
  scaled: true,
  reducesTo: 'raw where the range is the side itself',
  options: {
    draw: ['sorted', 'real', 'contiguous', 'stride'],
    inference: ['expected', 'end-points', 'contiguous', 'resampled'],
    factor: 4,
    range: [],
    round: false,
    seed: 0,
  },
  spans({ grid, trained, options }) {
    const [range, sides] = [rangeOf(trained, options), spansInTokens({ grid, trained })];
    return {
      trained: options.draw === 'contiguous' ? sides.trained : range,
      now: options.inference === 'contiguous' ? sides.now : range,
    };
  },
  coordinates({ grid, trained, mode, options, rng }) {
    if (mode === 'train' && !rng) {
      throw new TypeError('rpe2d: expected an rng to draw positions from, got none');
    }
    const range = rangeOf(trained, options);
    const axis = axisOf(mode, options, rng);
    return placeOnAxes(grid, ({ height, width }) => {
      checkSides({ height, width }, range);
      return { y: axis(height, range.height), x: axis(width, range.width) };
    });
  },
};

/** Places of one axis: drawn, or those of sampling. */
function axisOf(mode: 'train' | 'sample', options: Options, rng?: Rng): Inference {
  const draw = DRAWS[String(options.draw)]!;
  if (mode === 'train') return (side, range) => draw(side, range, rng!);
  const whole = (places: number[]) => (options.round ? places.map(Math.round) : places);
  if (options.inference !== 'resampled') {
    const place = INFERENCE[String(options.inference)]!;
    return (side, range) => whole(place(side, range));
  }
  const source = rng ?? createRng(Number(options.seed)).stream('rpe2d');
  return (side, range) => whole(draw(side, range, source));
}

function rangeOf(trained: Grid, options: Options): Raster {
  const given = options.range as readonly number[];
  const { height, width } = extentOf(trained);
  const factor = Number(options.factor);
  const [rows, columns = rows] =
    given.length > 0 ? given : [Math.round(factor * height), Math.round(factor * width)];
  if (given.length > 2 || ![rows, columns].every((side) => Number.isInteger(side) && side! >= 1)) {
    throw new RangeError(
      `rpe2d: expected a range of one or two whole numbers, or a factor of at least 1, got range [${given.join(', ')}] and factor ${factor}`,
    );
  }
  return { height: rows!, width: columns! };
}

function checkSides(side: Raster, range: Raster): void {
  if (side.height <= range.height && side.width <= range.width) return;
  throw new RangeError(
    `rpe2d: expected at most ${range.height} rows and ${range.width} columns of tokens, the range of its positions, got ${side.height} and ${side.width}; the largest possible grid is ${range.height} x ${range.width}`,
  );
}

/** `side` of the whole numbers below `range`, each set equally likely, in increasing order (Floyd). */
function drawSorted(side: number, range: number, rng: Rng): number[] {
  const drawn = new Set<number>();
  for (let last = range - side; last < range; last++) {
    const place = rng.integer(last + 1);
    drawn.add(drawn.has(place) ? last : place);
  }
  return [...drawn].sort((a, b) => a - b);
}
