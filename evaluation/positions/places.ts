/** Tokens of a raster as points, and what analyses of positions compare with: how far apart they are. */
import { cellsOf, raster } from '../../encoders/positions/grid.ts';

export type Places = {
  readonly height: number;
  readonly width: number;
  readonly count: number;
  /** Row and column of each token. */
  readonly y: Float64Array;
  readonly x: Float64Array;
};

export function placesOf(height: number, width: number): Places {
  const cells = cellsOf(raster(height, width));
  const of = (axis: 'y' | 'x') => Float64Array.from(cells, (cell) => cell[axis]);
  return { height, width, count: cells.length, y: of('y'), x: of('x') };
}

/** Euclidean, in cells. */
export const distanceBetween = ({ y, x }: Places, i: number, j: number): number =>
  Math.hypot(y[i]! - y[j]!, x[i]! - x[j]!);

/** Pearson's correlation; 0 where one of the two does not vary. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length;
  const mean = (values: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[i]!;
    return sum / n;
  };
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [u, v] = [a[i]! - ma, b[i]! - mb];
    ab += u * v;
    aa += u * u;
    bb += v * v;
  }
  const tiny = n * (100 * Number.EPSILON) ** 2; // what rounding leaves of equal values
  return aa <= tiny * ma * ma || bb <= tiny * mb * mb || aa === 0 || bb === 0
    ? 0
    : ab / Math.sqrt(aa * bb);
}

/** Hidden states of several pictures: [B, T, C]. */
export type States = {
  readonly data: ArrayLike<number>;
  readonly pictures: number;
  readonly tokens: number;
  readonly width: number;
};
