/** The gradient of what was broadcast. */
import { type Tensor, tf } from '../tf.ts';

/** Sums a gradient over the axes along which its tensor was broadcast. */
export function reduceTo(x: Tensor, shape: readonly number[]): Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((side, i) =>
    i < lead || (shape[i - lead] === 1 && side !== 1) ? [i] : [],
  );
  return (axes.length > 0 ? tf.sum(x, axes) : x).reshape([...shape]);
}
