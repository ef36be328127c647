/**
 * Centres of cells of a picture that always spans the same range: (i + 1/2) / n * span on each axis.
 * A finer grid has nearer neighbours; no division by zero on a side of one cell (STAR's end-points
 * have one). ComRoPE (Yu et al. 2025) with span 1.
 *
 * Options: `span` (32); the trained side makes neighbours 1 apart there. `sides` (ours): 'own', each axis
 * spans the range; 'shorter', n is the shorter side on both, so cells are squares, and the longer axis goes
 * beyond the range by as much at both ends: what fills the shorter side in the middle lies as in a square.
 */
import type { CoordinatesMethod } from '../contract.ts';
import { cellsOf, rastersOf } from '../grid.ts';

export const cellCentre: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'cell-centre',
  reducesTo: 'raw + 1/2 on a grid whose sides are the span',
  bounded: true,
  options: { span: 32, sides: ['own', 'shorter'] },
  coordinates({ grid, options: { span, sides } }) {
    const rasters = rastersOf(grid);
    const place = (i: number, side: number, across: number) => {
      const n = sides === 'shorter' ? Math.min(side, across) : side;
      return ((i + 0.5 - (side - n) / 2) / n) * Number(span);
    };
    return Float64Array.from(
      cellsOf(grid).flatMap(({ y, x, raster }) => {
        const { height, width } = rasters[raster]!;
        return [place(y, height, width), place(x, width, height)];
      }),
    );
  },
};
