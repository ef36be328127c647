/**
 * FIRE: functional interpolation for relative positions (Li et al. 2024, eq. 8). A small MLP turns a
 * distance into the logits' bias, psi(|D|) / psi(max(L, largest |D|)) with psi(z) = ln(c z + 1): beyond
 * the threshold L, distances are seen as parts of the largest one, so the MLP's inputs lie in [0, 1] on
 * any grid.
 *
 * Ours: two axes, each with its own largest distance, and the offsets' signs as two more inputs, for
 * the paper's attention looks back only; of the largest distance the grid's, not the query's index.
 *
 * Weights of each block: `mlp.0` [blocks, 32, 4], `mlp.2` [blocks, h, 32]; c and L as logarithms, `c`
 * and `threshold` [blocks]. Options: `hidden` (32) of the MLP. Initial values: Xavier, c 0.1 (the
 * paper's), L the larger trained side.
 */
import { linear } from '../../../tensor/ops/linear.ts';
import type { HostTensor } from '../../../tensor/program.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { BiasMethod } from '../contract.ts';
import { extentOf } from '../grid.ts';
import { uniformWeights } from '../initial.ts';
import { ofBlock, offsetsOf, withPrefix } from './offsets.ts';

export const fire: BiasMethod = {
  hook: 'bias',
  name: 'fire',
  reducesTo: 'no positions with a zero last layer; ALiBi with one that bends at every distance',
  options: { hidden: 32 },
  init({ depth, heads, trained }, options, rng) {
    const hidden = Number(options.hidden);
    const { height, width } = extentOf(trained);
    const filled = (value: number, shape: number[]): HostTensor => ({
      data: new Float32Array(shape.reduce((size, side) => size * side)).fill(value),
      shape,
    });
    return {
      c: filled(Math.log(0.1), [depth]),
      threshold: filled(Math.log(Math.max(height, width)), [depth]),
      'mlp.0.weight': uniformWeights([depth, hidden, 4], rng.stream('mlp.0')),
      'mlp.0.bias': filled(0, [depth, hidden]),
      'mlp.2.weight': uniformWeights([depth, heads, hidden], rng.stream('mlp.2')),
      'mlp.2.bias': filled(0, [depth, heads]),
    };
  },
  bias({ weights, coordinates, where: { layer, prefix } }) {
    const own = (name: string) => ofBlock(weights[name]!, layer);
    const inputs = fireInputs(coordinates, tf.exp(own('c')), tf.exp(own('threshold')));
    const hidden = tf.relu(linear(inputs, own('mlp.0.weight'), own('mlp.0.bias')));
    const bias = linear(hidden, own('mlp.2.weight'), own('mlp.2.bias')); // [.., T, T, h]
    const heads = bias.transpose(bias.rank === 3 ? [2, 0, 1] : [0, 3, 1, 2]);
    return withPrefix(heads, prefix); // [.., h, T, T]
  },
};

/** What the MLP sees of coordinates [.., T, 2]: distances in [0, 1] and signs, [.., T, T, 4]. */
export function fireInputs(coordinates: Tensor, c: Tensor, threshold: Tensor): Tensor {
  const psi = (distance: Tensor) => tf.log(distance.mul(c).add(1));
  const { dy, dx } = offsetsOf(coordinates);
  const parts = [dy, dx].map((offset) => {
    const distance = offset.abs();
    const largest = tf.maximum(tf.max(distance, [-2, -1], true), threshold);
    return psi(distance).div(psi(largest));
  });
  return tf.stack([...parts, tf.sign(dy), tf.sign(dx)], -1);
}
