import { describe, expect, it, test } from 'vitest';
import type { Options } from '../../../encoders/positions/contract.ts';
import { raw } from '../../../encoders/positions/coordinates/raw.ts';
import { rpe2d } from '../../../encoders/positions/coordinates/rpe2d.ts';
import { type Grid, raster } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import { createRng, type Rng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';

const trained = raster(4, 4);
const given = (options: Options = {}) => completeOptions(rpe2d, options);
const draw = (rng: Rng, options: Options = {}, grid: Grid = trained) =>
  Array.from(rpe2d.coordinates({ grid, trained, mode: 'train', options: given(options), rng }));
const sample = (grid: Grid, options: Options = {}) =>
  Array.from(rpe2d.coordinates({ grid, trained, mode: 'sample', options: given(options) }));
const rows = (points: readonly number[], height: number, width: number) =>
  Array.from({ length: height }, (_, i) => points[2 * i * width]!);
const columns = (points: readonly number[], width: number) =>
  Array.from({ length: width }, (_, i) => points[2 * i + 1]!);
const gaps = (axis: readonly number[]) => axis.slice(1).map((value, i) => value - axis[i]!);
const plain = (grid: Grid) =>
  Array.from(raw.coordinates({ grid, trained, mode: 'sample', options: {} }));
const draws = (count: number, options: Options = {}) => {
  const rng = createRng(5);
  return Array.from({ length: count }, () => draw(rng, options));
};

describe('training', () => {
  test('sorted draws are whole, increasing, within the range, and alike on every place', () => {
    const all = draws(8000);
    const seen = new Float64Array(16);
    for (const points of all) {
      for (const axis of [rows(points, 4, 4), columns(points, 4)]) {
        expect(axis.every((place) => Number.isInteger(place) && place >= 0 && place < 16)).toBe(
          true,
        );
        expect(Math.min(...gaps(axis))).toBeGreaterThanOrEqual(1);
      }
      for (const place of rows(points, 4, 4)) seen[place]!++;
    }
    // Each place with probability 4 / 16; its standard error here is 0.005.
    for (const count of seen) expect(Math.abs(count / all.length - 0.25)).toBeLessThan(0.025);
  });

  test('a token of a row has its row, and one of a column its column', () => {
    const points = draw(createRng(1));
    const whole = rows(points, 4, 4).flatMap((y) => columns(points, 4).flatMap((x) => [y, x]));
    expect(points).toEqual(whole);
  });

  test('the axes are independent, and each set of places is as likely as any other', () => {
    const all = draws(4000);
    const sums = (axis: (points: readonly number[]) => number[]) =>
      all.map((points) => axis(points).reduce((a, b) => a + b));
    const y = sums((points) => rows(points, 4, 4));
    // The standard error of a correlation of 4000 independent pairs is 0.016.
    expect(
      Math.abs(
        correlation(
          y,
          sums((points) => columns(points, 4)),
        ),
      ),
    ).toBeLessThan(0.06);
    expect(correlation(y, y)).toBeCloseTo(1, 9);
    // The smallest of 4 of 16: its mean is (L + 1) / (H + 1) - 1 = 2.4, with error 0.03.
    const first = all.reduce((sum, points) => sum + points[0]!, 0) / all.length;
    expect(Math.abs(first - 2.4)).toBeLessThan(0.12);
    const missing = new Map<number, number>();
    for (const points of draws(5000, { range: [5] })) {
      const place = 10 - rows(points, 4, 4).reduce((a, b) => a + b);
      missing.set(place, (missing.get(place) ?? 0) + 1);
    }
    // One of 5 is left out: 1000 times each, with a standard error of 28.
    expect(missing.size).toBe(5);
    for (const count of missing.values()) expect(Math.abs(count - 1000)).toBeLessThan(140);
  });

  it('is raw where the range is the side, and is not where it is longer', () => {
    const rng = createRng(2);
    for (const kind of ['sorted', 'contiguous', 'stride'])
      expect(draw(rng, { draw: kind, factor: 1 })).toEqual(plain(trained));
    expect(draw(rng, { factor: 4 })).not.toEqual(plain(trained));
  });

  test('real draws are increasing and seldom whole', () => {
    for (const points of draws(200, { draw: 'real' })) {
      const axis = rows(points, 4, 4);
      expect(Math.min(...gaps(axis))).toBeGreaterThan(0);
      expect(axis[0]).toBeGreaterThanOrEqual(0);
      expect(axis[3]).toBeLessThan(15);
      expect(axis.every(Number.isInteger)).toBe(false);
    }
  });

  test('the controls keep distances, or their ratios', () => {
    const starts = draws(500, { draw: 'contiguous' }).map((points) => {
      expect(gaps(rows(points, 4, 4))).toEqual([1, 1, 1]);
      return points[0];
    });
    expect(new Set(starts)).toEqual(new Set(Array.from({ length: 13 }, (_, i) => i)));
    const steps = draws(500, { draw: 'stride' }).map((points) => {
      const axis = rows(points, 4, 4);
      const [a, b, c] = gaps(axis) as [number, number, number];
      expectClose([b, c], [a, a]);
      expect(axis[0]).toBeGreaterThanOrEqual(0);
      expect(axis[3]).toBeLessThanOrEqual(15 + 1e-9);
      return a;
    });
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...steps)).toBeGreaterThan(4.5); // of 5
  });
});

