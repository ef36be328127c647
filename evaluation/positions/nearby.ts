/**
 * Do tokens that are near each other have similar hidden states? The mean cosine of two tokens' states by their
 * distance, in whole cells ("nearby similarity"). A causal network does so without any encoding, because means
 * over the pasts of neighbours share most of their terms (uniform attention over independent tokens: sqrt(i / j)); a
 * bidirectional one without encoding cannot.
 */
import { distanceBetween, type Places, type States } from './places.ts';

/** Mean cosine at distance 1, 2, ...; NaN where no two tokens are so far apart. */
export function similarityByDistance(states: States, places: Places): number[] {
  const { pictures, tokens, width } = states;
  const farthest = Math.round(Math.hypot(places.height - 1, places.width - 1));
  const sums = new Float64Array(farthest + 1);
  const times = new Float64Array(farthest + 1);
  for (let b = 0; b < pictures; b++)
    for (let i = 0; i < tokens; i++)
      for (let j = 0; j < i; j++) {
        const distance = Math.round(distanceBetween(places, i, j));
        sums[distance]! += cosine(
          states.data,
          (b * tokens + i) * width,
          (b * tokens + j) * width,
          width,
        );
        times[distance]!++;
      }
  return Array.from({ length: farthest }, (_, d) => sums[d + 1]! / times[d + 1]!);
}

function cosine(x: ArrayLike<number>, a: number, b: number, width: number): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let c = 0; c < width; c++) {
    const [u, v] = [x[a + c]!, x[b + c]!];
    ab += u * v;
    aa += u * u;
    bb += v * v;
  }
  return aa * bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
