/**
 * Is the difference of two arms more than the seeds' spread? Set k of both was drawn with the same seeds and words, and,
 * where a model was trained several times, by training k of each. So the differences of the sets are paired, and
 * Student's t says how far their mean may be off (95 %, two sides).
 */
import type { Interval } from '../bootstrap.ts';
import { meanAndDeviation } from '../metrics/spread.ts';

export type SeedComparison = {
  /** Mean over sets of the first less the second, in the unit of the values. */
  readonly difference: Interval;
  /** Deviation from set to set within an arm, over both arms. */
  readonly spread: number;
  readonly sets: number;
  /** Sets in which the first is the smaller one. */
  readonly smaller: number;
  /** The interval leaves 0 out. */
  readonly told: boolean;
};

/** Of the first sets of both, as many as both have; nothing below two. */
export function compareSeeds(
  first: readonly number[],
  second: readonly number[],
): SeedComparison | undefined {
  const sets = Math.min(first.length, second.length);
  if (sets < 2) return undefined;
  const pairs = Array.from({ length: sets }, (_, k) => [first[k]!, second[k]!] as const);
  const differences = pairs.map(([a, b]) => a - b);
  const { mean, deviation } = meanAndDeviation(differences);
  const error = (STUDENT[sets - 1] ?? STUDENT.at(-1)!) * (deviation / Math.sqrt(sets - 1));
  const variances = [0, 1].map((side) => {
    const spread = meanAndDeviation(pairs.map((pair) => pair[side]!));
    return (spread.deviation ** 2 * sets) / (sets - 1);
  });
  const difference = { value: mean, low: mean - error, high: mean + error };
  return {
    ...{ difference, sets, smaller: differences.filter((d) => d < 0).length },
    spread: Math.sqrt((variances[0]! + variances[1]!) / 2),
    told: difference.low > 0 || difference.high < 0,
  };
}

/** 97.5 % quantiles of Student's t (1908) by degrees of freedom; the last, of 20, is a little too wide for more. */
const STUDENT = [
  Number.NaN,
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
];
