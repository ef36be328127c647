/**
 * Kernel inception distance (Binkowski et al. 2018, section 4): the squared maximum mean discrepancy of
 * two sets of features under the kernel (x.y / d + 1)^3, by the unbiased estimate (Gretton et al. 2012,
 * eq. 3), which is zero on average for equal laws, at any number of samples, and may be negative.
 * Subsets of 1000 drawn 100 times are the published way to a spread; disjoint blocks, whose estimates
 * are independent, give an error of the mean and are ours.
 */
import type { Rng } from '../../tensor/rng.ts';
import { checkWidths, pickRows, productsOfRow, type Rows } from '../../tensor/rows.ts';
import { meanAndDeviation, type Spread } from './spread.ts';

export type Kid = {
  readonly value: number;
  /** Standard error of the mean over disjoint blocks. */
  readonly error: number;
};

const kernel = (product: number, width: number): number => (product / width + 1) ** 3;

/** Of all samples; the two sides may differ in number. */
export function unbiasedMmd2(x: Rows, y: Rows): number {
  checkWidths('unbiasedMmd2', x, y);
  return meanInside(x) + meanInside(y) - 2 * meanBetween(x, y);
}

/** Mean of the kernel over pairs of different samples. */
function meanInside(x: Rows): number {
  if (x.count < 2) throw new RangeError(`KID: expected at least 2 samples a side, got ${x.count}`);
  const row = new Float64Array(x.count);
  let sum = 0;
  for (let i = 0; i < x.count; i++) {
    productsOfRow(x, i, x, row);
    for (let j = 0; j < x.count; j++) if (j !== i) sum += kernel(row[j]!, x.width);
  }
  return sum / (x.count * (x.count - 1));
}

function meanBetween(x: Rows, y: Rows): number {
  const row = new Float64Array(y.count);
  let sum = 0;
  for (let i = 0; i < x.count; i++) {
    productsOfRow(x, i, y, row);
    for (let j = 0; j < y.count; j++) sum += kernel(row[j]!, x.width);
  }
  return sum / (x.count * y.count);
}

/** Of all samples, with the error that `blocks` disjoint parts in stored order give. */
export function kid(generated: Rows, reference: Rows, { blocks = 10 } = {}): Kid {
  const smaller = Math.min(generated.count, reference.count);
  if (!Number.isInteger(blocks) || blocks < 2 || smaller < 2 * blocks)
    throw new RangeError(
      `KID: expected at least 2 blocks of at least 2 samples, got ${blocks} blocks of ${smaller} samples; take more samples or fewer blocks`,
    );
  const parts = Array.from({ length: blocks }, (_, b) =>
    unbiasedMmd2(blockOf(generated, b, blocks), blockOf(reference, b, blocks)),
  );
  const { deviation } = meanAndDeviation(parts);
  return {
    value: unbiasedMmd2(generated, reference),
    error: deviation / Math.sqrt(blocks - 1), // the population's deviation over sqrt(B - 1)
  };
}

function blockOf({ data, count, width }: Rows, block: number, blocks: number): Rows {
  const start = Math.floor((block * count) / blocks);
  const end = Math.floor(((block + 1) * count) / blocks);
  return { data: data.subarray(start * width, end * width), count: end - start, width };
}

/** Each pair of subsets by the numbers of its rows; with their mean and population deviation. */
export function kidOfSubsets(
  generated: Rows,
  reference: Rows,
  subsets: readonly { generated: ArrayLike<number>; reference: ArrayLike<number> }[],
): Spread & { readonly values: number[] } {
  const values = subsets.map((rows) =>
    unbiasedMmd2(pickRows(generated, rows.generated), pickRows(reference, rows.reference)),
  );
  return { values, ...meanAndDeviation(values) };
}

/**
 * The published protocol: mean and deviation over random subsets without replacement. Subsets share
 * samples, so the deviation is that of one subset and says nothing certain about the mean's error.
 */
export function kidOverSubsets(
  generated: Rows,
  reference: Rows,
  { rng, subsets = 100, size = 1000 }: { rng: Rng; subsets?: number; size?: number },
): Spread {
  const smaller = Math.min(generated.count, reference.count);
  if (size > smaller)
    throw new RangeError(
      `KID: expected subsets of at most ${smaller} samples, got ${size}; take more samples or smaller subsets`,
    );
  const drawn = Array.from({ length: subsets }, (_, s) => ({
    generated: withoutReplacement(generated.count, size, rng.stream(`generated/${s}`)),
    reference: withoutReplacement(reference.count, size, rng.stream(`reference/${s}`)),
  }));
  const { mean, deviation } = kidOfSubsets(generated, reference, drawn);
  return { mean, deviation };
}

/** The first `size` places of a Fisher-Yates shuffle. */
function withoutReplacement(count: number, size: number, rng: Rng): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < size; i++) {
    const j = i + rng.integer(count - i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.subarray(0, size);
}
