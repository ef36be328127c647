/**
 * Improved precision and recall (Kynkaanniemi et al. 2019, eqs. 1 and 2): the share of generated samples
 * inside any ball of the reference, and of reference samples inside any ball of the generated.
 * Defaults are the paper's: k = 3, and a ball holds its surface. prdc's are k = 5 and open balls.
 */
import type { Rows } from '../../tensor/rows.ts';
import { eachDistances, isInside, type NeighbourOptions, radiiOf, shareOf } from './neighbours.ts';

export type PrecisionRecall = { readonly precision: number; readonly recall: number };

export function precisionRecall(
  generated: Rows,
  reference: Rows,
  { k = 3, boundary = 'closed' }: NeighbourOptions = {},
): PrecisionRecall {
  const around = { generated: radiiOf(generated, k), reference: radiiOf(reference, k) };
  const covered = {
    generated: new Uint8Array(generated.count),
    reference: new Uint8Array(reference.count),
  };
  eachDistances(reference, generated, (i, distances) => {
    for (let j = 0; j < distances.length; j++) {
      if (isInside(distances[j]!, around.reference[i]!, boundary)) covered.generated[j] = 1;
      if (isInside(distances[j]!, around.generated[j]!, boundary)) covered.reference[i] = 1;
    }
  });
  return { precision: shareOf(covered.generated), recall: shareOf(covered.reference) };
}
