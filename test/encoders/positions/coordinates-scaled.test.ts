/** Coordinates of scales, tiles and steps: left-aligned, coupled, tiles, V2PE, shifted. */
import { describe, expect, test } from 'vitest';
import type { CoordinatesMethod, Options } from '../../../encoders/positions/contract.ts';
import { coupled } from '../../../encoders/positions/coordinates/coupled.ts';
import {
  infinityOptions,
  leftAligned,
} from '../../../encoders/positions/coordinates/left-aligned.ts';
import { raw } from '../../../encoders/positions/coordinates/raw.ts';
import { shifted } from '../../../encoders/positions/coordinates/shifted.ts';
import { tiles } from '../../../encoders/positions/coordinates/tiles.ts';
import { v2pe } from '../../../encoders/positions/coordinates/v2pe.ts';
import { type Grid, raster } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import { createRng, type Rng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';

const trained = raster(4, 4);
type Call = { options?: Options; trained?: Grid; rng?: Rng };
const points = (
  method: CoordinatesMethod,
  grid: Grid,
  mode: 'train' | 'sample',
  { options = {}, trained: from = trained, rng }: Call = {},
) =>
  Array.from(
    method.coordinates({
      grid,
      trained: from,
      mode,
      options: completeOptions(method, options),
      ...(rng ? { rng } : {}),
    }),
  );
const sample = (method: CoordinatesMethod, grid: Grid, call: Call = {}) =>
  points(method, grid, 'sample', call);
const plain = (grid: Grid) => sample(raw, grid);
const rows = (all: readonly number[], height: number, width: number) =>
  Array.from({ length: height }, (_, i) => all[2 * i * width]!);
const columns = (all: readonly number[], width: number) =>
  Array.from({ length: width }, (_, i) => all[2 * i + 1]!);
const square = (side: number) => ({ height: side, width: side });
const pyramid = (...sides: readonly number[]): Grid => ({
  kind: 'pyramid',
  scales: sides.map(square),
});

describe('left-aligned', () => {
  test('is raw where the sides are the span, and cells are span / n apart elsewhere', () => {
    expect(sample(leftAligned, raster(8, 6), { options: { span: [8, 6] } })).toEqual(
      plain(raster(8, 6)),
    );
    const switti = sample(leftAligned, raster(4, 4), { options: { span: [128] } });
    expect(rows(switti, 4, 4)).toEqual([0, 32, 64, 96]);
    expect(sample(leftAligned, raster(1, 1))).toEqual([0, 0]);
  });

  test('Infinity rounds to places of its largest scale, halves to even ones', () => {
    const grid = pyramid(1, 3, 4, 10);
    const all = sample(leftAligned, grid, { options: infinityOptions(grid) });
    const at = (start: number, side: number) =>
      rows(all.slice(2 * start, 2 * (start + side * side)), side, side);
    expect(at(1, 3)).toEqual([0, 3, 7]); // 0, 3.33, 6.67
    expect(at(10, 4)).toEqual([0, 2, 5, 8]); // 0, 2.5, 5, 7.5
    expect(at(26, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('names a span that is none', () => {
    for (const span of [[], [0], [1, 2, 3]])
      expect(() => sample(leftAligned, trained, { options: { span } })).toThrow(
        /left-aligned: expected a span/,
      );
  });
});

describe('coupled', () => {
  test('shares the places of the largest scale, whatever the number of scales', () => {
    const all = sample(coupled, pyramid(1, 2, 4, 8));
    expect(all.slice(0, 2)).toEqual([4, 4]);
    expect(rows(all.slice(2, 10), 2, 2)).toEqual([2, 6]);
    expect(rows(all.slice(10, 42), 4, 4)).toEqual([1, 3, 5, 7]);
    expect(all.slice(42)).toEqual(plain(raster(8, 8)));
    expect(Math.max(...sample(coupled, pyramid(2, 8)))).toBe(Math.max(...all));
    // The middle of each token lies in the cell whose place it has.
    for (const side of [1, 2, 3, 5, 8]) {
      const axis = rows(sample(coupled, pyramid(side, 8)), side, side);
      for (const [i, place] of axis.entries()) {
        const middle = ((i + 0.5) * 8) / side;
        expect(middle >= place && middle < place + 1).toBe(true);
      }
    }
  });

  test('gives a map of conditions and the picture the same places', () => {
    const grid: Grid = { kind: 'packed', pictures: [square(4), square(4)] };
    const all = sample(coupled, grid);
    expect(all.slice(0, 32)).toEqual(all.slice(32));
  });

  test('moves all places together in training, within the range', () => {
    const rng = createRng(4);
    const seen = new Set<number>();
    for (let i = 0; i < 400; i++) {
      const all = points(coupled, trained, 'train', { options: { factor: 2 }, rng });
      const [y, x] = [all[0]!, all[1]!];
      seen.add(y);
      expect(all).toEqual(plain(trained).map((place, k) => place + (k % 2 === 0 ? y : x)));
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(points(coupled, trained, 'train', { rng })).toEqual(plain(trained));
    expect(() => points(coupled, raster(5, 4), 'train', { rng })).toThrow(
      /at most 4 rows .* got 5/,
    );
    expect(() => points(coupled, trained, 'train')).toThrow(/an rng/);
  });
});

describe('tiles', () => {
  test('are raw with tiles of one cell, and all 0 where one covers the grid', () => {
    expect(sample(tiles, raster(5, 3), { options: { tile: 1 } })).toEqual(plain(raster(5, 3)));
    expect(sample(tiles, trained).every((place) => place === 0)).toBe(true);
  });

  test('a grid of twice the sides has twice the tiles', () => {
    const options = { tile: 2 };
    expect(rows(sample(tiles, raster(4, 4), { options }), 4, 4)).toEqual([0, 0, 1, 1]);
    expect(rows(sample(tiles, raster(8, 8), { options }), 8, 8)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    expect(() => sample(tiles, trained, { options: { tile: 0.5 } })).toThrow(/tiles: .* got 0.5/);
  });
});

describe('v2pe', () => {
  test('is raw with a delta of 1, and fits a larger grid into the trained range', () => {
    expect(sample(v2pe, raster(6, 5), { options: { delta: [1] } })).toEqual(plain(raster(6, 5)));
    expect(sample(v2pe, raster(3, 2))).toEqual(plain(raster(3, 2)));
    const wide = sample(v2pe, raster(4, 8)); // delta 1/2 on both axes: squares stay square
    expect(columns(wide, 8)).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
    expect(rows(wide, 4, 8)).toEqual([0, 0.5, 1, 1.5]);
  });

  test('draws every delta alike often, one for both axes', () => {
    const rng = createRng(6);
    const counts = new Map<number, number>();
    for (let i = 0; i < 4500; i++) {
      const all = points(v2pe, trained, 'train', { rng });
      const delta = all[3]!;
      expect(all).toEqual(plain(trained).map((place) => place * delta));
      counts.set(delta, (counts.get(delta) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => b - a)).toEqual(
      Array.from({ length: 9 }, (_, i) => 2 ** -i),
    );
    // 500 each, with a standard error of 21.
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(100);
    expect(() => points(v2pe, trained, 'train')).toThrow(/an rng/);
    expect(() => points(v2pe, trained, 'train', { options: { deltas: [0] }, rng })).toThrow(
      /positive deltas to draw from, got \[0\]/,
    );
    expect(() => sample(v2pe, trained, { options: { delta: [-1] } })).toThrow(/got \[-1\]/);
  });
});

describe('shifted', () => {
  test('is raw in sampling, and with no way to move', () => {
    expect(sample(shifted, raster(3, 5))).toEqual(plain(raster(3, 5)));
    const rng = createRng(2);
    expect(points(shifted, trained, 'train', { options: { by: 0 }, rng })).toEqual(plain(trained));
    expect(() => points(shifted, trained, 'train')).toThrow(/an rng/);
  });

  test('moves each scale by its own share of one move, and keeps offsets', () => {
    const rng = createRng(2);
    const moves: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const all = points(shifted, pyramid(2, 4), 'train', { options: { by: 0.5 }, rng });
      const [small, large] = [all.slice(0, 8), all.slice(8)];
      expectClose([large[0]!, large[1]!], [2 * small[0]!, 2 * small[1]!]);
      expectClose(
        large.map((place, k) => place - large[k % 2]!),
        plain(trained),
      );
      moves.push(large[0]! / 4);
    }
    expect(Math.max(...moves.map(Math.abs))).toBeLessThanOrEqual(0.5);
    // Uniform within 1/2: its mean has an error of 0.009, its variance is 1/12.
    const mean = moves.reduce((a, b) => a + b) / 1000;
    expect(Math.abs(mean)).toBeLessThan(0.04);
    const variance = moves.reduce((sum, move) => sum + (move - mean) ** 2, 0) / 1000;
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.01);
  });
});
