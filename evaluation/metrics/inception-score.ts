/**
 * Inception score (Salimans et al. 2016, section 4): exp of the mean KL divergence of p(y | x) from the
 * mean p(y), over splits of the samples in stored order. Only of use with a classifier of the pictures'
 * own kind of labels; kept so that published numbers can be checked.
 */
import type { Rows } from '../../tensor/rows.ts';
import { meanAndDeviation, type Spread } from './spread.ts';

export function inceptionScore(logits: Rows, { splits = 10 } = {}): Spread {
  const { count, width } = logits;
  if (!Number.isInteger(splits) || splits < 1 || splits > count)
    throw new RangeError(`inceptionScore: expected from 1 to ${count} splits, got ${splits}`);
  const logs = logSoftmax(logits);
  const scores = Array.from({ length: splits }, (_, s) => {
    const start = Math.floor((s * count) / splits) * width;
    const end = Math.floor(((s + 1) * count) / splits) * width;
    return Math.exp(meanDivergence(logs.subarray(start, end), width));
  });
  return meanAndDeviation(scores);
}

function logSoftmax({ data, count, width }: Rows): Float64Array {
  const logs = data.slice();
  for (let i = 0; i < count; i++) {
    const row = logs.subarray(i * width, (i + 1) * width);
    const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    for (let c = 0; c < width; c++) row[c]! -= largest + Math.log(sum);
  }
  return logs;
}

/** Mean over rows of sum_y p (log p - log mean p). */
function meanDivergence(logs: Float64Array, width: number): number {
  const count = logs.length / width;
  const marginal = new Float64Array(width);
  for (let i = 0; i < logs.length; i++) marginal[i % width]! += Math.exp(logs[i]!) / count;
  let sum = 0;
  for (let i = 0; i < logs.length; i++)
    sum += Math.exp(logs[i]!) * (logs[i]! - Math.log(marginal[i % width]!));
  return sum / count;
}
