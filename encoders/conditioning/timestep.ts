/** The timestep embedding of DiT (Peebles and Xie 2023, section 3.2; sinusoids of Vaswani et al.). */

import { silu } from '../../tensor/ops/gelu.ts';
import { linear } from '../../tensor/ops/linear.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';

export const TIMESTEP_WIDTH = 256;

/** Cosines then sines of t [B] at 128 frequencies from 1 to 1 / maxPeriod: [B, 256]. */
export function timestepWaves(t: Tensor, maxPeriod = 10000): Tensor {
  const half = TIMESTEP_WIDTH / 2;
  const rate = Float32Array.from({ length: half }, (_, i) =>
    Math.exp((-Math.log(maxPeriod) * i) / half),
  );
  const angle = tf.expandDims(t, 1).mul(tf.tensor1d(rate)); // [B, 128]
  return tf.concat([tf.cos(angle), tf.sin(angle)], -1);
}

/** t [B] -> [B, C] by weights `mlp.0` and `mlp.2`. */
export function timestepEmbedding(weights: Tensors, prefix: string, t: Tensor): Tensor {
  const hidden = linear(
    timestepWaves(t),
    weights[`${prefix}.mlp.0.weight`]!,
    weights[`${prefix}.mlp.0.bias`]!,
  );
  return linear(silu(hidden), weights[`${prefix}.mlp.2.weight`]!, weights[`${prefix}.mlp.2.bias`]!);
}
