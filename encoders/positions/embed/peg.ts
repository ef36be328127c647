/**
 * PEG, the position generator of CPVT (Chu et al. 2023): a depthwise 3x3 convolution of
 * the tokens after the first block, added to them. Zero padding at the border is what tells tokens
 * where they are; inside it moves with the picture. Works on any grid; each raster of a pyramid or
 * of packed pictures has its own border.
 *
 * Initial values: uniform within 1/3 for the nine weights, zero for the bias (ours).
 */
import type { EmbedMethod } from '../contract.ts';
import { depthwise, depthwiseInit } from './depthwise.ts';

export const peg: EmbedMethod = {
  hook: 'embed',
  name: 'peg',
  after: 1,
  reducesTo: 'no positions with zero weights',
  init: ({ width }, _, rng) => depthwiseInit(width, rng),
  embed: (args) => depthwise('peg', args),
};
