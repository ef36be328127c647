/**
 * Axial 2D RoPE: half of a head's pairs turn with the row, half with the column (Heo et al. 2024,
 * eq. 11; the form that FiT, LightningDiT, JiT, LlamaGen, STAR and Lumina share). Pairs are
 * interleaved, f_i = base^(-2 i / (d / 2)), i = 0 ... d/4 - 1.
 *
 * Options: `base` (10000); `first` 'y' or 'x', the axis of the first half; `layout` 'halves', or
 * 'interleaved' for y f0, x f0, y f1, x f1 ... (Lumina, DDT); `prefix` 'identity' leaves condition
 * tokens unturned (JiT), 'zero' multiplies them by zero (LlamaGen, ARPG, RandAR);
 * `still` (0) leading channels are not turned (FLUX's third axis, where all tokens of a picture lie at 0).
 */
import { rope } from '../../../tensor/ops/rope.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { Options, RotateMethod } from '../contract.ts';
import { axesOf, padFront, spectrum, type Tables, tablesOf } from './tables.ts';

/**
 * Conventions of published checkpoints. Their coordinates are `raw`, but for NiT (`nit`), DDT
 * (`end-point`, span 16), STAR (`end-point`; span 64 and base 10000 where released, 32 and 100 in its
 * code), Infinity and Switti (aligned at the first cell).
 */
export const AXIAL_PRESETS = {
  fit: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity' },
  nit: { base: 10000, first: 'x', layout: 'halves', prefix: 'identity' },
  lightningdit: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity' },
  jit: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity' },
  llamagen: { base: 10000, first: 'y', layout: 'halves', prefix: 'zero' },
  arpg: { base: 10000, first: 'y', layout: 'halves', prefix: 'zero' },
  randar: { base: 10000, first: 'y', layout: 'halves', prefix: 'zero' },
  infinity: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity' },
  flux: { base: 10000, first: 'y', layout: 'halves', prefix: 'identity', still: 16 },
  'star-released': { base: 10000, first: 'x', layout: 'halves', prefix: 'identity' },
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
    still: 0,
  },
  frequencies(headSize, { base, still = 0 }) {
    const turned = headSize - Number(still);
    if (!(turned > 0 && turned % 4 === 0 && Number(still) % 2 === 0)) {
      throw new RangeError(
        `axial RoPE: expected an even number of still channels (${still}) and a rest that is a multiple of 4, got ${turned}`,
      );
    }
    const axis = spectrum(Number(base), turned / 4);
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
  { first, layout, prefix: prefixMode, still = 0 }: Options,
): Tables {
  const [ys, xs] = axesOf(coordinates); // [.., T, 1]
  const [fy, fx] = tf.unstack(frequencies) as [Tensor, Tensor]; // [F]
  const angles = [ys.mul(fy), xs.mul(fx)]; // [.., T, F]
  if (first === 'x') angles.reverse();
  const lead = coordinates.shape.slice(0, -1);
  const joined =
    layout === 'halves' ? tf.concat(angles, -1) : tf.stack(angles, -1).reshape([...lead, -1]);
  const all = padFront(joined, -1, Number(still) / 2, 0); // [.., T, d/2]
  return tablesOf(all, prefix, prefixMode === 'zero' ? 0 : 1);
}
