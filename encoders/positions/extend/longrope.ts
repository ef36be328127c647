/**
 * LongRoPE (Ding et al. 2024, eq. 3): every frequency is divided by a factor of its own, found by search
 * (training/longrope-search.ts) for a model and a size; factors never fall from one frequency to the next
 * slower one. Sides no longer than trained keep their frequencies, which is the paper's readjustment for
 * short inputs.
 *
 * Options: `y` and `x`, the factors of each axis, one a frequency; there is no default, they belong to
 * a model. The paper also leaves the first positions of a sequence as they are; in a picture no token is
 * first in that sense and scores would no longer depend on offsets alone, so this is left out.
 * Ours: factors of two axes.
 */
import { extendAxes } from './axes.ts';

const name = 'longrope';

export const longrope = extendAxes({
  name,
  reducesTo: 'the trained frequencies with all factors 1, interpolation with all factors s',
  ratios: 'own',
  options: { y: [] as readonly number[], x: [] as readonly number[] },
  formula(frequencies, { axis, options }) {
    const factors = options[axis] as readonly number[];
    checkFactors(axis, factors, frequencies.length);
    return frequencies.map((f, i) => f / factors[i]!);
  },
});

function checkFactors(axis: 'y' | 'x', factors: readonly number[], count: number): void {
  const where = `positions.extend '${name}'.${axis}`;
  if (factors.length !== count) {
    throw new RangeError(
      `${where}: expected ${count} factors, one a frequency, got ${factors.length}; they are found by a search for the model and the size`,
    );
  }
  const wrong = factors.findIndex((factor, i) => !(factor > 0 && factor >= (factors[i - 1] ?? 0)));
  if (wrong >= 0) {
    throw new RangeError(
      `${where}: expected factors above 0 that never fall, got ${factors[wrong]} at index ${wrong}`,
    );
  }
}
