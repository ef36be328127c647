/**
 * Accepting drafts without changing the law (Leviathan, Kalman, Matias 2023, Algorithm 1; Chen et al.
 * 2023): a draft x drawn from q is kept with probability min(1, p(x) / q(x)), otherwise a token of the
 * residual max(p - q, 0) takes its place; the result has the law p. `q` must be the law that x was
 * really drawn from, after temperature and filters.
 */
import { drawAt, type Law, normalise } from './law.ts';

/** The probability of keeping draft `x`. */
export function acceptance(p: ArrayLike<number>, q: ArrayLike<number>, x: number): number {
  return q[x]! > 0 ? Math.min(1, p[x]! / q[x]!) : p[x]! > 0 ? 1 : 0;
}

/** max(p - q, 0) over its sum, a new law; p where nothing is left, which a rejection cannot meet but for rounding. */
export function residual(p: Law, q: Law): Law {
  const left = new Float64Array(p.length);
  for (let i = 0; i < p.length; i++) left[i] = Math.max(p[i]! - q[i]!, 0);
  return normalise(left) ? left : p.slice();
}

export type Verdict = { readonly token: number; readonly kept: boolean };

/**
 * The maximal coupling of q and p: draft `x` of q becomes a token of p, and stays with the largest
 * possible probability, 1 - TV(p, q). Two uniform numbers decide: whether it stays, what comes instead.
 */
export function couple(p: Law, q: Law, x: number, uniform: () => number): Verdict {
  if (uniform() < acceptance(p, q, x)) return { token: x, kept: true };
  return { token: drawAt(residual(p, q), uniform()), kept: false };
}

/** How a draft is judged: the probability of keeping it, and the law of what comes instead. */
export type Rule = {
  /** The decoders that use it are named so. */
  readonly name: string;
  readonly property: 'lossless' | 'approximate';
  acceptance(p: Law, q: Law, x: number): number;
  otherwise(p: Law, q: Law, x: number): Law;
};

/** Keeps the law. */
export const exact: Rule = { name: '', property: 'lossless', acceptance, otherwise: residual };
