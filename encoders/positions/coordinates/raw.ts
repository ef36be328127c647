/** Row and column index: 0, 1, 2 ... on each axis, the same for any size. */
import type { CoordinatesMethod } from '../contract.ts';
import { cellsOf } from '../grid.ts';

export const raw: CoordinatesMethod = {
  hook: 'coordinates',
  name: 'raw',
  reducesTo: 'the token index on a grid of one row',
  coordinates: ({ grid }) => Float64Array.from(cellsOf(grid).flatMap(({ y, x }) => [y, x])),
};
