import { describe, expect, test } from 'vitest';
import { kid, kidOverSubsets, unbiasedMmd2 } from '../../../evaluation/metrics/kid.ts';
import { createRng } from '../../../tensor/rng.ts';
import { rowsOf } from '../../../tensor/rows.ts';
import { expectClose } from '../../close.ts';
import { gaussians, zeros } from './gaussians.ts';

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

describe('KID', () => {
  test('of four numbers by hand', () => {
    const [x, y] = [rowsOf([1, 2], 1), rowsOf([0, 3], 1)];
    const between = (1 + 4 ** 3 + 1 + 7 ** 3) / 4;
    expectClose([unbiasedMmd2(x, y)], [3 ** 3 + 1 - 2 * between], { rtol: 1e-14 });
  });

  test('is unbiased: the mean over many small draws of one law is zero', () => {
    const values = Array.from({ length: 300 }, (_, s) =>
      unbiasedMmd2(gaussians(2 * s, 12, zeros(4)), gaussians(2 * s + 1, 12, zeros(4))),
    );
    const deviation = Math.sqrt(mean(values.map((v) => v * v)));
    expect(Math.abs(mean(values))).toBeLessThan((4 * deviation) / Math.sqrt(300));
    expect(Math.min(...values)).toBeLessThan(0); // a biased estimate never is
  });

  test('of equal laws is zero within its error, of others far from it', () => {
    const reference = gaussians(1, 500, zeros(16));
    const same = kid(gaussians(2, 500, zeros(16)), reference);
    expect(Math.abs(same.value)).toBeLessThan(4 * same.error);
    const moved = kid(gaussians(3, 500, Array(16).fill(0.5)), reference);
    expect(moved.value).toBeGreaterThan(10 * moved.error);
    const wider = kid(gaussians(4, 500, zeros(16), Array(16).fill(1.5)), reference);
    expect(wider.value).toBeGreaterThan(4 * wider.error);
  });

  test('a mean shift in closed form: law N(m, 1) against N(0, 1) in one dimension', () => {
    // E (xy + 1)^3 over independent x, y: 1 + 3 a1 b1 + 3 a2 b2 + a3 b3 with raw moments a and b.
    const m = 0.7;
    const raw = [m, 1 + m * m, 3 * m + m ** 3] as const;
    const expected = 3 * m * m + 3 * (raw[1] - 1) ** 2 + raw[2] ** 2;
    const { value, error } = kid(gaussians(5, 800, [m]), gaussians(6, 800, [0]));
    expect(Math.abs(value - expected)).toBeLessThan(4 * error);
    expect(error).toBeLessThan(expected / 3);
  });

  test('over subsets: the whole of both sides once is the estimate of all samples', () => {
    const [a, b] = [gaussians(7, 60, zeros(8)), gaussians(8, 60, Array(8).fill(0.3))];
    const whole = kidOverSubsets(a, b, { rng: createRng(1), subsets: 2, size: 60 });
    expectClose([whole.mean], [unbiasedMmd2(a, b)], { rtol: 1e-10 });
    expect(whole.deviation).toBeLessThan(1e-10);
    const drawn = kidOverSubsets(a, b, { rng: createRng(1), subsets: 50, size: 30 });
    expect(Math.abs(drawn.mean - whole.mean)).toBeLessThan(drawn.deviation);
    expect(drawn).toEqual(kidOverSubsets(a, b, { rng: createRng(1), subsets: 50, size: 30 }));
  });

  test('too few samples, and other widths', () => {
    const a = gaussians(1, 12, zeros(4));
    expect(() => kid(a, a)).toThrow(
      'got 10 blocks of 12 samples; take more samples or fewer blocks',
    );
    expect(() => kidOverSubsets(a, a, { rng: createRng(1) })).toThrow(
      'expected subsets of at most 12 samples, got 1000',
    );
    expect(() => unbiasedMmd2(a, gaussians(1, 12, zeros(5)))).toThrow('one width, got 4 and 5');
  });
});
