/**
 * The convolution of LEDiT (Zhang et al. 2025, arXiv 2503.04344, the part it calls locality): 3x3 after
 * the patches are embedded, with zeros at the border, so that neighbours can be told apart where
 * `causal` attention says only roughly where a token is. Ours: depthwise and added to the tokens, as
 * all embeddings are; the paper also widens it (dilation 2) in a tenth of the training steps, which is
 * left out.
 *
 * Initial values: uniform within 1/3 for the nine weights, zero for the bias.
 */
import type { EmbedMethod } from '../contract.ts';
import { depthwise, depthwiseInit } from './depthwise.ts';

export const locality: EmbedMethod = {
  hook: 'embed',
  name: 'locality',
  after: 0,
  reducesTo: 'no positions with zero weights',
  init: ({ width }, _, rng) => depthwiseInit(width, rng),
  embed: (args) => depthwise('locality', args),
};
