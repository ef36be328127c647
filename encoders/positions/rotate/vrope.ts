/**
 * VRoPE (Liu et al. 2025): four indices of a token, x + y, x - y, -x + y and -x - y, so that no side of
 * the picture is favoured, given to the rotary pairs in turn. The constants that keep the paper's
 * indices positive (H - 1, W - 1) are left out: they cancel between tokens of a picture, and condition
 * tokens are not turned (ours).
 *
 * Options: `base` (10000); `spectrum` 'cyclic', every pair has a frequency of its own, or 'shared' by the
 * four pairs of a block (ours): then a token and its mirror images are treated exactly alike.
 */
import { rope } from '../../../tensor/ops/rope.ts';
import { tf } from '../../../tensor/tf.ts';
import type { RotateMethod } from '../contract.ts';
import { axesOf, spectrum, tablesOf } from './tables.ts';

/** Signs of y and x in the four indices. */
const SIGNS = { y: [1, -1, 1, -1], x: [1, 1, -1, -1] } as const;

export const vrope: RotateMethod = {
  hook: 'rotate',
  name: 'vrope',
  reducesTo: '1D RoPE with signs on a grid of one row',
  options: { base: 10000, spectrum: ['cyclic', 'shared'] },
  frequencies(headSize, { base, spectrum: kind }) {
    if (headSize % 8 !== 0) {
      throw new RangeError(`vrope: expected a head size that is a multiple of 8, got ${headSize}`);
    }
    const pairs = headSize / 2;
    const blocks = spectrum(Number(base), pairs / 4);
    const all =
      kind === 'cyclic' ? spectrum(Number(base), pairs) : blocks.flatMap((f) => [f, f, f, f]);
    return { y: all, x: all };
  },
  rotate({ coordinates, frequencies, q, k, v, where }) {
    const [ys, xs] = axesOf(coordinates); // [.., T, 1]
    const [fy, fx] = tf.unstack(frequencies!); // [d/2]
    const signs = (axis: 'y' | 'x') => tf.tile(tf.tensor1d([...SIGNS[axis]]), [fy!.size / 4]);
    const angles = ys.mul(fy!.mul(signs('y'))).add(xs.mul(fx!.mul(signs('x'))));
    const { cos, sin } = tablesOf(angles, where.prefix);
    return { q: rope(q, cos, sin), k: rope(k, cos, sin), v };
  },
};
