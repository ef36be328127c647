/**
 * RoPE++ (Liu et al. 2025): attention by the imaginary part of the complex product beside its real part,
 * in heads of its own. Their queries are turned by the angle less a quarter turn, keys and values are
 * shared: with D the angle between query and key, a pair's logit is (q.k) sin D - (q x k) cos D where
 * RoPE's is (q.k) cos D + (q x k) sin D. Angles in two dimensions are those of axial RoPE.
 *
 * Options: `base` (10000); `form` 'ec', equal cache: twice as many heads from the same projections, or
 * 'eh', equal heads: half as many queries, keys and values are projected.
 *
 * Ours, in 'ec': the paper's wider output projection [O, O'] is O [1, M] with a matrix M [C, C] of each
 * block, zero at first, so training starts from axial RoPE.
 *
 * Cost: 'ec' attends twice and adds a projection to each block; 'eh' costs less than plain RoPE.
 */
import { linear } from '../../../tensor/ops/linear.ts';
import { rope } from '../../../tensor/ops/rope.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { RotateMethod } from '../contract.ts';
import { axial, axialTables } from './axial.ts';

const LAYOUT = { first: 'y', layout: 'halves', prefix: 'identity' } as const;

export const ropePp: RotateMethod = {
  hook: 'rotate',
  name: 'rope-pp',
  reducesTo: 'axial RoPE in its real heads',
  options: { base: 10000, form: ['ec', 'eh'] },
  frequencies: axial.frequencies!,
  projectedHeads(heads, { form }) {
    if (form === 'ec') return heads;
    if (heads % 2 !== 0) {
      throw new RangeError(`rope-pp: expected an even number of heads for 'eh', got ${heads}`);
    }
    return heads / 2;
  },
  init: ({ width, depth }, { form }) =>
    Object.fromEntries(
      Array.from({ length: form === 'ec' ? depth : 0 }, (_, i) => [
        nameOf(i),
        { data: new Float32Array(width * width), shape: [width, width] },
      ]),
    ),
  rotate({ coordinates, frequencies, q, k, v, where }) {
    const { cos, sin } = axialTables(coordinates, frequencies!, where.prefix, LAYOUT);
    const real = rope(q, cos, sin);
    const imaginary = rope(q, sin, cos.neg());
    const turned = rope(k, cos, sin);
    return {
      q: tf.concat([real, imaginary], 2), // [B, T, 2 h, d]
      k: tf.concat([turned, turned], 2),
      v: tf.concat([v, v], 2),
    };
  },
  restore({ out, x, weights, where: { layer }, options }) {
    if (options.form === 'eh') return out;
    const [real, imaginary] = tf.split(out, 2, 2) as [Tensor, Tensor]; // [B, T, h, d]
    const mixed = linear(imaginary.reshape(x.shape), weights[nameOf(layer)]!);
    return real.add(mixed.reshape(real.shape));
  },
};

const nameOf = (layer: number) => `blocks.${layer}.imaginary.weight`;
