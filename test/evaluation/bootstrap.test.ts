import { describe, expect, it } from 'vitest';
import { bootstrap, quantile, sumOf } from '../../evaluation/bootstrap.ts';
import { createRng } from '../../tensor/rng.ts';

describe('bootstrap', () => {
  it('covers the true mean about as often as it says', () => {
    const trials = 300;
    const rng = createRng(1);
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const values = rng.stream(`data/${trial}`).normals(60);
      const { low, high } = bootstrap(60, (pick) => sumOf(values, pick) / 60, {
        rng: rng.stream(`resample/${trial}`),
        resamples: 200,
        level: 0.8,
      });
      if (low <= 0 && high >= 0) covered++;
    }
    // binomial(300, 0.8) has a deviation of 0.023; the percentile interval is a little too narrow at 60 values
    expect(covered / trials).toBeGreaterThan(0.72);
    expect(covered / trials).toBeLessThan(0.87);
  });

  it('has no width for a constant and the value of all pictures', () => {
    const result = bootstrap(5, (pick) => sumOf([2, 2, 2, 2, 2], pick) / 5, { rng: createRng(1) });
    expect(result).toEqual({ value: 2, low: 2, high: 2 });
    expect(() => bootstrap(1, () => 0, { rng: createRng(1) })).toThrow(
      /at least 2 pictures, got 1/,
    );
  });

  it('takes quantiles between order statistics', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([0, 10], 0.05)).toBeCloseTo(0.5, 12);
    expect(quantile([7], 0.95)).toBe(7);
  });
});
