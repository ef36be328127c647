/**
 * Density and coverage (Naeem et al. 2020, eqs. 3 and 4): how many balls of the reference hold a
 * generated sample, as a share of k (above 1 where samples crowd), and the share of the reference's
 * balls that hold any. Both build balls around the reference only, so outliers among the generated do
 * no harm. Defaults are prdc's: k = 5, open balls.
 */
import type { Rows } from '../../tensor/rows.ts';
import { eachDistances, isInside, type NeighbourOptions, radiiOf, shareOf } from './neighbours.ts';

export type DensityCoverage = { readonly density: number; readonly coverage: number };

export function densityCoverage(
  generated: Rows,
  reference: Rows,
  { k = 5, boundary = 'open' }: NeighbourOptions = {},
): DensityCoverage {
  const radii = radiiOf(reference, k);
  const holding = new Uint8Array(reference.count);
  let held = 0;
  eachDistances(reference, generated, (i, distances) => {
    let inside = 0;
    for (let j = 0; j < distances.length; j++)
      if (isInside(distances[j]!, radii[i]!, boundary)) inside += 1;
    held += inside;
    holding[i] = inside > 0 ? 1 : 0;
  });
  return { density: held / (k * generated.count), coverage: shareOf(holding) };
}
