import { expect } from 'vitest';

export type Tolerance = { readonly rtol?: number; readonly atol?: number };

/** numpy's rule, |a - e| <= atol + rtol * |e|, with NaN and infinities matched exactly. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 1e-5, atol = 1e-6 }: Tolerance = {},
): void {
  expect(actual.length, 'number of elements').toBe(expected.length);
  let worst = { at: -1, excess: 0 };
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e) continue;
    const excess = Math.abs(a - e) - (atol + rtol * Math.abs(e));
    if (!(excess <= worst.excess))
      worst = { at: i, excess: Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess };
  }
  if (worst.at >= 0)
    expect.fail(
      `[${worst.at}] actual ${actual[worst.at]} vs expected ${expected[worst.at]} (rtol ${rtol}, atol ${atol})`,
    );
}

/** Largest absolute difference; NaN counts as infinite. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length, 'number of elements').toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    const difference = Math.abs(actual[i]! - expected[i]!);
    largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return largest;
}
