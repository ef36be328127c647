/**
 * Resizing pictures with the conventions of PyTorch's interpolate (align_corners = false): pixel i of
 * n covers [i, i + 1) of a side n. Every mode is separable, so a picture is multiplied by one matrix
 * along its rows and one along its columns, and gradients follow.
 */
import { type Tensor, tf } from '../tf.ts';

export type ResizeMode = 'nearest' | 'nearest-exact' | 'bilinear' | 'bicubic' | 'area';
export type ResizeOptions = {
  readonly mode: ResizeMode;
  /** Widens bilinear and bicubic filters by the ratio when a picture gets smaller. */
  readonly antialias?: boolean;
};

/** x [B, H, W, C] -> [B, height, width, C]. */
export function resize(x: Tensor, height: number, width: number, options: ResizeOptions): Tensor {
  const [B, H, W, C] = x.shape as [number, number, number, number];
  const { mode } = options;
  if (mode === 'nearest' || mode === 'nearest-exact') {
    const index = (to: number, from: number) => tf.tensor1d(nearest(to, from, mode), 'int32');
    return tf.gather(tf.gather(x, index(height, H), 1), index(width, W), 2);
  }
  const matrix = (to: number, from: number) =>
    tf.tensor2d(resizeMatrix(to, from, options), [to, from]);
  const rows = tf.matMul(matrix(height, H), x.reshape([B, H, W * C])); // [B, height, W C]
  return tf.matMul(matrix(width, W), rows.reshape([B, height, W, C]));
}

function nearest(to: number, from: number, mode: ResizeMode): number[] {
  const offset = mode === 'nearest' ? 0 : 0.5;
  return Array.from({ length: to }, (_, i) =>
    Math.min(from - 1, Math.floor(((i + offset) * from) / to)),
  );
}

/** Row i holds the weights of the old pixels in new pixel i: [to, from]. */
export function resizeMatrix(
  to: number,
  from: number,
  { mode, antialias = false }: ResizeOptions,
): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const row = matrix.subarray(i * from, (i + 1) * from);
    if (mode === 'area') averaged(row, i, to);
    else if (antialias) filtered(row, (i + 0.5) * (from / to), Math.max(from / to, 1), mode);
    else interpolated(row, (i + 0.5) * (from / to) - 0.5, mode);
  }
  return matrix;
}

/** The mean of all old pixels that new pixel i touches. */
function averaged(row: Float32Array, i: number, to: number): void {
  const start = Math.floor((i * row.length) / to);
  const end = Math.ceil(((i + 1) * row.length) / to);
  row.fill(1 / (end - start), start, end);
}

/** Weights at a point between pixel centres; pixels beyond the border repeat it. */
function interpolated(row: Float32Array, at: number, mode: ResizeMode): void {
  const place = mode === 'bilinear' ? Math.max(at, 0) : at;
  const reach = mode === 'bilinear' ? 1 : 2;
  const base = Math.floor(place);
  for (let k = base - reach + 1; k <= base + reach; k++) {
    const pixel = Math.min(Math.max(k, 0), row.length - 1);
    row[pixel]! += mode === 'bilinear' ? triangle(place - k) : cubic(place - k, -0.75);
  }
}

/** A filter of `scale` times its width around `centre`, cut at the border and normalised. */
function filtered(row: Float32Array, centre: number, scale: number, mode: ResizeMode): void {
  const support = (mode === 'bilinear' ? 1 : 2) * scale;
  const start = Math.max(Math.trunc(centre - support + 0.5), 0);
  const end = Math.min(Math.trunc(centre + support + 0.5), row.length);
  const weights = Array.from({ length: end - start }, (_, i) => {
    const distance = (start + i + 0.5 - centre) / scale;
    return mode === 'bilinear' ? triangle(distance) : cubic(distance, -0.5);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of weights.entries()) row[start + i] = weight / total;
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

/** Keys' kernel (1981, eq. 3) with slope `a` at 1: -0.75 in PyTorch, -0.5 where it antialiases. */
function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}
