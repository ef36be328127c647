import type { Tensor } from './tf.ts';

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Throws unless `x` has the given shape; `null` accepts any size on that axis. */
export function checkShape(name: string, x: Tensor, expected: readonly (number | null)[]): void {
  const ok =
    x.rank === expected.length &&
    expected.every((size, axis) => size === null || size === x.shape[axis]);
  if (!ok) {
    const wanted = expected.map((size) => size ?? '?').join(', ');
    throw new RangeError(`${name}: expected shape [${wanted}], got [${x.shape.join(', ')}]`);
  }
}
