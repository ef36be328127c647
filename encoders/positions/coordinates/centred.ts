/**
 * Row and column index from the middle of the grid, so that a larger grid grows on all sides:
 * i - (n - 1) / 2. Ours; relative methods (RoPE, ALiBi) do not see the difference to `raw`.
 */
import type { CoordinatesMethod } from '../contract.ts';
import { cellsOf, rastersOf } from '../grid.ts';

export const centred: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'centred',
  reducesTo: 'raw, moved by half of the grid',
  coordinates({ grid }) {
    const rasters = rastersOf(grid);
    return Float64Array.from(
      cellsOf(grid).flatMap(({ y, x, raster }) => {
        const { height, width } = rasters[raster]!;
        return [y - (height - 1) / 2, x - (width - 1) / 2];
      }),
    );
  },
};