describe('sampling', () => {
  test('expected places are the means of sorted draws', () => {
    const expected = rows(sample(trained), 4, 4);
    expectClose(expected, [2.4, 5.8, 9.2, 12.6]);
    const all = draws(8000);
    const means = expected.map(
      (_, i) => all.reduce((sum, points) => sum + rows(points, 4, 4)[i]!, 0) / all.length,
    );
    for (const [i, mean] of means.entries())
      expect(Math.abs(mean - expected[i]!)).toBeLessThan(0.15);
  });

  test('no place lies outside of the range that was trained, on any grid', () => {
    for (const inference of ['expected', 'end-points', 'contiguous', 'resampled'])
      for (const round of [false, true])
        for (const side of [1, 2, 3, 7, 11, 16]) {
          const places = columns(sample(raster(1, side), { inference, round }), side);
          expect(places[0]).toBeGreaterThanOrEqual(0);
          expect(places.at(-1)).toBeLessThanOrEqual(15);
          if (side > 1) expect(Math.min(...gaps(places))).toBeGreaterThanOrEqual(1 - 1e-12);
          if (round) expect(places.every(Number.isInteger)).toBe(true);
        }
    expect(columns(plain(raster(1, 17)), 17).at(-1)).toBeGreaterThan(15); // what raw does
  });

  test('end-points reach both ends, and contiguous places lie in the middle', () => {
    expect(columns(sample(raster(1, 6), { inference: 'end-points' }), 6)).toEqual([
      0, 3, 6, 9, 12, 15,
    ]);
    expect(sample(raster(1, 1), { inference: 'end-points' })).toEqual([7.5, 7.5]);
    expect(columns(sample(raster(4, 4), { inference: 'contiguous' }), 4)).toEqual([6, 7, 8, 9]);
    for (const inference of ['expected', 'end-points', 'contiguous', 'resampled'])
      expectClose(sample(raster(16, 16), { inference }), plain(raster(16, 16)), { atol: 1e-9 });
  });

  test('resampled places come from the given rng, or else from the seed', () => {
    const grid = raster(5, 5);
    const resampled = { inference: 'resampled' };
    expect(sample(grid, resampled)).toEqual(sample(grid, resampled));
    expect(sample(grid, { ...resampled, seed: 1 })).not.toEqual(sample(grid, resampled));
    const options = given(resampled);
    const own = { grid, trained, mode: 'sample', options } as const;
    expect(rpe2d.coordinates({ ...own, rng: createRng(9) })).toEqual(
      rpe2d.coordinates({ ...own, mode: 'train', rng: createRng(9) }),
    );
  });

  test('grids and their transposes lie alike', () => {
    const [wide, high] = [sample(raster(3, 6)), sample(raster(6, 3))];
    expect(rows(high, 6, 3)).toEqual(columns(wide, 6));
    expect(columns(high, 3)).toEqual(rows(wide, 3, 6));
  });
});

test('rasters have draws of their own, and merged tokens lie between their cells', () => {
  const pictures = [
    { height: 2, width: 2 },
    { height: 2, width: 2 },
  ];
  const points = draw(createRng(3), { factor: 8 }, { kind: 'packed', pictures });
  expect(points.slice(0, 8)).not.toEqual(points.slice(8));
  const cells = [
    { y: 0.5, x: 0.5, raster: 0 },
    { y: 0, x: 1, raster: 0 },
  ];
  const merged: Grid = { kind: 'merged', height: 4, width: 4, cells };
  expectClose(sample(merged), [4.1, 4.1, 2.4, 5.8]);
});

test('the range is given by factor or by itself, and names the largest grid', () => {
  expect(() => sample(raster(17, 8))).toThrow(/at most 16 rows .* got 17 and 8; .* 16 x 16/);
  expect(() => sample(raster(8, 17), { range: [32, 16] })).toThrow(/is 32 x 16/);
  expect(() => sample(raster(32, 16), { range: [32, 16] })).not.toThrow();
  expect(sample(raster(20, 20), { range: 20 })).toEqual(sample(raster(20, 20), { range: [20] }));
  expect(() => sample(trained, { range: [1, 2, 3] })).toThrow(/one or two whole numbers/);
  expect(() => sample(trained, { range: [2.5] })).toThrow(/got range \[2.5\]/);
  expect(() => sample(trained, { factor: 0 })).toThrow(/factor 0/);
  expect(() =>
    rpe2d.coordinates({ grid: trained, trained, mode: 'train', options: given() }),
  ).toThrow(/an rng/);
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((x, y) => x + y) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const product = (x: readonly number[], mx: number, y: readonly number[], my: number) =>
    mean(x.map((value, i) => (value - mx) * (y[i]! - my)));
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb));
}
