/** What rotations share: geometric frequencies, and tables of angles with condition tokens in front. */
import { type Tensor, tf } from '../../../tensor/tf.ts';

/** base^(-i / count), i = 0 ... count - 1 (Su et al. 2021, with 2 count channels). */
export const spectrum = (base: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => base ** (-i / count));

/** [.., T, 2] -> y and x, [.., T, 1] each. */
export const axesOf = (coordinates: Tensor): [Tensor, Tensor] =>
  tf.split(coordinates, 2, -1) as [Tensor, Tensor];

/**
 * Cosine and sine of angles [.., T, P], with `prefix` condition tokens in front: not turned, or with
 * `unturned` 0 multiplied by zero.
 */
export function tablesOf(angles: Tensor, prefix: number, unturned = 1): Tables {
  const pad = (table: Tensor, value: number) => padFront(table, -2, prefix, value);
  return { cos: pad(tf.cos(angles), unturned), sin: pad(tf.sin(angles), 0) };
}
export type Tables = { readonly cos: Tensor; readonly sin: Tensor };

/** Angles of each head [.., T, h, P] -> tables [B or 1, prefix + T, h, P]. */
export function headTablesOf(angles: Tensor, prefix: number): Tables {
  const all = padFront(angles, -3, prefix, 0);
  const each = all.rank === 4 ? all : tf.expandDims(all, 0);
  return { cos: tf.cos(each), sin: tf.sin(each) };
}

/** `count` entries of `value` in front along an axis counted from the last. */
export function padFront(x: Tensor, axis: number, count: number, value: number): Tensor {
  if (count === 0) return x;
  const sides = x.shape.map((_, i): [number, number] => [i === x.rank + axis ? count : 0, 0]);
  return tf.pad(x, sides, value);
}
