/**
 * When a number of ours agrees with published code's: within the fixture's tolerance of its float32
 * output, or with an error against its float64 output of at most 4 times its own. Integers are equal.
 */
import { type Fixture, tensorOf } from './fixture.ts';

export type Computed = ArrayLike<number>;
export type Comparison = {
  readonly pass: boolean;
  readonly difference: number;
  readonly tolerance: number;
  /** What it was measured from. */
  readonly against: 'float32' | 'float64';
};

const ROOM = 4;
/** Outputs that are further apart than their fixture states (but for rounding) were changed since. */
const DAMAGED = 1.001;

/** `name` without 'out/'. */
export function compare(computed: Computed, fixture: Fixture, name: string): Comparison {
  const expected = tensorOf(fixture, `out/${name}`).data;
  const {
    integer = false,
    suggested_atol: atol = 0,
    max_abs_diff_f32_f64: stated = Number.POSITIVE_INFINITY,
  } = fixture.precision[`out/${name}`] ?? {};
  const difference = largestDifference(computed, expected);
  const direct = { difference, tolerance: integer ? 0 : atol, against: 'float32' } as const;
  const exact = fixture.tensors[`out64/${name}`]?.data;
  if (difference <= direct.tolerance || integer || !exact)
    return { pass: difference <= direct.tolerance, ...direct };
  const own = largestDifference(expected, exact);
  if (own > stated * DAMAGED) return { pass: false, ...direct };
  const error = largestDifference(computed, exact);
  const tolerance = ROOM * own;
  if (error <= tolerance) return { pass: true, difference: error, tolerance, against: 'float64' };
  return { pass: false, ...direct };
}

/** NaN agrees with NaN only; other numbers of elements are infinitely far. */
export function largestDifference(a: Computed, b: Computed): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    const difference = Math.abs(a[i]! - b[i]!);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, difference);
  }
  return largest;
}
