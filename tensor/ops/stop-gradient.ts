/** A value that its inputs are not blamed for: the identity forwards, zero backwards. */
import { type Tensor, tf } from '../tf.ts';

export function stopGradient(x: Tensor): Tensor {
  const constant = tf.customGrad((input) => ({
    value: (input as Tensor).clone(),
    gradFunc: (dy: Tensor) => tf.zerosLike(dy),
  }));
  return constant(x);
}

/** `value` forwards, the gradient of `x` backwards (Bengio et al. 2013, straight-through). */
export const straightThrough = (x: Tensor, value: Tensor): Tensor =>
  x.add(stopGradient(value.sub(x)));
