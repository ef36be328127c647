/**
 * Position coupling (Cho et al. 2024, section 3): tokens that belong together share a position. Ours in
 * two dimensions: a token of a scale of n cells lies at the cell of the largest scale, of S cells, that
 * its middle falls in, floor((i + 1/2) S / n), so all scales of a pyramid share the same S positions
 * whatever their number; so do pictures packed beside each other (a map of conditions and the picture).
 * In training all positions are moved by a random whole number on each axis, as in the paper.
 *
 * Options: `factor` (1): with the move, positions stay below this many times the trained side; 1 does
 * not move them.
 */
import type { CoordinatesMethod, Options } from '../contract.ts';
import { extentOf, type Grid, type Raster } from '../grid.ts';
import { everyPlace, placeOnAxes } from './axes.ts';

export const coupled: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'coupled',
  random: true,
  reducesTo: 'raw on one raster, in sampling or with a factor of 1',
  options: { factor: 1 },
  coordinates({ grid, trained, mode, options, rng }) {
    if (mode === 'train' && !rng) {
      throw new TypeError('coupled: expected an rng to draw a move from, got none');
    }
    const extent = extentOf(grid);
    const room = mode === 'train' ? roomOf(extent, trained, options) : { height: 0, width: 0 };
    const move = { y: rng?.integer(room.height + 1) ?? 0, x: rng?.integer(room.width + 1) ?? 0 };
    const places = (side: number, whole: number, by: number) =>
      everyPlace(side, (i) => Math.floor(((i + 0.5) * whole) / side) + by);
    return placeOnAxes(grid, ({ height, width }) => ({
      y: places(height, extent.height, move.y),
      x: places(width, extent.width, move.x),
    }));
  },
};

/** How far positions may be moved. */
function roomOf({ height, width }: Raster, trained: Grid, { factor }: Options): Raster {
  const extent = extentOf(trained);
  const most = {
    height: Math.round(Number(factor) * extent.height),
    width: Math.round(Number(factor) * extent.width),
  };
  if (height > most.height || width > most.width) {
    throw new RangeError(
      `coupled: expected at most ${most.height} rows and ${most.width} columns (factor times the trained side), got ${height} and ${width}`,
    );
  }
  return { height: most.height - height, width: most.width - width };
}
