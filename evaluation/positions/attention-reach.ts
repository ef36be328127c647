/**
 * How far attention looks, in cells, and how spread out it is: the mean distance to what is attended (Dosovitskiy et al.
 * 2021, section 4.5: attention distance) and the entropy of the weights over that of uniform ones, by head. Against
 * the grid they show what a larger picture does to attention: entropy that rises is attention that dilutes.
 */
import { distanceBetween, type Places } from './places.ts';

export type Reach = {
  /** Mean over queries, by head. */
  readonly distance: readonly number[];
  /** From 0, one token, to 1, uniform. */
  readonly entropy: readonly number[];
};

/** `probabilities` [B, h, T, T], rows that sum to 1. */
export function attentionReach(
  probabilities: ArrayLike<number>,
  heads: number,
  places: Places,
): Reach {
  const { count: T } = places;
  const B = probabilities.length / (heads * T * T);
  const [distance, entropy] = [new Float64Array(heads), new Float64Array(heads)];
  for (let row = 0; row < B * heads * T; row++) {
    const [head, query] = [Math.floor(row / T) % heads, row % T];
    for (let key = 0; key < T; key++) {
      const p = probabilities[row * T + key]!;
      distance[head]! += (p * distanceBetween(places, query, key)) / (B * T);
      if (p > 0) entropy[head]! -= (p * Math.log(p)) / (B * T * Math.log(T));
    }
  }
  return { distance: [...distance], entropy: [...entropy] };
}

/** The mean distance that uniform attention has on this grid. */
export function uniformDistance(places: Places): number {
  const { count } = places;
  let sum = 0;
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) sum += distanceBetween(places, i, j);
  return sum / count ** 2;
}
