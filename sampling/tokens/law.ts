/**
 * Laws of one token, and drawing from them. A law is V probabilities that sum to 1, in float64.
 * Gumbel noise turns drawing into an arg-max (Maddison, Tarlow, Minka 2014), so a draw is a function of
 * its noise: the same noise on a slightly different law mostly gives the same token.
 */
import type { Rng } from '../../tensor/rng.ts';

export type Law = Float64Array;

/** The law that is sure of `token`. */
export function pointMass(vocabulary: number, token: number): Law {
  const law = new Float64Array(vocabulary);
  law[token] = 1;
  return law;
}

export const uniformLaw = (vocabulary: number): Law =>
  new Float64Array(vocabulary).fill(1 / vocabulary);

/** Divides by the sum, in place; false where the sum is 0 and nothing could be done. */
export function normalise(law: Law): boolean {
  let sum = 0;
  for (let i = 0; i < law.length; i++) sum += law[i]!;
  if (!(sum > 0)) return false;
  for (let i = 0; i < law.length; i++) law[i]! /= sum;
  return true;
}

/** Inverse distribution function: the first token whose cumulative weight exceeds `u` of the total. */
export function drawAt(weights: ArrayLike<number>, u: number): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  let [sum, last] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (weight <= 0) continue;
    sum += weight;
    last = i;
    if (sum > u * total) return i;
  }
  return last; // u within rounding of 1
}

/** `vocabulary` standard Gumbel values. */
export function gumbels(rng: Rng, vocabulary: number): Float64Array {
  const out = new Float64Array(vocabulary);
  for (let i = 0; i < vocabulary; i++)
    out[i] = -Math.log(-Math.log((rng.uint32() + 0.5) * 2 ** -32));
  return out;
}

/** arg-max of log p + noise, the first of equals: a draw from `law`. */
export function drawWith(law: ArrayLike<number>, noise: ArrayLike<number>): number {
  let [best, most] = [0, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < law.length; i++) {
    const p = law[i]!;
    if (p <= 0) continue;
    const score = Math.log(p) + noise[i]!;
    if (score > most) [best, most] = [i, score];
  }
  return best;
}

/** Half the sum of absolute differences. */
export function totalVariation(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += Math.abs(p[i]! - q[i]!);
  return sum / 2;
}
