/**
 * A fixed low-dimensional space for distances of few samples: the leading eigenvectors of the
 * reference's covariance. They are found once and then hold for every set compared with it.
 */
import { checkWidths, type Rows, rowProducts } from '../../tensor/rows.ts';
import { symmetricEigen } from '../../tensor/symmetric-eigen.ts';
import { covarianceOf, type Moments } from './moments.ts';

export type Components = {
  /** One unit vector a row, the direction of the largest variance first: [count, width]. */
  readonly vectors: Rows;
  /** Share of the reference's variance inside the space. */
  readonly share: number;
};

export function principalComponents(reference: Moments, count = 128): Components {
  const { width } = reference;
  if (!Number.isInteger(count) || count < 1 || count > width || count >= reference.count)
    throw new RangeError(
      `principalComponents: expected from 1 to ${Math.min(width, reference.count - 1)} components for ${reference.count} samples of width ${width}, got ${count}`,
    );
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

/** The moments that samples have in the space of the components. */
export function projectMoments(moments: Moments, { vectors }: Components): Moments {
  checkWidths('projectMoments', moments, vectors);
  const { width, count } = moments;
  const mean = rowProducts(vectors, { data: moments.mean, count: 1, width }).data;
  const halfway = rowProducts(vectors, { data: moments.scatter, count: width, width });
  const scatter = rowProducts(halfway, vectors).data; // scatter is its own transpose
  return { count, width: vectors.count, mean, scatter };
}
