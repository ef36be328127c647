/**
 * HoPE, hybrid of RoPE and NoPE (Li et al. 2025, "HoPE: hybrid of position embedding for long context
 * vision-language models"; another HoPE is hyperbolic): the two axes of the picture share the higher
 * frequencies of one spectrum, pair by pair, and the lowest pairs, the third axis's, do not turn at all.
 * A third coordinate (scale of a pyramid, index of a reference picture) therefore changes no logit.
 *
 * The paper's random factor of coordinates in training is drawn with them: coordinates `v2pe` with
 * deltas 0.5, 0.75, 1, 1.25, 1.5 and a delta of 1 when sampling. Ours: two axes have it, not the third.
 *
 * Options: `base` (10000); `still` (0.25), the share of pairs that do not turn.
 */
import { rope } from '../../../tensor/ops/rope.ts';
import type { RotateMethod } from '../contract.ts';
import { axialTables } from './axial.ts';
import { mropeI } from './mrope-i.ts';

const LAYOUT = { first: 'x', layout: 'interleaved', prefix: 'identity' } as const;

export const hopeHybrid: RotateMethod = {
  hook: 'rotate',
  name: 'hope-hybrid',
  reducesTo: 'MRoPE-I, column first, where no pair is still',
  options: { base: 10000, still: 0.25 },
  frequencies(headSize, options) {
    const still = Number(options.still);
    if (!(still >= 0 && still <= 1)) {
      throw new RangeError(
        `hope-hybrid: expected a share of still pairs from 0 to 1, got ${still}`,
      );
    }
    const all = mropeI.frequencies!(headSize, { ...options, first: 'x' });
    const turning = Math.round((1 - still) * all.y.length);
    const upper = (axis: readonly number[]) => axis.map((f, i) => (i < turning ? f : 0));
    return { y: upper(all.y), x: upper(all.x) };
  },
  rotate({ coordinates, frequencies, q, k, v, where }) {
    const { cos, sin } = axialTables(coordinates, frequencies!, where.prefix, LAYOUT);
    return { q: rope(q, cos, sin), k: rope(k, cos, sin), v };
  },
};
