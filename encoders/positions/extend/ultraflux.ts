/**
 * Resonance RoPE with Vision-YaRN (UltraFlux: Ye et al. 2025; resonance: Wang et al. 2024): on a side
 * longer than trained, every frequency that turns at least once over the trained side is first moved to
 * the nearest whole number of turns k, f = 2 pi k / side, so places beyond the side repeat phases that
 * were trained; then NTK-by-parts from these, axis by axis, and YaRN's attention temperature.
 *
 * Options: `beta` ([1.25, 0.75]), `gamma` ([16, 2]) and `temperature` (0.1), all published. Ours: the
 * factor of the logits has the longer axis's s (the code has one an axis, which no factor of the logits
 * can express), and turns are rounded as the papers have it: the code rounds side / (2 pi f) instead of
 * side f / (2 pi), so its frequencies do not close.
 */
import { extendAxes, temperature } from './axes.ts';
import { byParts, PARTS } from './ntk-by-parts.ts';

/** Frequencies that turn a whole number of times over `side`, where they turn at least once. */
export function wholeTurns(frequencies: readonly number[], side: number): number[] {
  return frequencies.map((f) => {
    const turns = (side * f) / (2 * Math.PI);
    return turns >= 1 ? (2 * Math.PI * Math.round(turns)) / side : f;
  });
}

const name = 'ultraflux';

export const ultraflux = extendAxes({
  name,
  reducesTo: 'NTK-by-parts where all frequencies turn whole times over the trained side',
  ratios: 'own',
  options: { ...PARTS, temperature: 0.1 },
  formula(frequencies, axis) {
    const { s, base, side } = axis;
    const whole = wholeTurns(frequencies, side);
    const D = 2 * frequencies.length;
    // NTK's larger base to the powers that the moved frequencies are of the trained base.
    const growth = D > 2 ? (D / (D - 2)) * (Math.log(s) / Math.log(base)) : 0;
    const ntk = whole.map((f) => f ** (1 + growth));
    return byParts(whole, ntk, { ...axis, name });
  },
  logitScale: (s, options) => temperature(s, Number(options.temperature)),
});
