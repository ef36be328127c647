/**
 * MHRoPE, multi-head RoPE (Huang et al. 2025): whole heads belong to one axis, each with the full
 * spectrum of d/2 frequencies. Heads alternate, row first; the last `still` have no positions.
 *
 * Options: `base` (10000); `still` (0).
 */
import { rope } from '../../../tensor/ops/rope.ts';
import { tf } from '../../../tensor/tf.ts';
import type { RotateMethod } from '../contract.ts';
import { axesOf, headTablesOf, spectrum } from './tables.ts';

export const mhrope: RotateMethod = {
  hook: 'rotate',
  name: 'mhrope',
  reducesTo: '1D RoPE of one axis in each head, no positions in still heads',
  options: { base: 10000, still: 0 },
  frequencies(headSize, { base }) {
    const axis = spectrum(Number(base), headSize / 2);
    return { y: axis, x: axis };
  },
  rotate({ coordinates, frequencies, q, k, v, where: { heads, prefix }, options }) {
    const turning = heads - Number(options.still);
    if (!(turning >= 2 && turning <= heads)) {
      throw new RangeError(
        `mhrope: expected at least two heads that turn, one for each axis, got ${options.still} still of ${heads}`,
      );
    }
    const [ys, xs] = axesOf(coordinates); // [.., T, 1]
    const [fy, fx] = tf.unstack(frequencies!); // [d/2]
    const axes = [ys.mul(fy!), xs.mul(fx!)]; // [.., T, d/2]
    const none = tf.zerosLike(axes[0]!);
    const each = Array.from({ length: heads }, (_, h) => (h < turning ? axes[h % 2]! : none));
    const { cos, sin } = headTablesOf(tf.stack(each, -2), prefix);
    return { q: rope(q, cos, sin), k: rope(k, cos, sin), v };
  },
};
