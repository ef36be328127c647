/**
 * NTK-by-parts (bloc97 2023; as FiT has it: Lu et al. 2024): frequencies that turn often over the trained
 * side stay, slower ones are NTK-aware, the slowest are interpolated, with ramps between. Bands are in
 * turns over the trained side.
 *
 * Options: `axes` 'own' or 'longer' (FiT coupled); `beta` ([1.25, 0.75]), the band from NTK-aware to
 * interpolated, and `gamma` ([16, 2]), the band from trained to those: FiT's numbers. A frequency of a
 * 16-token side turns 2.5 times at most, so these bands keep one frequency of such a side.
 */
import type { Options } from '../contract.ts';
import { type Axis, bandOf, extendAxes } from './axes.ts';
import { interpolated, mixed, ntkAware, replacedShare } from './bands.ts';

/** Also UltraFlux's, from its own NTK-aware frequencies. */
export function byParts(
  frequencies: readonly number[],
  ntk: readonly number[],
  {
    s,
    base,
    side,
    options,
    name,
  }: Pick<Axis, 's' | 'base' | 'side' | 'options'> & { name: string },
): number[] {
  const share = (option: 'beta' | 'gamma') =>
    replacedShare(frequencies.length, bandOf(name, option, options), { base, side });
  const longer = mixed(ntk, interpolated(frequencies, s), share('beta'));
  return mixed(frequencies, longer, share('gamma'));
}

/** FiT's bands. */
export const PARTS = { beta: [1.25, 0.75], gamma: [16, 2] } as const satisfies Options;

const name = 'ntk-by-parts';

export const ntkByParts = extendAxes({
  name,
  reducesTo:
    'the trained frequencies at ratio 1, interpolation where both bands lie above all turns',
  ratios: 'option',
  options: PARTS,
  formula: (frequencies, axis) =>
    byParts(frequencies, ntkAware(frequencies, axis.s), { ...axis, name }),
});
