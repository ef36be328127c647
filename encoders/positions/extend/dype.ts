/**
 * DyPE: dynamic position extrapolation (Issachar et al. 2025, eqs. 13 to 17). Early steps decide the
 * layout, late ones the detail: frequencies are extended at t = 1 and come back to the trained ones
 * as t falls to 0, by kappa(t) = strength * t^exponent. Each axis has its own ratio s; a side within
 * the trained one is left alone.
 *
 * - `dype-pi`: f / s^kappa.
 * - `dype-ntk`: f_i / s^(kappa 2i / (D - 2)); the default strength 2 is the paper's.
 * - `dype-yarn`: NTK-by-parts whose bands (turns over the trained side) shrink with kappa, and
 *   YaRN's attention temperature (0.1 ln s + 1)^2 at every t. The temperature's s is that of the
 *   longer axis (FiT); the paper's code has one an axis, which no factor of the logits can express.
 *
 * Options: `strength` (1; ntk 2), `exponent` (2); `dype-yarn` also `beta` ([1.25, 0.75]), the band
 * from NTK to PI, and `gamma` ([16, 2]), the band from the trained frequency to those.
 */
import type { ExtendMethod, Extension, Options, Where } from '../contract.ts';
import { bandOf } from './axes.ts';
import { interpolated, mixed, ntkAware, ratiosOf, replacedShare } from './bands.ts';

type Axis = {
  readonly s: number;
  readonly kappa: number;
  readonly base: number;
  /** Trained side, in units of coordinates. */
  readonly side: number;
  readonly options: Options;
};
type Formula = (frequencies: readonly number[], axis: Axis) => readonly number[];

const pi: Formula = (frequencies, { s, kappa }) => interpolated(frequencies, s ** kappa);

const ntk: Formula = (frequencies, { s, kappa }) => ntkAware(frequencies, s ** kappa);

const byParts: Formula = (frequencies, { s, kappa, options, ...trained }) => {
  const band = (name: 'beta' | 'gamma') => {
    const { fast, slow } = bandOf('dype-yarn', name, options);
    return { fast: fast * kappa, slow: slow * kappa };
  };
  const share = (name: 'beta' | 'gamma') => replacedShare(frequencies.length, band(name), trained);
  const longer = mixed(ntkAware(frequencies, s), interpolated(frequencies, s), share('beta'));
  return mixed(frequencies, longer, share('gamma'));
};

function dype(
  { formula, name, reducesTo }: { formula: Formula; name: string; reducesTo: string },
  options: NonNullable<ExtendMethod['options']>,
  temperature: (s: number) => number = () => 1,
): ExtendMethod {
  return {
    hook: 'extend',
    name,
    of: 'frequencies',
    timed: true,
    reducesTo,
    options,
    extend({ where, spans, options: chosen, base, ...given }): Extension {
      const { frequencies, coordinates, logitScale } = given;
      const ratios = ratiosOf(spans);
      const { trained } = spans;
      const longest = Math.max(ratios.y, ratios.x);
      const axis = (own: readonly number[], s: number, side: number) => {
        const kappa = s === 1 ? 0 : kappaOf(name, where, chosen);
        // At kappa 0 bands would be logarithms of zero.
        return kappa === 0 ? own : formula(own, { s, kappa, base, side, options: chosen });
      };
      return {
        frequencies: {
          y: axis(frequencies.y, ratios.y, trained.height),
          x: axis(frequencies.x, ratios.x, trained.width),
        },
        coordinates,
        logitScale: logitScale * temperature(longest),
      };
    },
  };
}

function kappaOf(name: string, { t }: Pick<Where, 't'>, { strength, exponent }: Options): number {
  if (t === undefined) {
    throw new TypeError(
      `${name}: expected a time t for a grid larger than the trained one, got none; it depends on t`,
    );
  }
  return Number(strength) * t ** Number(exponent);
}

export const dypePi = dype(
  { formula: pi, name: 'dype-pi', reducesTo: 'position interpolation at kappa 1' },
  { strength: 1, exponent: 2 },
);

export const dypeNtk = dype(
  { formula: ntk, name: 'dype-ntk', reducesTo: 'NTK-aware frequencies at kappa 1' },
  { strength: 2, exponent: 2 },
);

export const dypeYarn = dype(
  { formula: byParts, name: 'dype-yarn', reducesTo: 'NTK-by-parts at kappa 1' },
  { strength: 1, exponent: 2, beta: [1.25, 0.75], gamma: [16, 2] },
  (s) => (0.1 * Math.log(s) + 1) ** 2,
);
