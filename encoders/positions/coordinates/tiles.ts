/**
 * The tile that a token lies in: BiPE's positions between segments (He et al. 2024, "Two stones hit one
 * bird", section 3.2), floor(y / P) and floor(x / P) for tiles of P x P cells. A rotation or a bias on
 * them is relative from tile to tile; the embedding `within-tile` says where in its tile a token is.
 *
 * Options: `tile` (4), P.
 */
import type { CoordinatesMethod, Options } from '../contract.ts';
import { cellsOf, extentOf, type Grid } from '../grid.ts';

export const tiles: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'tiles',
  reducesTo: 'raw with tiles of one cell, no positions where a tile covers the grid',
  scaled: true,
  options: { tile: 4 },
  spans({ grid, trained, options }) {
    const P = tileOf('tiles', options);
    const tilesOf = (of: Grid) => {
      const { height, width } = extentOf(of);
      return { height: Math.ceil(height / P), width: Math.ceil(width / P) };
    };
    return { trained: tilesOf(trained), now: tilesOf(grid) };
  },
  coordinates({ grid, options }) {
    const P = tileOf('tiles', options);
    return Float64Array.from(
      cellsOf(grid).flatMap(({ y, x }) => [Math.floor(y / P), Math.floor(x / P)]),
    );
  },
};

export function tileOf(method: string, { tile }: Options): number {
  if (Number.isInteger(tile) && Number(tile) >= 1) return Number(tile);
  throw new RangeError(`${method}: expected a tile of one or more whole cells, got ${tile}`);
}
