/**
 * LANTERN (Jang et al. 2025, section 4; LANTERN++, Park et al. 2025): codes that look alike may stand in
 * for each other. A draft is judged by its own probability and that of its nearest codes together, as
 * many of them as keep the borrowed mass within `delta`, or within a multiple of the draft's own.
 * Approximate: the bound is on each judgement, not on the law of the picture. With delta = 0, or no nearest
 * codes, nothing is borrowed and the rule is exact.
 *
 * On a rejection the residual is taken of q without the lenders, as in the authors' chains of drafts. Ours: what
 * top-k, top-p or min-p took out is never kept (the authors' code keeps it on its neighbours' mass).
 */
import type { Law } from './law.ts';
import { exact, type Rule, residual } from './verify.ts';

export type LanternOptions = (
  | {
      /** Probability that a draft may borrow, from 0 to 1. */
      readonly delta: number;
    }
  | {
      /** LANTERN++: a draft may borrow lambda - 1 times its own probability; 1 is exact. */
      readonly lambda: number;
    }
) & {
  /** For each code its nearest codes, nearest first, without itself: [V][k]. */
  readonly nearest: readonly ArrayLike<number>[];
};

export function lantern({ nearest, ...bound }: LanternOptions): Rule {
  const limitOf = limit(bound);
  /** Nearest codes of x that lend their mass, and the mass; a draft that the filters took out borrows none. */
  const lenders = (p: Law, x: number): { count: number; mass: number } => {
    if (p[x] === 0) return { count: 0, mass: 0 };
    const near = nearest[x]!;
    const most = limitOf(p[x]!);
    let [count, mass] = [0, 0];
    while (count < near.length && mass + p[near[count]!]! <= most) mass += p[near[count++]!]!;
    return mass > 0 ? { count, mass } : { count: 0, mass: 0 };
  };
  return {
    name: 'lantern',
    property: limitOf(1) === 0 || nearest.every(isEmpty) ? 'lossless' : 'approximate',
    acceptance: (p, q, x) => {
      const { mass } = lenders(p, x);
      return mass > 0 ? Math.min(1, (p[x]! + mass) / q[x]!) : exact.acceptance(p, q, x);
    },
    otherwise: (p, q, x) => {
      const { count } = lenders(p, x);
      if (count === 0) return residual(p, q);
      const others = q.slice();
      for (let i = 0; i < count; i++) others[nearest[x]![i]!] = 0;
      return residual(p, others);
    },
  };
}

const isEmpty = ({ length }: ArrayLike<number>): boolean => length === 0;

/** What a draft of probability p may borrow. */
function limit(bound: { delta: number } | { lambda: number }): (p: number) => number {
  if ('delta' in bound) {
    const { delta } = bound;
    if (delta >= 0 && delta <= 1) return () => delta;
    throw new RangeError(`lantern: expected a delta from 0 to 1, got ${delta}`);
  }
  const { lambda } = bound;
  if (lambda >= 1 && Number.isFinite(lambda)) return (p) => (lambda - 1) * p;
  throw new RangeError(`lantern: expected a lambda from 1, got ${lambda}`);
}

/** The k nearest codes of each of `codebook` [V, width] by Euclidean distance, nearest first. */
export function nearestCodes(codebook: ArrayLike<number>, width: number, k: number): Int32Array[] {
  const V = codebook.length / width;
  if (!(Number.isInteger(k) && k >= 0 && k < V))
    throw new RangeError(`nearest codes: expected k from 0 to ${V - 1}, got ${k}`);
  const distance = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < width; i++)
      sum += (codebook[a * width + i]! - codebook[b * width + i]!) ** 2;
    return sum;
  };
  return Array.from({ length: V }, (_, code) => {
    const to = Float64Array.from({ length: V }, (_, other) => distance(code, other));
    to[code] = Number.POSITIVE_INFINITY;
    const order = Array.from(to.keys()).sort((a, b) => to[a]! - to[b]! || a - b);
    return Int32Array.from(order.slice(0, k));
  });
}
