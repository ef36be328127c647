/**
 * MRoPE-I, interleaved multimodal RoPE (Huang et al. 2025): the axes share one spectrum of d/2
 * frequencies, pair by pair in turn (0, 2, 4 ... to the row, 1, 3, 5 ... to the column), so that each
 * spans it from the highest to the lowest; contiguous chunks would give one axis the fast ones only.
 * Ours: two axes of three.
 *
 * Options: `base` (10000); `first` 'y' or 'x', the axis of pair 0.
 */
import { rope } from '../../../tensor/ops/rope.ts';
import type { RotateMethod } from '../contract.ts';
import { axialTables } from './axial.ts';
import { spectrum } from './tables.ts';

export const mropeI: RotateMethod = {
  hook: 'rotate',
  name: 'mrope-i',
  reducesTo: '1D RoPE of every second pair on a grid of one row',
  options: { base: 10000, first: ['y', 'x'] },
  frequencies(headSize, { base, first }) {
    if (headSize % 4 !== 0) {
      throw new RangeError(
        `mrope-i: expected a head size that is a multiple of 4, got ${headSize}`,
      );
    }
    const all = spectrum(Number(base), headSize / 2);
    const [even, odd] = [0, 1].map((start) => all.filter((_, i) => i % 2 === start));
    return first === 'y' ? { y: even!, x: odd! } : { y: odd!, x: even! };
  },
  rotate({ coordinates, frequencies, q, k, v, where, options: { first } }) {
    const layout = { first: first!, layout: 'interleaved', prefix: 'identity' };
    const { cos, sin } = axialTables(coordinates, frequencies!, where.prefix, layout);
    return { q: rope(q, cos, sin), k: rope(k, cos, sin), v };
  },
};
