/**
 * ALiBi: attention with linear biases (Press et al. 2022, section 3). A head's logits fall with the
 * distance between two tokens: -m_h |D|, m_h = 2^(-8 h / H), h = 1 ... H. Nothing is learned, so any
 * grid will do. Ours: two axes, both directions, and the slopes' formula for any number of heads
 * (the paper interleaves where it is not a power of two).
 *
 * Condition tokens have no place: nothing is added between them and others.
 *
 * Options: `distance` 'manhattan' |dy| + |dx| or 'euclidean'; `slope` (1) multiplies all slopes.
 */
import { tf } from '../../../tensor/tf.ts';
import type { BiasMethod } from '../contract.ts';
import { offsetsOf, withPrefix } from './offsets.ts';

export const alibi: BiasMethod = {
  hook: 'bias',
  name: 'alibi',
  reducesTo: 'no positions with slope 0',
  options: { distance: ['manhattan', 'euclidean'], slope: 1 },
  bias({ coordinates, where: { heads, prefix }, options }) {
    const { dy, dx } = offsetsOf(coordinates);
    const distance =
      options.distance === 'euclidean'
        ? tf.sqrt(dy.square().add(dx.square()))
        : dy.abs().add(dx.abs()); // [.., T, T]
    const slopes = alibiSlopes(heads).map((slope) => -slope * Number(options.slope));
    const bias = tf.expandDims(distance, -3).mul(tf.tensor3d(slopes, [heads, 1, 1])); // [.., h, T, T]
    return withPrefix(bias, prefix);
  },
};

export const alibiSlopes = (heads: number): number[] =>
  Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads));
