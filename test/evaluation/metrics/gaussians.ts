/** Features of known laws. */
import { createRng } from '../../../tensor/rng.ts';
import { type Rows, rowsOf } from '../../../tensor/rows.ts';

/** [count, means.length], independent normals; the default deviation is 1. */
export function gaussians(
  seed: number,
  count: number,
  means: readonly number[],
  deviations: readonly number[] = means.map(() => 1),
): Rows {
  const width = means.length;
  const normals = createRng(seed).normals(count * width);
  const values = Float64Array.from(
    normals,
    (z, i) => means[i % width]! + deviations[i % width]! * z,
  );
  return rowsOf(values, width);
}

export const zeros = (width: number): number[] => Array.from({ length: width }, () => 0);
