/**
 * Grouped speculative decoding (So et al. 2025, section 4): a draft is judged by the mass of a group of
 * tokens about as likely as it under the model, those next to it in order of probability. Approximate:
 * the draft itself is kept, not a draw of the group. A group of one is the exact rule.
 */
import type { Law } from './law.ts';
import { acceptance, type Rule, residual } from './verify.ts';

export type GSDOptions = {
  /** Tokens of a group at most, odd: as many less likely as more likely ones. */
  readonly group: number;
  /** Members are closer than this in probability. The authors': 0.15 */
  readonly spread?: number;
};

export function gsd({ group, spread = 0.15 }: GSDOptions): Rule {
  if (!(Number.isInteger(group) && group >= 1 && group % 2 === 1))
    throw new RangeError(`gsd: expected an odd group from 1, got ${group}`);
  const side = (group - 1) / 2;
  const members = (p: Law, x: number): number[] => {
    const order = Array.from(p.keys()).sort((a, b) => p[b]! - p[a]! || a - b);
    const at = order.indexOf(x);
    return order
      .slice(Math.max(0, at - side), at + side + 1)
      .filter((token) => token === x || Math.abs(p[token]! - p[x]!) < spread);
  };
  return {
    name: 'gsd',
    property: group === 1 ? 'lossless' : 'approximate',
    acceptance: (p, q, x) => {
      // A draft that the filters took out stays out, whatever mass is next to it.
      if (group === 1 || p[x] === 0) return acceptance(p, q, x);
      let [target, drafted] = [0, 0];
      for (const token of members(p, x)) {
        target += p[token]!;
        drafted += q[token]!;
      }
      return Math.min(1, target / drafted);
    },
    otherwise: residual,
  };
}
