/** Percentile bootstrap (Efron 1979): how much a statistic would vary with other pictures. */
import type { Rng } from '../tensor/rng.ts';

export type Interval = { readonly value: number; readonly low: number; readonly high: number };
export type BootstrapOptions = {
  readonly rng: Rng;
  readonly resamples?: number;
  /** Share of resamples inside the interval. */
  readonly level?: number;
};

/** `statistic` of all `count` pictures, and its interval over pictures drawn with replacement. */
export function bootstrap(
  count: number,
  statistic: (pictures: Int32Array) => number,
  { rng, resamples = 1000, level = 0.95 }: BootstrapOptions,
): Interval {
  if (count < 2) throw new RangeError(`bootstrap: expected at least 2 pictures, got ${count}`);
  const pick = Int32Array.from({ length: count }, (_, i) => i);
  const value = statistic(pick);
  const values = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < count; i++) pick[i] = rng.integer(count);
    values[r] = statistic(pick);
  }
  const defined = values.filter((v) => !Number.isNaN(v)); // a resample may have nothing to divide by
  const tail = (1 - level) / 2;
  return { value, low: quantile(defined, tail), high: quantile(defined, 1 - tail) };
}

/** Linear between order statistics, as numpy's default. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

/** Sum of `values` over the picked pictures. */
export function sumOf(values: ArrayLike<number>, pick: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < pick.length; i++) sum += values[pick[i]!]!;
  return sum;
}
