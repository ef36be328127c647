/**
 * Exponential of small square matrices by scaling and squaring (Moler and Van Loan 2003, method 3), for
 * norms up to 2^9. Of exp(X) - 1 rather than exp(X): doubling it, 2 M + M^2, keeps the digits that a
 * sum with 1 would round away at every squaring.
 */
import { type Tensor, tf } from '../tf.ts';

const SQUARINGS = 10;
/** Of a norm of 1/2 the term after these is 1e-7. */
const TERMS = 7;

/** [.., b, b] -> [.., b, b] */
export function matrixExp(exponents: Tensor): Tensor {
  const b = exponents.shape.at(-1)!;
  const x = exponents.reshape([-1, b, b]).div(2 ** SQUARINGS);
  let m = x.div(TERMS);
  for (let k = TERMS - 1; k >= 1; k--) m = x.add(tf.matMul(x, m)).div(k);
  for (let i = 0; i < SQUARINGS; i++) m = m.mul(2).add(tf.matMul(m, m));
  return m.add(tf.eye(b)).reshape(exponents.shape);
}
