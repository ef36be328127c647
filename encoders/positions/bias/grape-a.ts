/**
 * GRAPE-A, the additive form of group representational position encoding (Zhang et al. 2025): ALiBi
 * whose slope the key opens, -softplus(w_h) m_h softplus(u_h.k_j / sqrt(d)) |D| with ALiBi's slopes m_h
 * and the key before its rotation. Ours: two axes, |D| = |dy| + |dx|, both directions. Weights are of
 * each block of the network; u starts at zero and w so that the bias is ALiBi's.
 *
 * Condition tokens have no place: nothing is added between them and others.
 *
 * Cost: as ALiBi, but a bias of each picture instead of one for all.
 */
import { tf } from '../../../tensor/tf.ts';
import type { BiasMethod } from '../contract.ts';
import { alibi } from './alibi.ts';

/** softplus(W) softplus(0) = 1 */
const W = Math.log(Math.exp(1 / Math.LN2) - 1);

export const grapeA: BiasMethod = {
  hook: 'bias',
  name: 'grape-a',
  reducesTo: 'ALiBi with u = 0 and its initial w',
  init: ({ heads, headSize, depth }) =>
    Object.assign(
      {},
      ...Array.from({ length: depth }, (_, i) => ({
        [`blocks.${i}.w`]: { data: new Float32Array(heads).fill(W), shape: [heads] },
        [`blocks.${i}.u`]: {
          data: new Float32Array(heads * headSize),
          shape: [heads, headSize],
        },
      })),
    ),
  bias(args) {
    const { weights, k, where } = args;
    const w = (name: string) => weights[`blocks.${where.layer}.${name}`]!;
    const slopes = alibi.bias!({ ...args, options: { distance: 'manhattan', slope: 1 } })!; // [.., h, T, T]
    const opened = tf.softplus(tf.sum(k.mul(w('u')), -1).div(Math.sqrt(where.headSize))); // [B, T, h]
    const gates = opened.mul(tf.softplus(w('w'))).transpose([0, 2, 1]); // [B, h, T]
    return slopes.mul(tf.expandDims(gates, 2));
  },
};
