/**
 * YaRN (Peng et al. 2024, sections 3.2 and 3.4): frequencies that turn more than `fast` times over the
 * trained side stay, those below `slow` turns are divided by s, a ramp between; queries and keys are each
 * multiplied by 0.1 ln s + 1, so logits by its square.
 *
 * - `yarn`: both axes take the longer axis's s (FiT's coupled 'yarn', Lu et al. 2024).
 * - `vision-yarn`: each axis has its own s (FiT's VisionYaRN); the temperature's s is that of the longer
 *   axis, as in FiT.
 *
 * Options: `band` ([32, 1] turns, published) and `temperature` (0.1). Sides of 16 to 64 tokens turn their
 * fastest frequency 2.5 to 10 times, so the published band keeps at most one frequency and the rest is
 * close to interpolation; [2, 0.25] keeps some.
 */
import { type AxisFormula, bandOf, extendAxes, temperature } from './axes.ts';
import { interpolated, mixed, replacedShare } from './bands.ts';

function yarnOf(name: string, ratios: 'longer' | 'own') {
  const formula: AxisFormula = (frequencies, { s, side, base, options }) => {
    const share = replacedShare(frequencies.length, bandOf(name, 'band', options), { base, side });
    return mixed(frequencies, interpolated(frequencies, s), share);
  };
  return extendAxes({
    name,
    reducesTo: 'the trained frequencies at ratio 1, interpolation with a band above all turns',
    ratios,
    options: { band: [32, 1], temperature: 0.1 },
    formula,
    logitScale: (s, options) => temperature(s, Number(options.temperature)),
  });
}

export const yarn = yarnOf('yarn', 'longer');

export const visionYarn = yarnOf('vision-yarn', 'own');
