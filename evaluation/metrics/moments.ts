/**
 * Mean and covariance of features in float64, of parts that arrive one after the other: scatter around
 * each part's own mean, joined by the pairwise rule of Chan, Golub and LeVeque (1979, eq. 2.1), which
 * does not lose digits as sums of squares do.
 */
import { checkWidths, type Rows, rowProducts, transposeRows } from '../../tensor/rows.ts';

export type Moments = {
  readonly count: number;
  readonly width: number;
  readonly mean: Float64Array;
  /** Sum over samples of (x - mean)(x - mean)^T, [width, width]. */
  readonly scatter: Float64Array;
};

export function momentsOf(rows: Rows): Moments {
  const { count, width } = rows;
  const turned = transposeRows(rows); // [width, count]
  const mean = new Float64Array(width);
  for (let c = 0; c < width; c++) {
    const values = turned.data.subarray(c * count, (c + 1) * count);
    mean[c] = values.reduce((sum, value) => sum + value, 0) / count;
    for (let i = 0; i < count; i++) values[i]! -= mean[c]!;
  }
  return { count, width, mean, scatter: rowProducts(turned, turned).data };
}

/** The moments of both sets of samples together. */
export function joinMoments(a: Moments, b: Moments): Moments {
  checkWidths('joinMoments', a, b);
  const count = a.count + b.count;
  const apart = a.mean.map((value, c) => b.mean[c]! - value);
  const mean = a.mean.map((value, c) => value + (apart[c]! * b.count) / count);
  const weight = (a.count * b.count) / count;
  const { width } = a;
  const scatter = new Float64Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++) {
      const at = i * width + j;
      scatter[at] = a.scatter[at]! + b.scatter[at]! + weight * apart[i]! * apart[j]!;
    }
  return { count, width, mean, scatter };
}

/** The moments of all parts; only one part is in memory at a time. */
export async function streamMoments(parts: AsyncIterable<Rows> | Iterable<Rows>): Promise<Moments> {
  let all: Moments | undefined;
  for await (const part of parts) {
    const moments = momentsOf(part);
    all = all ? joinMoments(all, moments) : moments;
  }
  if (!all) throw new RangeError('streamMoments: expected at least one part, got none');
  return all;
}

/** Unbiased (divided by n - 1), [width, width]. */
export function covarianceOf({ count, width, scatter }: Moments): Rows {
  if (count < 2) throw new RangeError(`covarianceOf: expected at least 2 samples, got ${count}`);
  return { data: scatter.map((sum) => sum / (count - 1)), count: width, width };
}
