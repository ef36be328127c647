import { describe, expect, test } from 'vitest';
import { frechet, frechetDistance } from '../../../evaluation/metrics/frechet.ts';
import {
  covarianceOf,
  joinMoments,
  type Moments,
  momentsOf,
  streamMoments,
} from '../../../evaluation/metrics/moments.ts';
import {
  componentsOfRows,
  principalComponents,
  projectMoments,
  projectRows,
} from '../../../evaluation/metrics/principal-components.ts';
import { spatialRows } from '../../../evaluation/metrics/spatial-frechet.ts';
import { pickRows, rowProducts, rowsOf } from '../../../tensor/rows.ts';
import { symmetricEigenvalues } from '../../../tensor/symmetric-eigen.ts';
import { expectClose } from '../../close.ts';
import { gaussians, zeros } from './gaussians.ts';

/** Moments of a Gaussian itself, as if of `count` samples. */
function moments(mean: number[], covariance: number[], count = 5000): Moments {
  const width = mean.length;
  const scatter = Float64Array.from(covariance, (value) => value * (count - 1));
  return { count, width, mean: Float64Array.from(mean), scatter };
}
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
const EXACT = { rtol: 1e-12, atol: 1e-12 };

describe('the distance of two Gaussians', () => {
  test('with diagonal covariances: |m1 - m2|^2 + sum (s1 - s2)^2', () => {
    const a = moments([0, 1, 2], [4, 0, 0, 0, 9, 0, 0, 0, 1]);
    const b = moments([1, 1, 0], [1, 0, 0, 0, 16, 0, 0, 0, 1]);
    expectClose([frechetDistance(a, b)], [1 + 4 + (2 - 1) ** 2 + (3 - 4) ** 2], EXACT);
  });

  test('with covariances that do not commute: tr (S1 S2)^(1/2) of two rows in closed form', () => {
    const [p, q] = [
      [2, 1, 1, 2],
      [5, -2, -2, 1],
    ] as const;
    const product = [p[0] * q[0] + p[1] * q[2], p[2] * q[1] + p[3] * q[3]]; // its diagonal
    const determinant = (p[0] * p[3] - p[1] * p[2]) * (q[0] * q[3] - q[1] * q[2]);
    const root = Math.sqrt(product[0]! + product[1]! + 2 * Math.sqrt(determinant));
    const expected = p[0] + p[3] + q[0] + q[3] - 2 * root;
    const [a, b] = [moments([0, 0], [...p]), moments([0, 0], [...q])];
    expectClose([frechetDistance(a, b), frechetDistance(b, a)], [expected, expected], EXACT);
  });

  test('is zero for one law and grows with the mean of a sample', () => {
    const a = momentsOf(gaussians(1, 400, zeros(6)));
    expect(Math.abs(frechetDistance(a, a))).toBeLessThan(1e-12);
    const moved = { ...a, mean: a.mean.map((value) => value + 0.5) };
    expectClose([frechetDistance(a, moved)], [6 * 0.25], { rtol: 1e-10 });
  });

  test('is found where covariances have less than full rank', () => {
    const a = moments([0, 0], [1, 0, 0, 0]);
    const b = moments([0, 0], [0, 0, 0, 9]);
    expectClose([frechetDistance(a, b)], [10], EXACT); // nothing in common
  });
});

describe('moments of a stream', () => {
  const rows = gaussians(3, 300, [1e4, 0, -5, 2]); // a mean far from zero takes digits from sums of squares
  const parts = [0, 1, 100, 300].slice(1).map((end, i) => {
    const start = [0, 1, 100][i]!;
    return pickRows(
      rows,
      Array.from({ length: end - start }, (_, k) => start + k),
    );
  });

  test('are those of all samples at once', async () => {
    const whole = momentsOf(rows);
    const streamed = await streamMoments(parts);
    expect(streamed.count).toBe(300);
    expectClose(streamed.mean, whole.mean, { rtol: 1e-14, atol: 1e-14 });
    expectClose(streamed.scatter, whole.scatter, { rtol: 1e-9, atol: 1e-9 });
    expectClose([covarianceOf(whole).data[0]!], [1], { rtol: 0, atol: 0.25 }); // 3 sigma of a variance
  });

  test('refuse other widths and nothing', async () => {
    const other = momentsOf(gaussians(4, 10, zeros(3)));
    expect(() => joinMoments(momentsOf(rows), other)).toThrow('one width, got 4 and 3');
    await expect(streamMoments([])).rejects.toThrow('expected at least one part, got none');
    expect(() => covarianceOf(momentsOf(gaussians(4, 1, zeros(3))))).toThrow('at least 2 samples');
  });
});

