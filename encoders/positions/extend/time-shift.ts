/**
 * Timestep shift by size (Esser et al. 2024, SD3, eq. 23; also of RPE-2D's later version): in a picture of
 * m times as many tokens the same noise hides less, so sampling spends more steps near noise:
 * t' = a t / (1 + (a - 1) t) with a = sqrt(m), t = 1 pure noise. It multiplies the shift that the model or
 * the request has, since shifts one after the other are one by their product.
 *
 * Options: `exponent` (0.5): a = m^exponent. Ours: the exponent as an option, and that a is never below 1.
 */
import type { ExtendMethod } from '../contract.ts';
import { extentOf } from '../grid.ts';
import { unchanged } from './axes.ts';

export const timeShift: ExtendMethod = {
  hook: 'extend',
  name: 'time-shift',
  of: 'times',
  timed: false,
  reducesTo: "the model's own times on the trained grid",
  options: { exponent: 0.5 },
  extend: unchanged,
  timeShift({ grid, trained }, { exponent }) {
    const [to, from] = [extentOf(grid), extentOf(trained)];
    const more = (to.height * to.width) / (from.height * from.width);
    return Math.max(1, more) ** Number(exponent);
  },
};
