/**
 * A fixed low-dimensional space for distances of few samples: the leading eigenvectors of the
 * reference's covariance. They are found once and then hold for every set compared with it.
 */
import { checkWidths, type Rows, rowProducts, transposeRows } from '../../tensor/rows.ts';
import { symmetricEigen } from '../../tensor/symmetric-eigen.ts';
import { covarianceOf, type Moments, momentsOf } from './moments.ts';

export type Components = {
  /** One unit vector a row, the direction of the largest variance first: [count, width]. */
  readonly vectors: Rows;
  /** Share of the reference's variance inside the space. */
  readonly share: number;
};

export function principalComponents(reference: Moments, count = 128): Components {
  const { width } = reference;
  checkCount(count, reference.count, width);
  const { values, vectors } = symmetricEigen(covarianceOf(reference));
  const data = new Float64Array(count * width);
  let inside = 0;
  for (let i = 0; i < count; i++) {
    const from = width - 1 - i; // values ascend
    data.set(vectors.data.subarray(from * width, (from + 1) * width), i * width);
    inside += values[from]!;
  }
  const total = values.reduce((sum, value) => sum + value, 0);
  return { vectors: { data, count, width }, share: total > 0 ? inside / total : 1 };
}

/**
 * The same from the samples themselves. Of fewer samples than dimensions the products between samples give
 * the same components (u with X X^T u = l u stands for the direction X^T u / sqrt(l)) from a smaller matrix.
 * Directions in which these samples do not differ are left out.
 */
export function componentsOfRows(reference: Rows, count = 128): Components {
  const { count: n, width } = reference;
  if (n > width) return principalComponents(momentsOf(reference), count);
  checkCount(count, n, width);
  const mean = new Float64Array(width);
  for (const [i, value] of reference.data.entries()) mean[i % width]! += value / n;
  const centred = reference.data.map((value, i) => value - mean[i % width]!);
  const rows = { data: centred, count: n, width };
  const { values, vectors } = symmetricEigen(rowProducts(rows, rows));
  const across = transposeRows(rows); // [width, n]
  const least = values[n - 1]! * n * Number.EPSILON; // what is below is a rounded zero
  const kept = Math.min(count, values.filter((value) => value > least).length);
  const leading = { data: new Float64Array(kept * n), count: kept, width: n };
  let inside = 0;
  for (let i = 0; i < kept; i++) {
    const from = n - 1 - i; // values ascend
    const length = Math.sqrt(values[from]!);
    for (let k = 0; k < n; k++) leading.data[i * n + k] = vectors.data[from * n + k]! / length;
    inside += values[from]!;
  }
  const total = values.reduce((sum, value) => sum + value, 0);
  return { vectors: rowProducts(leading, across), share: total > 0 ? inside / total : 1 };
}

/** Samples in the space of the components, [n, components]. */
export function projectRows(rows: Rows, { vectors }: Components): Rows {
  return rowProducts(rows, vectors);
}

/** The moments that samples have in the space of the components. */
export function projectMoments(moments: Moments, { vectors }: Components): Moments {
  checkWidths('projectMoments', moments, vectors);
  const { width, count } = moments;
  const mean = rowProducts(vectors, { data: moments.mean, count: 1, width }).data;
  const halfway = rowProducts(vectors, { data: moments.scatter, count: width, width });
  const scatter = rowProducts(halfway, vectors).data; // scatter is its own transpose
  return { count, width: vectors.count, mean, scatter };
}

function checkCount(count: number, samples: number, width: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= width && count < samples) return;
  throw new RangeError(
    `principalComponents: expected from 1 to ${Math.min(width, samples - 1)} components for ${samples} samples of width ${width}, got ${count}`,
  );
}
