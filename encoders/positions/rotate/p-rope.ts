/**
 * p-RoPE (Barbero et al. 2025, "Round and round we go", section 6): only the fraction p of the highest
 * frequencies turns; the lowest, which carry meaning rather than place, stand still. Ours: two axes,
 * ceil(p d / 4) frequencies of each kept.
 *
 * Options: `base` (10000); `p` (0.75, the paper's better value of 0.25 and 0.75).
 */
import { rope } from '../../../tensor/ops/rope.ts';
import type { RotateMethod } from '../contract.ts';
import { axial, axialTables } from './axial.ts';

const LAYOUT = { first: 'y', layout: 'halves', prefix: 'identity' } as const;

export const pRope: RotateMethod = {
  hook: 'rotate',
  name: 'p-rope',
  reducesTo: 'axial RoPE with p = 1, no positions with p = 0',
  options: { base: 10000, p: 0.75 },
  frequencies(headSize, options) {
    const p = Number(options.p);
    if (p < 0 || p > 1) {
      throw new RangeError(`p-rope: expected a fraction p from 0 to 1, got ${p}`);
    }
    const { y } = axial.frequencies!(headSize, options);
    const kept = y.map((frequency, i) => (i < Math.ceil(p * y.length) ? frequency : 0));
    return { y: kept, x: kept };
  },
  rotate({ coordinates, frequencies, q, k, v, where }) {
    const { cos, sin } = axialTables(coordinates, frequencies!, where.prefix, LAYOUT);
    return { q: rope(q, cos, sin), k: rope(k, cos, sin), v };
  },
};
