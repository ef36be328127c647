/**
 * 2D-TPE (Li et al. 2024): attention in several orders of the tokens, row by row and column by column,
 * each with 1D RoPE of the token's index in that order; a small network of each block weighs them by
 * token and head, out = sum_j r_j attention_j, r = softmax(MLP(x)).
 *
 * An index is counted from coordinates, y W + x and x H + y, with W and H the range that they span, so
 * coordinates other than indices keep the orders too. Frequencies belong to no axis: no extension.
 *
 * Ours: MLP of two layers with C/4 hidden channels and GELU; its last layer starts at zero, both orders
 * alike. Options: `base` (10000).
 *
 * Cost: one attention for each order, here twice that of plain RoPE.
 */

import { geluTanh } from '../../../tensor/ops/gelu.ts';
import { linear } from '../../../tensor/ops/linear.ts';
import { rope } from '../../../tensor/ops/rope.ts';
import type { HostTensor } from '../../../tensor/program.ts';
import type { Rng } from '../../../tensor/rng.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { RotateMethod } from '../contract.ts';
import { axesOf, spectrum, tablesOf } from './tables.ts';

const ORDERS = 2;

export const tpe2d: RotateMethod = {
  hook: 'rotate',
  name: '2d-tpe',
  reducesTo: '1D RoPE of the raster index where all weight is on the first order',
  options: { base: 10000 },
  init: ({ width, heads, depth }, _, rng) =>
    Object.assign({}, ...Array.from({ length: depth }, (_, i) => initRouter(width, heads, i, rng))),
  rotate({ coordinates, q, k, v, where, options }) {
    const d = q.shape[3]!;
    const waves = tf.tensor1d(spectrum(Number(options.base), d / 2));
    const tables = ordersOf(coordinates).map((order) => tablesOf(order.mul(waves), where.prefix));
    const inOrders = (x: Tensor) =>
      tf.concat(
        tables.map(({ cos, sin }) => rope(x, cos, sin)),
        2,
      ); // [B, T, J h, d]
    return {
      q: inOrders(q),
      k: inOrders(k),
      v: tf.concat(
        tables.map(() => v),
        2,
      ),
    };
  },
  restore({ out, x, weights, where: { layer, heads } }) {
    const w = (name: string) => weights[`blocks.${layer}.${name}`]!;
    const [B, T, , d] = out.shape as [number, number, number, number];
    const hidden = geluTanh(linear(x, w('fc1.weight'), w('fc1.bias')));
    const scores = linear(hidden, w('fc2.weight'), w('fc2.bias')).reshape([B, T, heads, ORDERS]);
    const shares = tf.softmax(scores).transpose([0, 1, 3, 2]); // [B, T, J, h]
    return tf.sum(out.reshape([B, T, ORDERS, heads, d]).mul(tf.expandDims(shares, -1)), 2);
  },
};

/** The index of each token by rows and by columns, [.., T, 1] each. */
function ordersOf(coordinates: Tensor): Tensor[] {
  const [ys, xs] = axesOf(coordinates);
  const span = (axis: Tensor) =>
    tf
      .max(axis, -2, true)
      .sub(tf.min(axis, -2, true))
      .add(1);
  return [ys.mul(span(xs)).add(xs), xs.mul(span(ys)).add(ys)];
}

function initRouter(width: number, heads: number, layer: number, rng: Rng) {
  const hidden = Math.ceil(width / 4);
  const limit = Math.sqrt(6 / (width + hidden));
  const draw = rng.stream(`blocks.${layer}`);
  const zeros = (...shape: number[]): HostTensor => ({
    data: new Float32Array(shape.reduce((product, side) => product * side, 1)),
    shape,
  });
  return {
    [`blocks.${layer}.fc1.weight`]: {
      data: Float32Array.from({ length: hidden * width }, () => (2 * draw.uniform() - 1) * limit),
      shape: [hidden, width],
    },
    [`blocks.${layer}.fc1.bias`]: zeros(hidden),
    [`blocks.${layer}.fc2.weight`]: zeros(heads * ORDERS, hidden),
    [`blocks.${layer}.fc2.bias`]: zeros(heads * ORDERS),
  };
}
