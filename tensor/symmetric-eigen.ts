/**
 * Eigenvalues and eigenvectors of a symmetric matrix in float64: Householder's tridiagonal form, then
 * QL steps with implicit shifts (Golub and Van Loan, Matrix Computations, 4th ed., 8.3). Vectors are
 * rows, so that every inner loop walks along memory.
 */
import type { Rows } from './rows.ts';

export type Eigen = {
  /** Ascending. */
  readonly values: Float64Array;
  /** Row i is the unit vector of value i. */
  readonly vectors: Rows;
};

/** Sweeps for one value; more than a few mean that the numbers are not finite. */
const MOST_STEPS = 60;

export function symmetricEigen(matrix: Rows): Eigen {
  const { diagonal, beside, reflectors } = tridiagonal(matrix);
  const vectors = basisOf(reflectors, matrix.width);
  diagonalise(diagonal, beside, vectors);
  return sorted(diagonal, vectors, matrix.width);
}

/** Ascending; several times as fast as with vectors. */
export function symmetricEigenvalues(matrix: Rows): Float64Array {
  const { diagonal, beside } = tridiagonal(matrix);
  diagonalise(diagonal, beside);
  return diagonal.sort();
}

/** I - scale v v^T; v is zero up to and including place `after`. */
type Reflector = { readonly v: Float64Array; readonly scale: number; readonly after: number };
type Tridiagonal = {
  readonly diagonal: Float64Array;
  /** beside[i] joins i and i + 1; the last is 0. */
  readonly beside: Float64Array;
  readonly reflectors: readonly Reflector[];
};

function tridiagonal({ data, count: n, width }: Rows): Tridiagonal {
  if (n !== width)
    throw new RangeError(`symmetricEigen: expected a square matrix, got [${n}, ${width}]`);
  const a = data.slice();
  const beside = new Float64Array(n);
  const reflectors: Reflector[] = [];
  for (let k = 0; k < n - 1; k++) {
    const { reflector, length } = reflectorOf(a.subarray(k * n, (k + 1) * n), k);
    beside[k] = length;
    if (!reflector) continue;
    reflect(a, n, reflector);
    reflectors.push(reflector);
  }
  return {
    diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!),
    beside,
    reflectors,
  };
}

/** Turns what stands behind place k + 1 of a row into zeros; `length` is what is left at k + 1. */
function reflectorOf(row: Float64Array, k: number): { reflector?: Reflector; length: number } {
  const n = row.length;
  let rest = 0;
  for (let i = k + 2; i < n; i++) rest = Math.max(rest, Math.abs(row[i]!));
  const first = row[k + 1]!;
  if (rest === 0) return { length: first };
  const unit = Math.max(rest, Math.abs(first)); // keeps squares in range
  const v = new Float64Array(n);
  let squares = 0;
  for (let i = k + 1; i < n; i++) {
    v[i] = row[i]! / unit;
    squares += v[i]! * v[i]!;
  }
  const norm = v[k + 1]! > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
  const scale = 1 / (squares - norm * v[k + 1]!);
  v[k + 1]! -= norm;
  return { reflector: { v, scale, after: k }, length: norm * unit };
}

/** a <- H a H for rows and columns behind `after`: a - v w^T - w v^T with w = p - (scale v.p / 2) v. */
function reflect(a: Float64Array, n: number, { v, scale, after }: Reflector): void {
  const w = new Float64Array(n);
  let along = 0;
  for (let i = after + 1; i < n; i++) {
    const row = i * n;
    let sum = 0;
    for (let j = after + 1; j < n; j++) sum += a[row + j]! * v[j]!;
    w[i] = scale * sum;
    along += w[i]! * v[i]!;
  }
  const half = (scale * along) / 2;
  for (let i = after + 1; i < n; i++) w[i]! -= half * v[i]!;
  for (let i = after + 1; i < n; i++) {
    const [row, vi, wi] = [i * n, v[i]!, w[i]!];
    for (let j = after + 1; j < n; j++) a[row + j]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** The product of all reflectors, transposed: the last ones touch the fewest rows, so they come first. */
function basisOf(reflectors: readonly Reflector[], n: number): Float64Array {
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) basis[i * n + i] = 1;
  for (const { v, scale, after } of reflectors.toReversed())
    for (let i = after + 1; i < n; i++) {
      const row = i * n;
      let sum = 0;
      for (let j = after + 1; j < n; j++) sum += basis[row + j]! * v[j]!;
      const factor = scale * sum;
      for (let j = after + 1; j < n; j++) basis[row + j]! -= factor * v[j]!;
    }
  return basis;
}

/** Leaves the eigenvalues in `d`; turns the rows of `vectors` along. */
function diagonalise(d: Float64Array, e: Float64Array, vectors?: Float64Array): void {
  const n = d.length;
  const norm = d.reduce((most, value, i) => Math.max(most, Math.abs(value) + Math.abs(e[i]!)), 0);
  for (let start = 0; start < n; start++) {
    for (let step = 0; ; step++) {
      let end = start;
      while (end < n - 1 && !negligible(e[end]!, norm)) end++;
      if (end === start) break;
      if (step === MOST_STEPS)
        throw new RangeError(
          'symmetricEigen: expected a matrix of finite numbers, got one whose values do not converge',
        );
      sweep(d, e, start, end, vectors);
    }
  }
}

/**
 * Beside the largest numbers, not beside its neighbours: of a matrix of less than full rank these are rounding
 * errors of zeros, which never settle among each other.
 */
const negligible = (beside: number, norm: number): boolean => Math.abs(beside) + norm === norm;

/** One implicit QL sweep from `end` up to `start`, shifted by the eigenvalue of the top 2 x 2 block. */
function sweep(
  d: Float64Array,
  e: Float64Array,
  start: number,
  end: number,
  vectors?: Float64Array,
): void {
  const half = (d[start + 1]! - d[start]!) / (2 * e[start]!);
  const root = Math.hypot(half, 1);
  let g = d[end]! - d[start]! + e[start]! / (half + (half >= 0 ? root : -root));
  let [s, c, moved] = [1, 1, 0];
  for (let i = end - 1; i >= start; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= moved; // the matrix fell apart here: the next sweep goes on with its parts
      e[end] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    const shifted = d[i + 1]! - moved;
    const t = (d[i]! - shifted) * s + 2 * c * b;
    moved = s * t;
    d[i + 1] = shifted + moved;
    g = c * t - b;
    if (vectors) turn(vectors, d.length, i, s, c);
  }
  d[start]! -= moved;
  e[start] = g;
  e[end] = 0;
}

/** Rotates rows i and i + 1. */
function turn(rows: Float64Array, n: number, i: number, s: number, c: number): void {
  const [upper, lower] = [i * n, (i + 1) * n];
  for (let k = 0; k < n; k++) {
    const [a, b] = [rows[upper + k]!, rows[lower + k]!];
    rows[lower + k] = s * a + c * b;
    rows[upper + k] = c * a - s * b;
  }
}

function sorted(values: Float64Array, vectors: Float64Array, n: number): Eigen {
  const order = Array.from(values.keys()).sort((i, j) => values[i]! - values[j]!);
  const data = new Float64Array(n * n);
  for (const [to, from] of order.entries())
    data.set(vectors.subarray(from * n, (from + 1) * n), to * n);
  return {
    values: Float64Array.from(order, (i) => values[i]!),
    vectors: { data, count: n, width: n },
  };
}
