/**
 * One token from logits: temperature, then top-k, top-p (Holtzman et al. 2020) and min-p (Nguyen et al.
 * 2024), drawn as the arg-max of log p plus Gumbel noise (Gumbel 1954), so that a token depends on its
 * logits and on the noise of its own place alone.
 */
import type { Rng } from '../../tensor/rng.ts';

export type Filters = {
  /** 0 takes the likeliest. */
  readonly temperature: number;
  /** Only this many of the likeliest. */
  readonly topK?: number;
  /** Only the likeliest that together have this share. */
  readonly topP?: number;
  /** Only those at least this share as likely as the likeliest. */
  readonly minP?: number;
};

/** Probabilities [V] of logits [V], in float64. Those that are filtered out are 0. */
export function filteredProbabilities(logits: Float32Array, filters: Filters): Float64Array {
  const { temperature, topK = logits.length, topP = 1, minP = 0 } = filters;
  const scaled = Float64Array.from(logits, (logit) => logit / temperature);
  const order = Int32Array.from(scaled.keys()).sort((a, b) => scaled[b]! - scaled[a]! || a - b);
  const largest = scaled[order[0]!]!;
  const lowest = scaled[order[Math.min(topK, order.length) - 1]!]!; // ties with the k-th stay
  const weights = scaled.map((value) => (value >= lowest ? Math.exp(value - largest) : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  let kept = 0;
  for (const id of order) {
    const isLikely = weights[id]! >= minP && (before < topP || id === order[0]);
    before += weights[id]! / total;
    if (!isLikely) weights[id] = 0;
    kept += weights[id]!;
  }
  return weights.map((weight) => weight / kept);
}

/** `noise` is the stream of this picture's place. */
export function drawToken(logits: Float32Array, filters: Filters, noise: Rng): number {
  if (filters.temperature === 0) return logits.indexOf(Math.max(...logits));
  const probabilities = filteredProbabilities(logits, filters);
  let [best, token] = [Number.NEGATIVE_INFINITY, -1];
  for (const [id, probability] of probabilities.entries()) {
    const score = Math.log(probability) - Math.log(-Math.log(noise.uniform() || Number.MIN_VALUE));
    if (score > best) [best, token] = [score, id];
  }
  if (token >= 0) return token;
  throw new RangeError(
    `sampling: expected finite logits, got ${logits.find((v) => !Number.isFinite(v))}`,
  );
}
