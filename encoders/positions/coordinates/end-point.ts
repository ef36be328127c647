/**
 * The first cell at 0 and the last at `span`, whatever lies between: i / (n - 1) * span on each axis,
 * so the corners of all scales and sizes coincide (STAR: Ma et al. 2024). A side of one
 * cell lies at 0; STAR's code divides by zero where only one side has one cell.
 *
 * Options: `span` (32; STAR's released models have 64).
 */
import type { CoordinatesMethod } from '../contract.ts';
import { cellsOf, rastersOf } from '../grid.ts';

export const endPoint: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'end-point',
  reducesTo: 'raw on a grid whose sides are the span + 1',
  bounded: true,
  options: { span: 32 },
  coordinates({ grid, options: { span } }) {
    const rasters = rastersOf(grid);
    const place = (i: number, side: number) => (side === 1 ? 0 : (i / (side - 1)) * Number(span));
    return Float64Array.from(
      cellsOf(grid).flatMap(({ y, x, raster }) => {
        const { height, width } = rasters[raster]!;
        return [place(y, height), place(x, width)];
      }),
    );
  },
};
