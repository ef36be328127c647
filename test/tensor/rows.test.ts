import { expect, test } from 'vitest';
import { createRng } from '../../tensor/rng.ts';
import { distancesOfRow, pickRows, rowProducts, rowsOf, transposeRows } from '../../tensor/rows.ts';
import { expectClose } from '../close.ts';

const a = rowsOf(createRng(1).normals(5 * 7), 7);
const b = rowsOf(createRng(2).normals(6 * 7), 7); // six: a block of four and a rest
const at = (rows: typeof a, i: number, c: number) => rows.data[i * rows.width + c]!;

test('products and distances are those of their definitions', () => {
  const products = rowProducts(a, b);
  expect([products.count, products.width]).toEqual([5, 6]);
  const distances = new Float64Array(6);
  for (let i = 0; i < 5; i++) {
    distancesOfRow(a, i, b, distances);
    for (let j = 0; j < 6; j++) {
      const columns = Array.from({ length: 7 }, (_, c) => c);
      const product = columns.reduce((sum, c) => sum + at(a, i, c) * at(b, j, c), 0);
      const square = columns.reduce((sum, c) => sum + (at(a, i, c) - at(b, j, c)) ** 2, 0);
      expectClose([at(products, i, j), distances[j]!], [product, square], {
        rtol: 1e-13,
        atol: 1e-14,
      });
    }
  }
});

test('a row is at distance zero from itself, exactly', () => {
  const distances = new Float64Array(5);
  distancesOfRow(a, 3, a, distances);
  expect(distances[3]).toBe(0);
});

test('rows picked twice, and turned', () => {
  const picked = pickRows(a, [2, 2, 0]);
  expect([...picked.data.subarray(0, 7)]).toEqual([...picked.data.subarray(7, 14)]);
  expect(at(picked, 2, 6)).toBe(at(a, 0, 6));
  expect(at(transposeRows(a), 6, 4)).toBe(at(a, 4, 6));
});

test('what cannot be rows', () => {
  expect(() => rowsOf([1, 2, 3], 2)).toThrow('expected whole rows');
  expect(() => rowsOf([1, 2, 3, Number.NaN], 2)).toThrow('got NaN in row 1');
  expect(() => pickRows(a, [5])).toThrow('expected a row from 0 to 4, got 5');
  expect(() => rowProducts(a, rowsOf([1, 2], 2))).toThrow('features of one width, got 7 and 2');
});
