/**
 * GRAPE-M, the multiplicative form of group representational position encoding (Zhang et al. 2025): a
 * token at n is turned by exp(n w L), L = a b^T - b a^T, in the plane that a and b span, in closed form
 * I + sin(n w s) / s L + (1 - cos(n w s)) / s^2 L^2 with s^2 = |a|^2 |b|^2 - (a.b)^2. Planes in disjoint
 * channels commute, so logits depend on offsets only. Two axes: half of the planes each.
 *
 * Options: `base` (10000) of the frequencies w at first; `learn` 'frequencies', a factor of each head
 * and pair (their logarithms are weights, zero at first), or 'planes', vectors a and b in every `block`
 * (4) channels, at first those of RoPE in the block's first two channels, the others standing still.
 * Weights are of each block of the network. Starts as axial RoPE with 'frequencies', and with
 * 'planes' of 2 channels.
 *
 * Cost: 'frequencies' as plain RoPE; 'planes' about a dozen passes over queries and keys instead of one.
 */
import { learnedRope } from '../../../tensor/ops/rope.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { Options, RotateMethod } from '../contract.ts';
import { axesOf, headTablesOf, padFront, spectrum } from './tables.ts';

export const grape: RotateMethod = {
  hook: 'rotate',
  name: 'grape',
  reducesTo: 'axial RoPE with its initial weights',
  options: { base: 10000, learn: ['frequencies', 'planes'], block: 4 },
  frequencies(headSize, options) {
    const block = blockOf(options);
    if (!(Number.isInteger(block) && block >= 2 && headSize % (2 * block) === 0)) {
      throw new RangeError(
        `grape: expected a head size that is a multiple of two blocks of 2 or more channels, got ${headSize} and blocks of ${block}`,
      );
    }
    const axis = spectrum(Number(options.base), headSize / (2 * block));
    return { y: axis, x: axis };
  },
  init({ heads, headSize, depth }, options) {
    const block = blockOf(options);
    const planes = headSize / block;
    const unit = (channel: number) => ({
      data: Float32Array.from({ length: heads * headSize }, (_, i) =>
        i % block === channel ? 1 : 0,
      ),
      shape: [heads, planes, block],
    });
    const zeros = { data: new Float32Array(heads * planes), shape: [heads, planes] };
    return Object.assign(
      {},
      ...Array.from({ length: depth }, (_, i) =>
        options.learn === 'planes'
          ? { [`blocks.${i}.a`]: unit(1), [`blocks.${i}.b`]: unit(0) }
          : { [`blocks.${i}.log_frequencies`]: zeros },
      ),
    );
  },
  rotate({ coordinates, frequencies, q, k, v, where, options, weights }) {
    const w = (name: string) => weights[`blocks.${where.layer}.${name}`]!;
    const [ys, xs] = axesOf(coordinates); // [.., T, 1]
    const [fy, fx] = tf.unstack(frequencies!); // [n/2]
    const angles = tf.expandDims(tf.concat([ys.mul(fy!), xs.mul(fx!)], -1), -2); // [.., T, 1, n]
    if (options.learn === 'planes') {
      const padded = padFront(angles, -3, where.prefix, 0);
      const turn = (x: Tensor) => turnInPlanes(x, w('a'), w('b'), padded);
      return { q: turn(q), k: turn(k), v };
    }
    const { cos, sin } = headTablesOf(angles.mul(tf.exp(w('log_frequencies'))), where.prefix);
    return { q: learnedRope(q, cos, sin), k: learnedRope(k, cos, sin), v };
  },
};

const blockOf = ({ learn, block }: Options): number => (learn === 'planes' ? Number(block) : 2);

/** x [B, T, h, d] turned by angles [.., T, 1, n] in the planes of a and b [h, n, m], d = n m. */
export function turnInPlanes(x: Tensor, a: Tensor, b: Tensor, angles: Tensor): Tensor {
  const [B, T] = x.shape as [number, number];
  const parts = x.reshape([B, T, ...a.shape]); // [B, T, h, n, m]
  const dot = (u: Tensor, v: Tensor) => tf.sum(u.mul(v), -1, true);
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)]; // [h, n, 1]
  // Parallel vectors span no plane: s = 0, and the limit of both fractions turns nothing.
  const s = tf.sqrt(tf.maximum(aa.mul(bb).sub(ab.square()), 1e-12));
  const theta = tf.expandDims(angles, -1).mul(s); // [.., T, h, n, 1]
  const first = tf.sin(theta).div(s);
  const second = tf.cos(theta).neg().add(1).div(s.square());
  const [ax, bx] = [dot(parts, a), dot(parts, b)]; // [B, T, h, n, 1]
  // L x = a (b.x) - b (a.x); L^2 x = a (b.L x) - b (a.L x).
  const bLx = ab.mul(bx).sub(bb.mul(ax));
  const aLx = aa.mul(bx).sub(ab.mul(ax));
  const alongA = first.mul(bx).add(second.mul(bLx));
  const alongB = first.mul(ax).add(second.mul(aLx));
  return parts.add(a.mul(alongA)).sub(b.mul(alongB)).reshape(x.shape);
}
