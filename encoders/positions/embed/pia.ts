/**
 * Position-infused attention (Press et al. 2021, Shortformer, section 4): sines and cosines are added
 * to what queries and keys are projected from, in every block, and not to values, so that content does
 * not carry where it was.
 *
 * Options: those of `sincos2d`.
 */
import type { EmbedMethod } from '../contract.ts';
import { sincos2d } from './sincos2d.ts';

export const pia: EmbedMethod = {
  ...sincos2d,
  name: 'pia',
  after: 'attention',
  reducesTo: 'no positions where attention weighs all tokens alike',
};
