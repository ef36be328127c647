/**
 * NTK-aware interpolation (bloc97 2023; Peng et al. 2024, section 3.1): the rotation's base grows to
 * base s^(D / (D - 2)), so the fastest frequency stays and the slowest is divided by s. D is an axis's
 * share of the head.
 *
 * - `ntk`: both axes take the longer axis's s (FiT's coupled 'ntk-aware', Lu et al. 2024).
 * - `vision-ntk`: each axis has its own s (FiT's VisionNTK), so a side that is not longer is left alone.
 *
 * Options: none. Ours: written as f_i s^(-i / (F - 1)), which is the same for powers of a base and also
 * has a meaning for other frequencies.
 */
import { type AxisFormula, extendAxes } from './axes.ts';
import { ntkAware } from './bands.ts';

const formula: AxisFormula = (frequencies, { s }) => ntkAware(frequencies, s);
const reducesTo = 'the trained frequencies at ratio 1';

export const ntk = extendAxes({ name: 'ntk', reducesTo, ratios: 'longer', formula });

export const visionNtk = extendAxes({ name: 'vision-ntk', reducesTo, ratios: 'own', formula });
