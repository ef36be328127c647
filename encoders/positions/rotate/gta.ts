/**
 * GTA, geometric transform attention (Miyato et al. 2024): values are carried to the query's
 * frame as keys are, out_i = R_i^-1 sum_j a_ij R_j v_j, so what a token is told does not depend on where
 * the picture lies. R is the rotation of axial RoPE (their SO(2) x SO(2) of images), its sign chosen so
 * that logits are those of axial RoPE. Nothing is learned.
 *
 * Options: `base` (10000); `values` (true), without which it is axial RoPE.
 *
 * Cost: two more rotations than plain RoPE, of the values and of the output.
 */
import { rope } from '../../../tensor/ops/rope.ts';
import type { RotateMethod } from '../contract.ts';
import { axial, axialTables } from './axial.ts';

const LAYOUT = { first: 'y', layout: 'halves', prefix: 'identity' } as const;

export const gta: RotateMethod = {
  hook: 'rotate',
  name: 'gta',
  reducesTo: 'axial RoPE without its values',
  options: { base: 10000, values: true },
  frequencies: axial.frequencies!,
  rotate({ coordinates, frequencies, q, k, v, where, options }) {
    const { cos, sin } = axialTables(coordinates, frequencies!, where.prefix, LAYOUT);
    const turn = (tokens: typeof q) => rope(tokens, cos, sin);
    return { q: turn(q), k: turn(k), v: options.values ? turn(v) : v };
  },
  restore({ coordinates, frequencies, out, where, options }) {
    if (!options.values) return out;
    const { cos, sin } = axialTables(coordinates, frequencies!, where.prefix, LAYOUT);
    return rope(out, cos, sin.neg());
  },
};
