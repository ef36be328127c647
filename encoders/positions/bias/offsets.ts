/** Offsets between tokens, and biases of the grid's tokens beside condition tokens. */
import { type Tensor, tf } from '../../../tensor/tf.ts';

/** Coordinates [.., T, 2] -> the query's less the key's on each axis, [.., T, T] each. */
export function offsetsOf(coordinates: Tensor): { dy: Tensor; dx: Tensor } {
  const [dy, dx] = tf
    .split(coordinates, 2, -1)
    .map((axis) => axis.sub(tf.reshape(axis, [...axis.shape.slice(0, -2), 1, -1])));
  return { dy: dy!, dx: dx! };
}

/** [.., T, T] with rows and columns of zeros for condition tokens, which come first. */
export function withPrefix(bias: Tensor, prefix: number): Tensor {
  const none: [number, number] = [0, 0];
  return tf.pad(bias, [...Array(bias.rank - 2).fill(none), [prefix, 0], [prefix, 0]]);
}

/** A block's own part of weights [blocks, ...], without that axis. */
export function ofBlock(weights: Tensor, block: number): Tensor {
  const [, ...shape] = weights.shape;
  const start = [block, ...shape.map(() => 0)];
  return tf.slice(weights, start, [1, ...shape]).reshape(shape);
}
