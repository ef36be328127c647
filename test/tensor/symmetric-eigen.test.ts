import { describe, expect, test } from 'vitest';
import { createRng } from '../../tensor/rng.ts';
import { type Rows, rowProducts, rowsOf, transposeRows } from '../../tensor/rows.ts';
import { symmetricEigen, symmetricEigenvalues } from '../../tensor/symmetric-eigen.ts';
import { expectClose } from '../close.ts';

/** The largest rounding error, in float64 units of the largest eigenvalue, times the usual factor n. */
const room = (n: number, largest: number) => ({ rtol: 0, atol: 4e-16 * n * largest });

function diagonal(values: readonly number[]): Rows {
  const data = values.flatMap((value, i) => values.map((_, j) => (i === j ? value : 0)));
  return rowsOf(data, values.length);
}

describe('eigenvalues and vectors', () => {
  test('of matrices known in closed form', () => {
    expectClose(symmetricEigen(rowsOf([2, 1, 1, 2], 2)).values, [1, 3], room(2, 3));
    expectClose(symmetricEigen(rowsOf([7], 1)).values, [7], room(1, 7));
    expectClose(symmetricEigen(diagonal([3, -1, 2, 0])).values, [-1, 0, 2, 3], room(4, 3));
    const n = 40; // the second difference: 2 - 2 cos(pi k / (n + 1))
    const difference = Array.from({ length: n * n }, (_, at) => {
      const apart = Math.abs(Math.floor(at / n) - (at % n));
      return apart === 0 ? 2 : apart === 1 ? -1 : 0;
    });
    const known = Array.from(
      { length: n },
      (_, k) => 2 - 2 * Math.cos((Math.PI * (k + 1)) / (n + 1)),
    );
    expectClose(symmetricEigen(rowsOf(difference, n)).values, known, room(n, 4));
  });

  test.each([2, 3, 17, 64])('a random matrix of %i rows is put together again', (n) => {
    const x = rowsOf(createRng(n).normals(n * n), n);
    const turned = transposeRows(x);
    const matrix = { ...x, data: x.data.map((value, i) => value + turned.data[i]!) };
    const { values, vectors } = symmetricEigen(matrix);
    const largest = Math.max(...values.map(Math.abs));
    expectClose(rowProducts(vectors, vectors).data, diagonal(Array(n).fill(1)).data, room(n, 4));
    const scaled = vectors.data.map((value, i) => value * values[Math.floor(i / n)]!);
    const back = rowProducts(
      transposeRows(vectors),
      transposeRows({ data: scaled, count: n, width: n }),
    );
    expectClose(back.data, matrix.data, room(n, 4 * largest));
    expect(values).toEqual(values.toSorted());
    expectClose(symmetricEigenvalues(matrix), values, room(n, largest));
  });

  test('of rank one, of zeros, and far from 1 in size', () => {
    const v = rowsOf(createRng(9).normals(12), 1);
    const square = v.data.reduce((sum, value) => sum + value * value, 0);
    const { values } = symmetricEigen(rowProducts(v, v));
    expectClose(values, [...Array(11).fill(0), square], room(12, square));
    expect([...symmetricEigen(diagonal([0, 0, 0])).values]).toEqual([0, 0, 0]);
    const tiny = rowsOf([2e-200, 1e-200, 1e-200, 2e-200], 2);
    expectClose(symmetricEigenvalues(tiny), [1e-200, 3e-200], { rtol: 1e-14, atol: 0 });
  });

  test('a matrix that is not square', () => {
    expect(() => symmetricEigen(rowsOf([1, 2, 3, 4, 5, 6], 3))).toThrow(
      'symmetricEigen: expected a square matrix, got [2, 3]',
    );
  });
});
