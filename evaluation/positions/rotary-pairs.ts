/**
 * What the pairs of a rotation are used for. A head's logit is the sum of its pairs' q k; each pair's part
 * correlates with the distance between the tokens, or does not. Positional heads ("Positional heads": heads of which a
 * pair does so strongly) are ranked by the largest such correlation; frequency use (Barbero et al. 2024, "Round and round
 * we go", section 4) is the share of the mean |q| |k| that each pair has in its head.
 */
import { correlation, distanceBetween, type Places } from './places.ts';

export type Turned = {
  /** Queries and keys after the rotation, [B, T, h, d], pairs interleaved. */
  readonly q: ArrayLike<number>;
  readonly k: ArrayLike<number>;
  readonly heads: number;
  readonly headSize: number;
  readonly places: Places;
};

/** Minus the correlation of a pair's part of the logits with the distance: positive pairs look near. */
export function pairCorrelations(turned: Turned): number[][] {
  const { heads, headSize, places } = turned;
  const distances: number[] = [];
  for (let i = 0; i < places.count; i++)
    for (let j = 0; j < places.count; j++) distances.push(distanceBetween(places, i, j));
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: headSize / 2 }, (_, pair) => {
      return 0 - correlation(meanProducts(turned, head, pair), distances);
    }),
  );
}

/** Mean over pictures of a pair's part of the logits, [T T]. */
function meanProducts({ q, k, heads, headSize, places }: Turned, head: number, pair: number) {
  const T = places.count;
  const B = q.length / (T * heads * headSize);
  const products = new Float64Array(T * T);
  const at = (b: number, token: number) => ((b * T + token) * heads + head) * headSize + 2 * pair;
  for (let b = 0; b < B; b++)
    for (let i = 0; i < T; i++) {
      const a = at(b, i);
      for (let j = 0; j < T; j++) {
        const c = at(b, j);
        products[i * T + j]! += (q[a]! * k[c]! + q[a + 1]! * k[c + 1]!) / B;
      }
    }
  return products;
}

export type RankedHead = { readonly head: number; readonly pair: number; readonly score: number };

/** Heads by the largest size of a pair's correlation with distance, the most positional first. */
export function positionalHeads(turned: Turned): RankedHead[] {
  return pairCorrelations(turned)
    .map((pairs, head) => {
      const sizes = pairs.map(Math.abs);
      const pair = sizes.indexOf(Math.max(...sizes));
      return { head, pair, score: sizes[pair]! };
    })
    .sort((a, b) => b.score - a.score);
}

/** Share of each pair in the mean |q| |k| of all heads; the shares sum to 1. */
export function frequencyUse({ q, k, heads, headSize }: Turned): number[] {
  const norms = (x: ArrayLike<number>) => {
    const sums = new Float64Array((heads * headSize) / 2);
    for (let i = 0; i < x.length; i += 2)
      sums[(i / 2) % sums.length]! +=
        Math.hypot(x[i]!, x[i + 1]!) / (x.length / (heads * headSize));
    return sums;
  };
  const [ofQ, ofK] = [norms(q), norms(k)];
  const pairs = headSize / 2;
  const shares = Array.from({ length: pairs }, (_, pair) => {
    let sum = 0;
    for (let head = 0; head < heads; head++)
      sum += ofQ[head * pairs + pair]! * ofK[head * pairs + pair]!;
    return sum;
  });
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => (total > 0 ? share / total : 0));
}
