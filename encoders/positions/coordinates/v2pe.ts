/**
 * V2PE: variable visual position encoding (Ge et al. 2024, section 3.2). Neighbours lie delta apart,
 * not 1, and delta is drawn anew for every picture in training, so that a larger grid fits into the
 * range trained on. One delta for both axes (ours) keeps squares square.
 *
 * Options: `deltas` (1, 1/2 ... 1/256), those drawn in training; `delta` ([]) that of sampling, [d];
 * without it, the trained side over the grid's, at most 1, on the axis where that is least (ours).
 */
import type { CoordinatesMethod, Options } from '../contract.ts';
import { extentOf, type Grid, type Raster } from '../grid.ts';
import { raw } from './raw.ts';

export const v2pe: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'v2pe',
  random: true,
  scaled: true,
  reducesTo: 'raw with a delta of 1',
  options: { deltas: Array.from({ length: 9 }, (_, i) => 2 ** -i), delta: [] },
  spans: ({ grid, trained, options }) => ({
    trained: times(extentOf(trained), Math.max(...(options.deltas as readonly number[]))),
    now: times(extentOf(grid), deltaOf(grid, trained, options)),
  }),
  coordinates(args) {
    const { grid, trained, mode, options, rng } = args;
    if (mode === 'sample') return scaled(args, deltaOf(grid, trained, options));
    if (!rng) throw new TypeError('v2pe: expected an rng to draw a delta from, got none');
    const deltas = options.deltas as readonly number[];
    if (deltas.length === 0 || deltas.some((delta) => delta <= 0)) {
      throw new RangeError(
        `v2pe: expected positive deltas to draw from, got [${deltas.join(', ')}]`,
      );
    }
    return scaled(args, deltas[rng.integer(deltas.length)]!);
  },
};

const scaled = (args: Parameters<typeof raw.coordinates>[0], delta: number): Float64Array =>
  raw.coordinates(args).map((place) => place * delta);

const times = ({ height, width }: Raster, delta: number): Raster => ({
  height: height * delta,
  width: width * delta,
});

function deltaOf(grid: Grid, trained: Grid, { delta }: Options): number {
  const given = delta as readonly number[];
  if (given.length > 1 || given.some((value) => value <= 0)) {
    throw new RangeError(
      `v2pe: expected a delta of one positive number, got [${given.join(', ')}]`,
    );
  }
  const [from, to] = [extentOf(trained), extentOf(grid)];
  return given[0] ?? Math.min(1, from.height / to.height, from.width / to.width);
}
