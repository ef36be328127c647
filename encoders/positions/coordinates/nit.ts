/**
 * The indices that NiT's weights were trained with (Wang et al. 2025): token n of a raster of height H
 * lies at row floor(n / H), column n mod H, though tokens go row by row of W. Right on squares only; to
 * run its checkpoints on other sides as they were, not for new models.
 */
import type { CoordinatesMethod } from '../contract.ts';
import { extentOf, type Grid, rastersOf } from '../grid.ts';

export const nit: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'nit',
  reducesTo: 'raw on a square',
  spans: ({ grid, trained }) => ({ trained: exchanged(trained), now: exchanged(grid) }),
  coordinates({ grid }) {
    if (grid.kind === 'merged') {
      throw new RangeError(
        'nit: expected a raster, a pyramid or packed pictures, got merged tokens',
      );
    }
    return Float64Array.from(
      rastersOf(grid).flatMap(({ height, width }) =>
        Array.from({ length: height * width }, (_, n) => [
          Math.floor(n / height),
          n % height,
        ]).flat(),
      ),
    );
  },
};

/** Rows are numbered up to the width. */
function exchanged(grid: Grid) {
  const { height, width } = extentOf(grid);
  return { height: width, width: height };
}
