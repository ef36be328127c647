/** Scaled dot-product attention (Vaswani et al. 2017, eq. 1) with an additive bias. */
import { type Tensor, tf } from '../tf.ts';
import { graph, nameOf, tensorOf } from '../trace/recording.ts';
import { primitive } from './primitive.ts';
import { reduceTo } from './reduce-to.ts';

export type AttentionOptions = {
  /** Added to the logits: [h, T, S], [B, h, T, S] or any shape that broadcasts to the latter. */
  readonly bias?: Tensor;
  /** Factor of the logits. Default: 1 / sqrt(d). */
  readonly scale?: number;
};

/** q [B, T, h, d], k, v [B, S, h, d] -> [B, T, h, d]. */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { bias, scale }: AttentionOptions = {},
): Tensor {
  const [B, T, h, d] = q.shape as [number, number, number, number];
  const factor = scale ?? 1 / Math.sqrt(d);
  const heads = (x: Tensor) => x.transpose([0, 2, 1, 3]);
  const composed = () => {
    const logits = tf.matMul(heads(q), heads(k), false, true).mul(factor); // [B, h, T, S]
    const weights = tf.softmax(bias ? logits.add(bias) : logits);
    return [heads(tf.matMul(weights, heads(v))), weights];
  };
  return primitive(bias ? [q, k, v, bias] : [q, k, v], {
    reference: composed,
    onnx: (training) => (training ? composed() : [multiHeadNode(q, k, v, factor, bias), q]),
    gradient: (dy, [q, k, v, b], [, weights]) => {
      const dout = heads(dy);
      const dvalues = tf.matMul(weights!, dout, true, false);
      const dweights = tf.matMul(dout, heads(v!), false, true);
      const inner = tf.sum(dweights.mul(weights!), -1, true);
      const dlogits = dweights.sub(inner).mul(weights!);
      const scaled = dlogits.mul(factor);
      const dq = heads(tf.matMul(scaled, heads(k!)));
      const dk = heads(tf.matMul(scaled, heads(q!), true, false));
      const grads = [dq, dk, heads(dvalues)];
      return b ? [...grads, reduceTo(dlogits, b.shape)] : grads;
    },
  });

  /** ONNX Runtime's fused kernel takes [B, T, h d] and needs no transposed copies. */
  function multiHeadNode(a: Tensor, b: Tensor, c: Tensor, alpha: number, add?: Tensor): Tensor {
    const S = b.shape[1]!;
    const flat = [a, b, c].map((x) => nameOf(x.reshape([B, x.shape[1]!, h * d])));
    const extra = add
      ? [
          '',
          '',
          nameOf(
            tf.broadcastTo(
              padRank(add),
              [1, h, T, S].map((s, i) => Math.max(s, padRank(add).shape[i]!)),
            ),
          ),
        ]
      : [];
    const name = graph().node(
      'MultiHeadAttention',
      [...flat, ...extra],
      { num_heads: h, scale: { float: alpha } },
      'com.microsoft',
    );
    return tensorOf(name, [B, T, h * d], 'float32').reshape([B, T, h, d]);
  }
}

const padRank = (x: Tensor): Tensor => x.reshape([...Array(4 - x.rank).fill(1), ...x.shape]);
