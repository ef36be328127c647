import { describe, expect, test } from 'vitest';
import type { CoordinatesMethod, Options } from '../../../encoders/positions/contract.ts';
import { cellCentre } from '../../../encoders/positions/coordinates/cell-centre.ts';
import { centred } from '../../../encoders/positions/coordinates/centred.ts';
import { endPoint } from '../../../encoders/positions/coordinates/end-point.ts';
import { pose } from '../../../encoders/positions/coordinates/pose.ts';
import { raw } from '../../../encoders/positions/coordinates/raw.ts';
import { type Grid, raster } from '../../../encoders/positions/grid.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';

const options = { span: 32 };
const sample = (method: CoordinatesMethod, grid: Grid, given: Options = options) =>
  Array.from(method.coordinates({ grid, trained: raster(4, 4), mode: 'sample', options: given }));
/** Distinct rows and columns of a grid of one raster. */
const axes = (points: ArrayLike<number>, height: number, width: number) => ({
  y: Array.from({ length: height }, (_, i) => points[2 * i * width]!),
  x: Array.from({ length: width }, (_, i) => points[2 * i + 1]!),
});

test('raw is the token index on a grid of one row', () => {
  expect(sample(raw, raster(1, 4))).toEqual([0, 0, 0, 1, 0, 2, 0, 3]);
});

test('centred is raw moved by half of the grid, scale by scale', () => {
  const moved = sample(raw, raster(3, 4)).map((value, i) => value - (i % 2 === 0 ? 1 : 1.5));
  expect(sample(centred, raster(3, 4))).toEqual(moved);
  const scales = [
    { height: 1, width: 1 },
    { height: 3, width: 4 },
  ];
  expect(sample(centred, { kind: 'pyramid', scales })).toEqual([0, 0, ...moved]);
});

test('cell centres are raw + 1/2 where the sides are the span, and the same middle elsewhere', () => {
  const plus = sample(raw, raster(4, 4)).map((value) => value + 0.5);
  expect(sample(cellCentre, raster(4, 4), { span: 4 })).toEqual(plus);
  const middle = (n: number) => sample(cellCentre, raster(n, n), { span: 4 }).slice(n * n - 1)[0];
  expect([1, 3, 5].map(middle)).toEqual([2, 2, 2]);
});

test('with the shorter side, the middle of a longer grid is the square, and cells are squares', () => {
  const shorter = { span: 4, sides: 'shorter' };
  const square = sample(cellCentre, raster(6, 6), shorter);
  expect(square).toEqual(sample(cellCentre, raster(6, 6), { span: 4 }));
  const { y, x } = axes(sample(cellCentre, raster(6, 12), shorter), 6, 12);
  expect(y).toEqual(axes(square, 6, 6).y);
  expectClose(x.slice(3, 9), axes(square, 6, 6).x, { rtol: 1e-12 });
  expect([x[0]! + x[11]!, y[0]! + y[5]!]).toEqual([4, 4]); // as much beyond at both ends
  for (const axis of [y, x])
    for (const [i, value] of axis.slice(1).entries())
      expect(value - axis[i]!).toBeCloseTo(2 / 3, 12);
  const own = axes(sample(cellCentre, raster(6, 12), { span: 4, sides: 'own' }), 6, 12);
  expect(own.x[3]).not.toBeCloseTo(x[3]!, 1); // negative control: each axis over the whole range
});

test('end-points are raw where the sides are the span + 1, and corners of all scales coincide', () => {
  expect(sample(endPoint, raster(5, 5), { span: 4 })).toEqual(sample(raw, raster(5, 5)));
  for (const [height, width] of [
    [2, 2],
    [3, 7],
    [9, 4],
  ] as const) {
    const points = sample(endPoint, raster(height, width));
    expect([...points.slice(0, 2), ...points.slice(-2)]).toEqual([0, 0, 32, 32]);
  }
  expect(sample(endPoint, raster(1, 3))).toEqual([0, 0, 0, 16, 0, 32]);
});

describe('pose', () => {
  const trained = raster(4, 4);
  const draw = (seed: string, given: Options, grid: Grid = trained) =>
    pose.coordinates({
      grid,
      trained,
      mode: 'train',
      options: given,
      rng: createRng(3).stream(seed),
    });
  const gaps = (axis: readonly number[]) => axis.slice(1).map((value, i) => value - axis[i]!);

  test('is raw with one chunk, with a factor of 1, and in sampling', () => {
    expect(draw('a', { factor: 3, chunks: 1 })).toEqual(Float64Array.from(sample(raw, trained)));
    expect(draw('a', { factor: 1, chunks: 2 })).toEqual(Float64Array.from(sample(raw, trained)));
    expect(sample(pose, raster(6, 5), { factor: 2, chunks: 2 })).toEqual(sample(raw, raster(6, 5)));
    expect(draw('a', { factor: 3, chunks: 2 })).not.toEqual(
      Float64Array.from(sample(raw, trained)),
    );
  });

  test('keeps chunks together, stays below the target and covers every offset', () => {
    const rng = createRng(3);
    const draws = Array.from({ length: 10_000 }, () => {
      const given = { factor: 2, chunks: 2 };
      return axes(
        pose.coordinates({ grid: trained, trained, mode: 'train', options: given, rng }),
        4,
        4,
      );
    });
    for (const name of ['y', 'x'] as const) {
      const drawn = draws.map((draw) => draw[name]);
      const steps = drawn.flatMap(gaps);
      expect(new Set(drawn.map((axis) => axis[0]))).toEqual(new Set([0]));
      expect(Math.max(...drawn.map((axis) => axis[3]!))).toBe(7);
      expect(Math.min(...steps)).toBe(1);
      expect(drawn.every((axis) => gaps(axis).filter((step) => step > 1).length <= 1)).toBe(true);
      const offsets = drawn.flatMap((axis) => axis.flatMap((i) => axis.map((j) => i - j)));
      expect(new Set(offsets).size).toBe(15); // -7 ... 7
    }
    // 13 outcomes an axis, raw with 1/5: equal by chance in 1/25 + 12 / 15^2 = 0.093 of the draws.
    const together = draws.filter(({ y, x }) => y.join() === x.join()).length / draws.length;
    expect(Math.abs(together - 0.0933)).toBeLessThan(0.01);
  });

  test('gives every token of a row the same row', () => {
    const points = draw('rows', { factor: 4, chunks: 3 });
    const { y, x } = axes(points, 4, 4);
    const whole = y.flatMap((row) => x.flatMap((column) => [row, column]));
    expect(Array.from(points)).toEqual(whole);
  });

  test('names what it cannot do', () => {
    expect(() => draw('a', { factor: 1.5, chunks: 2 }, raster(8, 4))).toThrow(
      /at most 6 .* got 2 and 8/,
    );
    expect(() => draw('a', { factor: 2, chunks: 0 })).toThrow(/one or more chunks/);
    const given = { grid: trained, trained, mode: 'train', options: { factor: 2, chunks: 2 } };
    expect(() => pose.coordinates({ ...given, mode: 'train' })).toThrow(/an rng/);
  });
});
