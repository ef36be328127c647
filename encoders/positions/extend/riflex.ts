/**
 * RIFLEx (Zhao et al. 2025): of an axis's frequencies, only the intrinsic one, whose
 * period is nearest to where repetition is first seen, is lowered, so that 0.9 of its period covers
 * the longer side: f_k = 0.9 * 2 pi / length.
 *
 * Options: `period` (1), where repetition is first seen, in trained sides
 * (published: found by looking at what the model at hand makes); `cover` (0.9). Ours: the axes of an
 * image instead of a video's time, the default period, and that the frequency is never raised.
 */
import { extendAxes } from './axes.ts';

/** Index of the frequency whose period, in whole tokens, is nearest to `period`. */
export function intrinsicIndex(frequencies: readonly number[], period: number): number {
  const off = frequencies.map((f) => Math.abs(Math.round((2 * Math.PI) / f) - period));
  return off.indexOf(Math.min(...off));
}

export const riflex = extendAxes({
  name: 'riflex',
  reducesTo: 'the trained frequencies at ratio 1',
  ratios: 'own',
  options: { period: 1, cover: 0.9 },
  formula(frequencies, { side, length, options }) {
    const k = intrinsicIndex(frequencies, Number(options.period) * side);
    const lowered = (Number(options.cover) * 2 * Math.PI) / length;
    return frequencies.map((f, i) => (i === k ? Math.min(f, lowered) : f));
  },
});
