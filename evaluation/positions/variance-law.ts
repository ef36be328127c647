/**
 * The variance law of causal attention without encodings: a mean over i tokens has variance 1 / i, so the size of what
 * attention gives tells a token its place. The slope of log variance against log (1 + place) is -1 for uniform causal
 * attention over independent tokens and 0 for attention that sees all of them. Where a mask hides a number of tokens that
 * is not the place's (the corner of a grid), the slope is against the log of how many are seen (ours).
 */
import type { States } from './places.ts';
import { isHidden } from './toeplitz.ts';

/** Variance over pictures and channels at each place. */
export function varianceByPlace({ data, pictures, tokens, width }: States): Float64Array {
  return Float64Array.from({ length: tokens }, (_, i) => {
    let [sum, squares] = [0, 0];
    for (let b = 0; b < pictures; b++)
      for (let c = 0; c < width; c++) {
        const value = data[(b * tokens + i) * width + c]!;
        sum += value;
        squares += value * value;
      }
    const n = pictures * width;
    return squares / n - (sum / n) ** 2;
  });
}

/** Least squares of the logarithms; `seen` are the tokens that each place attends to. Default: those up to it. */
export function varianceSlope(states: States, seen?: ArrayLike<number>): number {
  const variances = varianceByPlace(states);
  const xs = variances.map((_, i) => Math.log(seen?.[i] ?? i + 1));
  const ys = variances.map((v) => Math.log(v));
  const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const along = xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i]! - my), 0);
  return along / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
}

/** How many tokens each one attends to, where masks make that differ: logits [T, T]. */
export function seenTokens(logits: ArrayLike<number>, count: number): number[] | undefined {
  const seen = Array.from({ length: count }, (_, i) => {
    let own = 0;
    for (let j = 0; j < count; j++) if (!isHidden(logits[i * count + j]!)) own++;
    return own;
  });
  return seen.every((own) => own === seen[0]) ? undefined : seen;
}
