/** Attention as position methods have it, which all transformers here share. */
import type { Positions } from '../encoders/positions/compose.ts';
import type { Rotated } from '../encoders/positions/contract.ts';
import { attention } from '../tensor/ops/attention.ts';
import { type Tensor, tf } from '../tensor/tf.ts';

/**
 * Values [B, T, h, d] mixed by the softmax of q k^T / sqrt(d), or of the logits [B, h, T, T] that a score
 * method made, with the bias and the scale of the positions; and its weights, where they are at hand.
 */
export function attend(
  { q, k, v }: Rotated,
  { bias, scale }: ReturnType<Positions['bias']>,
  logits?: Tensor,
): { out: Tensor; attention?: Tensor } {
  if (logits) {
    const scaled = logits.mul(scale);
    const probabilities = tf.softmax(bias ? scaled.add(bias) : scaled);
    const mixed = tf.matMul(probabilities, v.transpose([0, 2, 1, 3]));
    return { out: mixed.transpose([0, 2, 1, 3]), attention: probabilities };
  }
  const factor = 1 / Math.sqrt(q.shape[3]!);
  const options = bias ? { bias } : {};
  if (typeof scale === 'number')
    return { out: attention(q, k, v, { scale: factor * scale, ...options }) };
  const perHead = scale.reshape([...Array(4 - scale.rank).fill(1), ...scale.shape]); // [.., h, 1, 1]
  const scaled = q.mul(perHead.transpose([0, 2, 1, 3]));
  return { out: attention(scaled, k, v, { scale: factor, ...options }) };
}
