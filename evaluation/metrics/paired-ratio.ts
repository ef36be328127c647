/**
 * How many times better one arm is than another: the ratio of a metric of both, with a bootstrap
 * interval over seeds. Picture i of both arms was drawn from one seed and condition, so a resample takes
 * the same pictures from both, and what they share (an easy or a hard draw) leaves the ratio alone.
 */
import { checkWidths, pickRows, type Rows, rowProducts } from '../../tensor/rows.ts';
import { type BootstrapOptions, bootstrap, type Interval } from '../bootstrap.ts';
import { frechetDistance } from './frechet.ts';
import { type Moments, momentsOf } from './moments.ts';

/** A metric of the named pictures of one arm; a picture may be named more than once. */
export type Statistic = (pictures: Int32Array) => number;

export function pairedRatio(
  count: number,
  numerator: Statistic,
  denominator: Statistic,
  options: BootstrapOptions,
): Interval {
  return bootstrap(count, (pick) => numerator(pick) / denominator(pick), options);
}

/**
 * KID against a reference that stays as it is. Two copies of one picture are no pair of different
 * samples: a resample leaves such pairs out, or their kernel, the largest there is, would bias it.
 */
export function kidStatistic(generated: Rows, reference: Rows): Statistic {
  checkWidths('kidStatistic', generated, reference);
  const kernels = (a: Rows, b: Rows) => {
    const { data } = rowProducts(a, b);
    return data.map((product) => (product / a.width + 1) ** 3);
  };
  const n = generated.count;
  const own = kernels(generated, generated); // [n, n]
  const across = rowMeans(kernels(generated, reference), reference.count);
  const theirs = meanOfPairs(
    kernels(reference, reference),
    Float64Array.from({ length: reference.count }, () => 1),
  );
  return (pick) => {
    const times = new Float64Array(n);
    let between = 0;
    for (const picture of pick) {
      times[picture]! += 1;
      between += across[picture]! / pick.length;
    }
    return meanOfPairs(own, times) + theirs - 2 * between;
  };
}

function rowMeans(matrix: Float64Array, width: number): Float64Array {
  const means = new Float64Array(matrix.length / width);
  for (let i = 0; i < matrix.length; i++) means[Math.floor(i / width)]! += matrix[i]! / width;
  return means;
}

/** Mean over pairs of different rows, row i counted `times[i]` times. */
function meanOfPairs(matrix: Float64Array, times: Float64Array): number {
  const n = times.length;
  let [sum, pairs] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (times[i] === 0) continue;
    let row = 0;
    let others = 0;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      row += times[j]! * matrix[i * n + j]!;
      others += times[j]!;
    }
    sum += times[i]! * row;
    pairs += times[i]! * others;
  }
  return sum / pairs;
}

/** Frechet distance to a reference; every call finds eigenvalues anew, so give it few dimensions. */
export function frechetStatistic(generated: Rows, reference: Moments): Statistic {
  return (pick) => frechetDistance(momentsOf(pickRows(generated, pick)), reference);
}
