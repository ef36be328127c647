/**
 * Variance-exploding noise with Karras spacing (Karras et al. 2022, eq. 5): x = clean + sigma noise,
 * sigma(t) = most * t, and the grid is equally spaced in sigma^(1/rho) from `most` to `least`, then 0.
 * Defaults are that paper's: rho 7, sigma from 80 to 0.002.
 */
import { checkSteps, type Schedule } from '../solver.ts';

/** `count` falling noise levels from `most` to `least`, without the final 0. */
export function karrasSigmas(
  count: number,
  { least, most, rho = 7 }: { least: number; most: number; rho?: number },
): number[] {
  checkSteps('karrasSigmas', count);
  const [high, low] = [most ** (1 / rho), least ** (1 / rho)];
  return Array.from(
    { length: count },
    (_, i) => (high + (count === 1 ? 0 : i / (count - 1)) * (low - high)) ** rho,
  );
}

export function karras({ least = 0.002, most = 80, rho = 7 } = {}): Schedule {
  if (!(least > 0 && most > least))
    throw new RangeError(`karras: expected 0 < least < most, got least ${least}, most ${most}`);
  return {
    name: 'karras',
    alpha: () => 1,
    sigma: (t) => most * t,
    alphaRate: () => 0,
    sigmaRate: () => most,
    start: most,
    times: (steps) => [
      1,
      ...karrasSigmas(steps, { least, most, rho })
        .slice(1)
        .map((s) => s / most),
      0,
    ],
  };
}
