/**
 * Frequencies of one axis for a side s times longer than trained. What extension methods share: each
 * of them is a choice among these (formulas as in YaRN: Peng et al. 2024, sections 3.1 and 3.2, an
 * axis at a time as in FiT: Lu et al. 2024). With s = 1 all of them give back what they were given.
 */
import type { Spans } from '../grid.ts';

/** How many times longer a side is than trained; by default a shorter one, below 1, needs no extension. */
export const ratiosOf = ({ trained, now }: Spans, least = 1) => ({
  y: ratioOf(now.height / trained.height, least),
  x: ratioOf(now.width / trained.width, least),
});

/** Coordinates that are made to fit miss the trained side by roundings. */
const ratioOf = (ratio: number, least: number): number =>
  Math.abs(ratio - 1) < 1e-9 ? 1 : Math.max(ratio, least);

/** Position interpolation: all frequencies are divided by s. */
export const interpolated = (frequencies: readonly number[], s: number): number[] =>
  frequencies.map((f) => f / s);

/** NTK-aware: the base grows by s^(D / (D - 2)), so the first frequency is kept and the last divided by s. */
export function ntkAware(frequencies: readonly number[], s: number): number[] {
  const last = frequencies.length - 1;
  return frequencies.map((f, i) => (last === 0 ? f : f / s ** (i / last)));
}

export type Band = {
  /** Turns over the trained side from which on, and up to which, a frequency is mixed. */
  readonly fast: number;
  readonly slow: number;
};

/**
 * How much of each frequency is replaced: 0 for those that turn more than `fast` times over the
 * trained side, 1 for those below `slow`, a ramp of whole indices between.
 */
export function replacedShare(
  count: number,
  { fast, slow }: Band,
  { base, side }: { readonly base: number; readonly side: number },
): number[] {
  const width = 2 * count;
  const last = width - 1;
  // The index whose frequency turns this many times over the trained side.
  const indexOf = (turns: number) =>
    (width * Math.log(side / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const low = Math.max(Math.floor(indexOf(fast)), 0);
  const high = Math.max(Math.min(Math.ceil(indexOf(slow)), last), low);
  // The published ramps widen an empty band by this, so that its first index is still kept.
  const span = high === low ? 0.001 : high - low;
  return Array.from({ length: count }, (_, i) => Math.min(Math.max((i - low) / span, 0), 1));
}

/** (1 - share) a + share b, frequency by frequency. */
export const mixed = (
  a: readonly number[],
  b: readonly number[],
  share: readonly number[],
): number[] => a.map((f, i) => f * (1 - share[i]!) + b[i]! * share[i]!);
