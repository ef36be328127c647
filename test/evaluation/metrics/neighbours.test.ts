import { describe, expect, test } from 'vitest';
import { densityCoverage } from '../../../evaluation/metrics/density-coverage.ts';
import { inceptionScore } from '../../../evaluation/metrics/inception-score.ts';
import { radiiOf } from '../../../evaluation/metrics/neighbours.ts';
import { precisionRecall } from '../../../evaluation/metrics/precision-recall.ts';
import { rowsOf } from '../../../tensor/rows.ts';
import { expectClose } from '../../close.ts';
import { gaussians, zeros } from './gaussians.ts';

const reference = gaussians(1, 150, zeros(6));
const far = gaussians(2, 150, Array(6).fill(100));
const BOUNDARIES = ['open', 'closed'] as const;

describe('balls to the k-th neighbour', () => {
  test('leave the sample itself out', () => {
    expect([...radiiOf(rowsOf([0, 1, 3, 7], 1), 1)]).toEqual([1, 1, 4, 16]);
    expect([...radiiOf(rowsOf([0, 1, 3, 7], 1), 2)]).toEqual([9, 4, 9, 36]);
    expect(() => radiiOf(rowsOf([0, 1], 1), 2)).toThrow('expected k from 1 to 1 for 2 samples');
  });

  test('on a line by hand: the surface counts where balls are closed', () => {
    const real = rowsOf([0, 1, 3, 7], 1); // radii 1, 1, 2, 4
    const made = rowsOf([2, 11, 20], 1); // radii 9, 9, 9
    const result = (boundary: 'open' | 'closed') => ({
      ...precisionRecall(made, real, { k: 1, boundary }),
      ...densityCoverage(made, real, { k: 1, boundary }),
    });
    expect(result('open')).toEqual({
      precision: 1 / 3,
      recall: 1,
      density: 1 / 3,
      coverage: 1 / 4,
    });
    expect(result('closed')).toEqual({
      precision: 2 / 3,
      recall: 1,
      density: 3 / 3,
      coverage: 3 / 4,
    });
  });
});

describe.each(BOUNDARIES)('precision, recall, density, coverage with %s balls', (boundary) => {
  const both = (made: typeof reference) => ({
    ...precisionRecall(made, reference, { boundary }),
    ...densityCoverage(made, reference, { boundary }),
  });

  test('of the reference itself', () => {
    const { density, ...others } = both(reference);
    expect(others).toEqual({ precision: 1, recall: 1, coverage: 1 });
    expect(density).toBe(boundary === 'open' ? 1 : 6 / 5); // k samples with itself, or k + 1
  });

  test('of samples far away', () => {
    expect(both(far)).toEqual({ precision: 0, recall: 0, density: 0, coverage: 0 });
  });

  test('of one mode: precise, without recall', () => {
    const { precision, recall, coverage } = both(gaussians(3, 150, zeros(6), Array(6).fill(0.1)));
    expect(precision).toBeGreaterThan(0.95);
    expect(recall).toBeLessThan(0.1);
    expect(coverage).toBeLessThan(0.7);
  });

  test('of an outlier among the generated: recall is taken in, coverage is not', () => {
    const outliers = rowsOf(
      [...far.data.subarray(0, 6 * 75), ...far.data.map((v) => -v).subarray(0, 6 * 75)],
      6,
    );
    const spread = { ...outliers, data: outliers.data.map((v, i) => v + (i % 7)) };
    expect(both(spread).coverage).toBe(0);
  });
});

describe('inception score', () => {
  test('is the number of classes where each is sure and all are there, 1 where all say the same', () => {
    const sure = Array.from({ length: 40 }, (_, i) =>
      [0, 1, 2, 3].map((c) => (c === i % 4 ? 50 : 0)),
    );
    const { mean, deviation } = inceptionScore(rowsOf(sure.flat(), 4));
    expectClose([mean, deviation], [4, 0], { rtol: 1e-12, atol: 1e-12 });
    const same = rowsOf(
      Array.from({ length: 40 * 4 }, (_, i) => i % 4),
      4,
    );
    expectClose([inceptionScore(same).mean], [1], { rtol: 1e-12 });
    expect(() => inceptionScore(same, { splits: 41 })).toThrow('from 1 to 40 splits, got 41');
  });
});
