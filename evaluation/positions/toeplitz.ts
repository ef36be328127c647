/**
 * Do logits depend on offsets alone? A rotation makes them do so for given queries and keys, but masks, and tokens that
 * differ, let absolute places in ("Behind RoPE"). The residual is |S - Toeplitz(S)| / |S|, where Toeplitz(S) holds
 * the mean of all pairs of tokens with the same offset (dy, dx); of the mean logits over pictures, so that what is
 * in one of them does not count.
 */
import type { Places } from './places.ts';

/** Masks hide by -1e9, to which a logit is added. */
export const isHidden = (logit: number): boolean => logit <= -1e8;

/** `logits` [T, T]; entries that are hidden have no part. */
export function nonToeplitzResidual(logits: ArrayLike<number>, places: Places): number {
  const { count: T, y, x } = places;
  const groups = new Map<string, { sum: number; times: number }>();
  const groupOf = (i: number, j: number) => `${y[i]! - y[j]!},${x[i]! - x[j]!}`;
  const each = (see: (value: number, group: string) => void) => {
    for (let i = 0; i < T; i++)
      for (let j = 0; j < T; j++) {
        const value = logits[i * T + j]!;
        if (!isHidden(value)) see(value, groupOf(i, j));
      }
  };
  each((value, name) => {
    const group = groups.get(name) ?? { sum: 0, times: 0 };
    groups.set(name, { sum: group.sum + value, times: group.times + 1 });
  });
  let [residual, whole] = [0, 0];
  each((value, name) => {
    const { sum, times } = groups.get(name)!;
    residual += (value - sum / times) ** 2;
    whole += value ** 2;
  });
  return whole === 0 ? 0 : Math.sqrt(residual / whole);
}

/** Mean over pictures and heads: [B, h, T, T] -> [T, T]. */
export function meanLogits(logits: ArrayLike<number>, count: number): Float64Array {
  const mean = new Float64Array(count * count);
  const times = logits.length / mean.length;
  for (let i = 0; i < logits.length; i++) mean[i % mean.length]! += logits[i]! / times;
  return mean;
}
