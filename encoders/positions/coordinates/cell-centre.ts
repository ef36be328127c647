/**
 * Centres of cells of a picture that always spans the same range: (i + 1/2) / n * span on each axis.
 * A finer grid has nearer neighbours; no division by zero on a side of one cell (STAR's end-points
 * have one). ComRoPE (Yu et al. 2025) with span 1.
 *
 * Options: `span` (32); the trained side makes neighbours 1 apart there.
 */
import type { CoordinatesMethod } from '../contract.ts';
import { cellsOf, rastersOf } from '../grid.ts';

export const cellCentre: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'cell-centre',
  reducesTo: 'raw + 1/2 on a grid whose sides are the span',
  bounded: true,
  options: { span: 32 },
  coordinates({ grid, options: { span } }) {
    const rasters = rastersOf(grid);
    return Float64Array.from(
      cellsOf(grid).flatMap(({ y, x, raster }) => {
        const { height, width } = rasters[raster]!;
        return [((y + 0.5) / height) * Number(span), ((x + 0.5) / width) * Number(span)];
      }),
    );
  },
};
