/**
 * Axial 2D RoPE: half of a head's pairs turn with the row, half with the column (Heo et al. 2024,
 * eq. 11; the form that FiT, LightningDiT, JiT, LlamaGen, STAR and Lumina share). Pairs are
 * interleaved, f_i = base^(-2 i / (d / 2)), i = 0 ... d/4 - 1.
 *
 * Options: `base` (10000); `first` 'y' or 'x', the axis of the first half; `layout` 'halves', or
 * 'interleaved' for y f0, x f0, y f1, x f1 ... (Lumina, DDT); `prefix` 'identity' leaves condition
 * tokens unturned (JiT), 'zero' multiplies them by zero (LlamaGen, ARPG, RandAR).
 */
import { rope } from '../../../tensor/ops/rope.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { Options, RotateMethod } from '../contract.ts';

/** Conventions of published checkpoints (specification: peers, 2.1). */
export const AXIAL_PRESETS = {
  fit: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity' },
  lightningdit: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity' },
  jit: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity' },
  llamagen: { base: 10000, first: 'y', layout: 'halves', prefix: 'zero' },
  arpg: { base: 10000, first: 'y', layout: 'halves', prefix: 'zero' },
  randar: { base: 10000, first: 'y', layout: 'halves', prefix: 'zero' },
  infinity: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity' },
  star: { base: 100, first: 'x', layout: 'halves', prefix: 'identity' },
  switti: { base: 10000, first: 'x', layout: 'halves', prefix: 'identity' },
  lumina: { base: 10000, first: 'y', layout: 'interleaved', prefix: 'identity' },
  ddt: { base: 10000, first: 'x', layout: 'interleaved', prefix: 'identity' },
} as const satisfies Record<string, Options>;

export const axial: RotateMethod = {
  hook: 'rotate',
  name: 'axial',
  reducesTo: '1D RoPE of half the head on a grid of one row',
  options: {
    base: 10000,
    first: ['y', 'x'],
    layout: ['halves', 'interleaved'],
    prefix: ['identity', 'zero'],
  },
  frequencies(headSize, { base }) {
    if (headSize % 4 !== 0) {
      throw new RangeError(
        `axial RoPE: expected a head size that is a multiple of 4, got ${headSize}`,
      );
    }
    const axis = Array.from(
      { length: headSize / 4 },
      (_, i) => Number(base) ** (-i / (headSize / 4)),
    );
    return { y: axis, x: axis };
  },
  rotate({ coordinates, frequencies, q, k, v, where, options }) {
    const { cos, sin } = axialTables(coordinates, frequencies!, where.prefix, options);
    return { q: rope(q, cos, sin), k: rope(k, cos, sin), v };
  },
};

/** Tables [prefix + T, d/2] (or [B, ...]) from coordinates [.., T, 2] and frequencies [2, F]. */
export function axialTables(
  coordinates: Tensor,
  frequencies: Tensor,
  prefix: number,
  { first, layout, prefix: prefixMode }: Options,
): { cos: Tensor; sin: Tensor } {
  const [ys, xs] = tf.split(coordinates, 2, -1) as [Tensor, Tensor]; // [.., T, 1]
  const [fy, fx] = tf.unstack(frequencies) as [Tensor, Tensor]; // [F]
  const angles = [ys.mul(fy), xs.mul(fx)]; // [.., T, F]
  if (first === 'x') angles.reverse();
  const lead = coordinates.shape.slice(0, -1);
  const joined =
    layout === 'halves' ? tf.concat(angles, -1) : tf.stack(angles, -1).reshape([...lead, -1]);
  const pad = (table: Tensor, value: number) =>
    prefix === 0
      ? table
      : tf.concat(
          [tf.fill([...lead.slice(0, -1), prefix, joined.shape.at(-1)!], value), table],
          -2,
        );
  return { cos: pad(tf.cos(joined), prefixMode === 'zero' ? 0 : 1), sin: pad(tf.sin(joined), 0) };
}
