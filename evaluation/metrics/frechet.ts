/**
 * Frechet distance of two sets of features, taken as Gaussians (Dowson and Landau 1982, eq. 4; Heusel
 * et al. 2017, eq. 6): |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)).
 * The trace of the root is the sum of the roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), which is
 * symmetric and has no negative ones, so no complex root is ever taken, and covariances of less than
 * full rank need no added diagonal. The bounds on the number of samples and the warning are ours.
 */
import { checkWidths, type Rows, rowProducts } from '../../tensor/rows.ts';
import { symmetricEigen, symmetricEigenvalues } from '../../tensor/symmetric-eigen.ts';
import { covarianceOf, type Moments } from './moments.ts';
import { type Components, projectMoments } from './principal-components.ts';

/** Samples a side from which a distance in the whole space is given without a warning. */
export const ENOUGH_SAMPLES = 2048;

export type FrechetResult = {
  readonly value: number;
  readonly generated: number;
  readonly reference: number;
  /** Dimensions in which it was measured. */
  readonly dimensions: number;
  /** Why the value should not be compared with others. */
  readonly warning?: string;
};

export function frechetDistance(a: Moments, b: Moments): number {
  checkWidths('frechetDistance', a, b);
  const [first, second] = [covarianceOf(a), covarianceOf(b)];
  const apart = a.mean.reduce((sum, value, i) => sum + (value - b.mean[i]!) ** 2, 0);
  return apart + trace(first) + trace(second) - 2 * traceOfRoot(first, second);
}

/** Of generated against reference features, in the space of `components` where given. */
export function frechet(
  generated: Moments,
  reference: Moments,
  { components }: { components?: Components } = {},
): FrechetResult {
  return components
    ? frechetInside(projectMoments(generated, components), projectMoments(reference, components))
    : withWarning(generated, reference, ENOUGH_SAMPLES);
}

/** Of moments in a space of few dimensions, such as those of samples that were projected. */
export const frechetInside = (generated: Moments, reference: Moments): FrechetResult =>
  withWarning(generated, reference, 0);

function withWarning(a: Moments, b: Moments, enough: number): FrechetResult {
  const warning = rankWarning(Math.min(a.count, b.count), a.width, enough);
  return {
    value: frechetDistance(a, b),
    generated: a.count,
    reference: b.count,
    dimensions: a.width,
    ...(warning !== undefined && { warning }),
  };
}

function rankWarning(samples: number, width: number, enough: number): string | undefined {
  const needed = Math.max(width + 1, enough);
  if (samples >= needed) return undefined;
  const state =
    samples <= width ? 'the covariance is rank-deficient' : 'the covariance is poorly known';
  return `Frechet distance of ${samples} samples in ${width} dimensions: ${state} and the value too large; take at least ${needed} samples or fewer principal components`;
}

function trace({ data, width }: Rows): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += data[i * width + i]!;
  return sum;
}

/** tr (S1 S2)^(1/2). With S1 = V^T L V, the matrix L^(1/2) V S2 V^T L^(1/2) has the same eigenvalues. */
function traceOfRoot(first: Rows, second: Rows): number {
  const { values, vectors } = symmetricEigen(first);
  const n = first.width;
  const scaled = vectors.data.slice();
  for (let i = 0; i < n; i++) {
    const root = Math.sqrt(Math.max(values[i]!, 0)); // rounding may leave a zero just below it
    for (let c = 0; c < n; c++) scaled[i * n + c]! *= root;
  }
  const half = { data: scaled, count: n, width: n };
  const product = rowProducts(rowProducts(half, second), half); // S2 is its own transpose
  return symmetricEigenvalues(product).reduce((sum, v) => sum + Math.sqrt(Math.max(v, 0)), 0);
}
