/**
 * Adaptive acceptance (AASD, Zhang et al. 2025): drafts come from what followed the same context before,
 * and from the laws of earlier passes; a draft that the model itself finds likely enough is kept without
 * a draw. The threshold is a part of the likeliest token's probability (Ours). Approximate; a threshold
 * above 1 is the exact rule.
 */
import { acceptance, type Rule, residual } from './verify.ts';

export function aasd({ threshold }: { readonly threshold: number }): Rule {
  if (!(threshold > 0))
    throw new RangeError(`aasd: expected a threshold above 0, got ${threshold}`);
  return {
    name: 'aasd',
    property: threshold > 1 ? 'lossless' : 'approximate',
    acceptance: (p, q, x) => {
      const likeliest = p.reduce((a, b) => Math.max(a, b));
      return p[x]! >= threshold * likeliest ? 1 : acceptance(p, q, x);
    },
    otherwise: residual,
  };
}
