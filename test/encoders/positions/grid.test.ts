import { expect, test } from 'vitest';
import {
  cellsOf,
  extentOf,
  type Grid,
  raster,
  rastersOf,
} from '../../../encoders/positions/grid.ts';

const places = (grid: Grid) => cellsOf(grid).map(({ y, x, raster: index }) => [index, y, x]);

test('a raster runs along rows from the top', () => {
  expect(places(raster(2, 3))).toEqual([
    [0, 0, 0],
    [0, 0, 1],
    [0, 0, 2],
    [0, 1, 0],
    [0, 1, 1],
    [0, 1, 2],
  ]);
  expect(extentOf(raster(2, 3))).toEqual({ height: 2, width: 3 });
});

test('a pyramid starts every scale at its own corner', () => {
  const grid: Grid = {
    kind: 'pyramid',
    scales: [
      { height: 1, width: 1 },
      { height: 1, width: 2 },
      { height: 2, width: 2 },
    ],
  };
  expect(places(grid)).toEqual([
    [0, 0, 0],
    [1, 0, 0],
    [1, 0, 1],
    [2, 0, 0],
    [2, 0, 1],
    [2, 1, 0],
    [2, 1, 1],
  ]);
  expect(extentOf(grid)).toEqual({ height: 2, width: 2 });
});

test('packed pictures follow each other, and the extent is the largest side of any', () => {
  const grid: Grid = {
    kind: 'packed',
    pictures: [
      { height: 1, width: 3 },
      { height: 2, width: 1 },
    ],
  };
  expect(places(grid)).toEqual([
    [0, 0, 0],
    [0, 0, 1],
    [0, 0, 2],
    [1, 0, 0],
    [1, 1, 0],
  ]);
  expect(extentOf(grid)).toEqual({ height: 2, width: 3 });
  expect(rastersOf(grid)).toHaveLength(2);
});

test('merged tokens lie where they say', () => {
  const cells = [
    { y: 0.5, x: 0.5, raster: 0 },
    { y: 0, x: 2, raster: 0 },
    { y: 1, x: 2, raster: 0 },
  ];
  const grid: Grid = { kind: 'merged', height: 2, width: 3, cells };
  expect(cellsOf(grid)).toEqual(cells);
  expect(extentOf(grid)).toEqual({ height: 2, width: 3 });
});
