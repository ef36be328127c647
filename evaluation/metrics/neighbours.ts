/** Balls around samples that reach to their k-th nearest neighbour, in squared distances. */
import { checkWidths, distancesOfRow, type Rows } from '../../tensor/rows.ts';

/** Whether a sample on a ball's surface is inside: prdc says no (`open`), torch-fidelity yes (`closed`). */
export type Boundary = 'open' | 'closed';

export type NeighbourOptions = {
  /** The neighbour that the balls reach to; the sample itself does not count. */
  readonly k?: number;
  readonly boundary?: Boundary;
};

export const isInside = (distance: number, radius: number, boundary: Boundary): boolean =>
  boundary === 'open' ? distance < radius : distance <= radius;

/** Squared distance of every sample to its k-th nearest other one. */
export function radiiOf(rows: Rows, k: number): Float64Array {
  if (!Number.isInteger(k) || k < 1 || k >= rows.count)
    throw new RangeError(
      `neighbours: expected k from 1 to ${rows.count - 1} for ${rows.count} samples, got ${k}`,
    );
  const distances = new Float64Array(rows.count);
  return Float64Array.from({ length: rows.count }, (_, i) => {
    distancesOfRow(rows, i, rows, distances);
    return distances.toSorted()[k]!; // place 0 is the sample itself
  });
}

/** Calls `see` with the squared distances of each row of `a` to all rows of `b`, in a shared buffer. */
export function eachDistances(
  a: Rows,
  b: Rows,
  see: (i: number, distances: Float64Array) => void,
): void {
  checkWidths('neighbours', a, b);
  const distances = new Float64Array(b.count);
  for (let i = 0; i < a.count; i++) {
    distancesOfRow(a, i, b, distances);
    see(i, distances);
  }
}

export const shareOf = (flags: Uint8Array): number =>
  flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