describe('few samples', () => {
  const few = momentsOf(gaussians(5, 40, zeros(64)));
  const enough = momentsOf(gaussians(6, 2048, zeros(8)));

  test('are warned of: less than full rank, or fewer than 2048', () => {
    expect(frechet(few, few).warning).toMatch(/^Frechet distance of 40 samples in 64 .*rank-def/);
    const some = momentsOf(gaussians(7, 500, zeros(8)));
    expect(frechet(some, enough).warning).toMatch(/poorly known.*at least 2048 samples/);
    expect(frechet(enough, enough)).toEqual({
      value: expect.closeTo(0, 10),
      generated: 2048,
      reference: 2048,
      dimensions: 8,
    });
  });

  test('are measured without a warning in few principal components', () => {
    const deviations = Array.from({ length: 64 }, (_, i) => (i < 4 ? 10 : 0.1));
    const reference = momentsOf(gaussians(8, 200, zeros(64), deviations));
    const components = principalComponents(reference, 4);
    expect(components.share).toBeGreaterThan(0.99);
    const moved = { ...reference, mean: reference.mean.map((value, i) => value + (i < 4 ? 3 : 0)) };
    const { value, warning, dimensions } = frechet(moved, reference, { components });
    expect([warning, dimensions]).toEqual([undefined, 4]);
    expectClose([value], [36], { rtol: 0.01 }); // the components are the first 4 axes but for noise
  });

  test('in all components have the distance of the whole space', () => {
    const [a, b] = [momentsOf(gaussians(9, 50, zeros(5))), momentsOf(gaussians(10, 50, zeros(5)))];
    const components = principalComponents(b, 5);
    const inside = frechetDistance(projectMoments(a, components), projectMoments(b, components));
    expectClose([inside], [frechetDistance(a, b)], { rtol: 1e-9 });
    expectClose([components.share], [1], EXACT);
  });

  test('of fewer samples than dimensions are the same from the products between samples', () => {
    const rows = gaussians(
      12,
      30,
      zeros(48),
      Array.from({ length: 48 }, (_, i) => 10 / (i + 1)),
    );
    const [direct, dual] = [principalComponents(momentsOf(rows), 12), componentsOfRows(rows, 12)];
    expectClose([dual.share], [direct.share], { rtol: 1e-10 });
    const product = rowProducts(direct.vectors, dual.vectors).data.map(Math.abs); // signs are free
    const unit = product.map((_, i) => Number(i % 13 === 0));
    expectClose(product, unit, { rtol: 0, atol: 1e-8 }); // neighbouring eigenvalues are 1 % apart
    const other = gaussians(13, 30, zeros(48));
    const projected = momentsOf(projectRows(other, dual));
    expectClose(projected.scatter, projectMoments(momentsOf(other), dual).scatter, EXACT);
    const flat = { ...rows, data: rows.data.map((v, i) => (i % 48 < 9 ? v : 3)) };
    expect(componentsOfRows(flat, 12).vectors.count).toBe(9);
    const many = gaussians(14, 90, zeros(5));
    expect(componentsOfRows(many, 3)).toEqual(principalComponents(momentsOf(many), 3));
  });

  test('of far fewer samples than components have the distance that their few directions give', () => {
    const [reference, few] = [gaussians(15, 64, zeros(300)), gaussians(16, 8, zeros(300))];
    const components = componentsOfRows(reference, 63);
    const [a, b] = [projectRows(few, components), projectRows(reference, components)];
    const centred = ({ data, count, width }: typeof a) => {
      const { mean } = momentsOf({ data, count, width });
      const scale = Math.sqrt(count - 1);
      return { data: data.map((value, i) => (value - mean[i % width]!) / scale), count, width };
    };
    // tr (S1 S2)^(1/2) is the sum of the singular values of A B^T, where S1 = A^T A and S2 = B^T B.
    const across = rowProducts(centred(a), centred(b));
    const roots = symmetricEigenvalues(rowProducts(across, across)).map((v) =>
      Math.sqrt(Math.max(v, 0)),
    );
    const squares = (rows: typeof a) => centred(rows).data.reduce((sum, v) => sum + v * v, 0);
    const apart = momentsOf(a).mean.map((value, i) => value - momentsOf(b).mean[i]!);
    const expected =
      apart.reduce((sum, v) => sum + v * v, 0) + squares(a) + squares(b) - 2 * sum(roots);
    expectClose([frechetDistance(momentsOf(a), momentsOf(b))], [expected], { rtol: 1e-7 }); // roots of rounded zeros
    const projected = projectMoments(momentsOf(few), components); // rounded otherwise: never settled once
    expectClose([frechetDistance(projected, momentsOf(b))], [expected], { rtol: 1e-7 });
  });

  test('cannot give more components than they span', () => {
    expect(() => componentsOfRows(gaussians(12, 30, zeros(48)), 30)).toThrow(
      'expected from 1 to 29 components for 30 samples of width 48, got 30',
    );
    expect(() => principalComponents(few)).toThrow(
      'expected from 1 to 39 components for 40 samples of width 64, got 128',
    );
  });
});

describe('spatial features', () => {
  test('are the first channels at every place', () => {
    const data = Float32Array.from({ length: 2 * 2 * 3 * 4 }, (_, i) => i); // [2, 2, 3, 4]
    const { width, data: kept } = spatialRows({ data, height: 2, width: 3, channels: 4 }, 2);
    expect(width).toBe(12);
    expect([...kept.subarray(0, 6)]).toEqual([0, 1, 4, 5, 8, 9]);
    expect(kept[12]).toBe(24);
  });

  test('tell pictures apart whose pooled features are the same', () => {
    const left = gaussians(11, 200, [5, 0], [1, 0.1]);
    const swapped = rowsOf(
      left.data.map((_, i) => left.data[i ^ 1]!),
      2,
    );
    const maps = (rows: typeof left) =>
      momentsOf(spatialRows({ data: rows.data, height: 1, width: 2, channels: 1 }, 1));
    const pooled = (rows: typeof left) =>
      momentsOf(
        rowsOf(
          Array.from({ length: 200 }, (_, i) => rows.data[2 * i]! + rows.data[2 * i + 1]!),
          1,
        ),
      );
    expect(frechetDistance(pooled(left), pooled(swapped))).toBeCloseTo(0, 10);
    expect(frechetDistance(maps(left), maps(swapped))).toBeGreaterThan(40);
  });

  test('refuse maps that are not whole', () => {
    expect(() => spatialRows({ data: [1, 2, 3], height: 1, width: 2, channels: 1 }, 1)).toThrow(
      'expected whole maps of 1 x 2 x 1',
    );
  });
});
