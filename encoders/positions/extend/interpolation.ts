/**
 * Position interpolation (Chen et al. 2023, eq. 4): every frequency is divided by s, so positions of a
 * grid s times longer fall between those that were trained. On images: 'linear' of FiT (Lu et al. 2024),
 * whose coupled form takes the longer axis's s for both axes.
 *
 * Options: `axes` 'own' (the default) or 'longer' (FiT coupled); `shorter` 'kept' (the default: a side that is
 * not longer is left alone) or 'spread', which takes s below 1 as well, so a small grid spans what was trained;
 * `keep` (0), how many of the fastest frequencies stay as trained; `align` 'cells' divides by
 * s = length / side, 'corners' by (length - 1) / (side - 1), which puts the last token on the last place
 * that was trained. `keep` 2 with 'corners' is RandAR's table for twice its size (Pang et al. 2025).
 * Ours: `keep`, `align` and `shorter` as options.
 */
import { extendAxes } from './axes.ts';
import { interpolated } from './bands.ts';

export const interpolation = extendAxes({
  name: 'interpolation',
  reducesTo: 'the trained frequencies at ratio 1, and with all of them kept',
  ratios: 'option',
  spreads: true,
  options: { keep: 0, align: ['cells', 'corners'] },
  formula(frequencies, { s, side, options }) {
    // Of 'longer' axes too, hence from s and not from the axis's own length.
    const hasCorners = options.align === 'corners' && side > 1 && s * side > 1;
    const ratio = hasCorners ? (s * side - 1) / (side - 1) : s;
    const squeezed = interpolated(frequencies, ratio);
    return frequencies.map((f, i) => (i < Number(options.keep) ? f : squeezed[i]!));
  },
});
