/**
 * YaRN (Peng et al. 2024, sections 3.2 and 3.4): frequencies that turn more than `beta` times over the
 * trained side stay, those below `alpha` turns are divided by s, a ramp between; queries and keys are each
 * multiplied by 0.1 ln s + 1, so logits by its square.
 *
 * - `yarn`: both axes take the longer axis's s (FiT's coupled 'yarn', Lu et al. 2024).
 * - `vision-yarn`: each axis has its own s (FiT's VisionYaRN); the temperature's s is that of the longer
 *   axis, as in FiT.
 *
 * Options: `alpha` (1) and `beta` (32) turns, as published for texts, and `temperature` (0.1). Sides of 16 to
 * 64 tokens turn their fastest frequency 2.5 to 10 times, so the published band keeps at most one frequency
 * and the rest is close to interpolation; alpha 0.25 with beta 2 keeps some.
 */
import { type AxisFormula, extendAxes, temperature } from './axes.ts';
import { interpolated, mixed, replacedShare } from './bands.ts';

function yarnOf(name: string, ratios: 'longer' | 'own') {
  const formula: AxisFormula = (frequencies, { s, side, base, options }) => {
    const [slow, fast] = [Number(options.alpha), Number(options.beta)];
    checkBand(name, slow, fast);
    const share = replacedShare(frequencies.length, { fast, slow }, { base, side });
    return mixed(frequencies, interpolated(frequencies, s), share);
  };
  return extendAxes({
    name,
    reducesTo: 'the trained frequencies at ratio 1, interpolation with a band above all turns',
    ratios,
    options: { alpha: 1, beta: 32, temperature: 0.1 },
    formula,
    logitScale: (s, options) => temperature(s, Number(options.temperature)),
  });
}

function checkBand(name: string, slow: number, fast: number): void {
  if (slow > 0 && fast >= slow) return;
  throw new RangeError(
    `positions.extend '${name}': expected turns alpha above 0 and beta of at least alpha, got alpha ${slow} and beta ${fast}; published are 1 and 32`,
  );
}

export const yarn = yarnOf('yarn', 'longer');

export const visionYarn = yarnOf('vision-yarn', 'own');
