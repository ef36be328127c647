/**
 * Denoising diffusion implicit models (Song et al. 2021, eq. 12). eta = 0 is deterministic: exact along the ODE
 * while the clean estimate stands still, which makes it Euler's method in (x / alpha, sigma / alpha), and first order.
 * eta = 1 draws with the posterior variance, as ancestral sampling does.
 */
import { transition } from '../gaussian.ts';
import { convert } from '../prediction.ts';
import type { Schedule, Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

/** From x at t to time s, either way: s > t runs the picture back towards noise. */
export function ddimStep(
  schedule: Schedule,
  { x, clean, t, s }: { x: Float32Array; clean: Float32Array; t: number; s: number },
  random?: { readonly eta: number; readonly noise: Float32Array },
): Float32Array {
  if (schedule.sigma(s) === 0 && !random) return weightedSum([schedule.alpha(s), clean]);
  const noise = convert(clean, x, { from: 'clean', to: 'noise', schedule, t });
  const fresh = random ? random.eta * Math.sqrt(transition(schedule, t, s).posterior) : 0;
  const kept = Math.sqrt(Math.max(schedule.sigma(s) ** 2 - fresh ** 2, 0));
  return weightedSum(
    [schedule.alpha(s), clean],
    [kept, noise],
    [fresh, random ? random.noise : noise],
  );
}

export type DdimOptions = {
  /** 0 (default) to 1. */
  readonly eta?: number;
};

export function ddim({ eta = 0 }: DdimOptions = {}): Solver {
  if (!(eta >= 0 && eta <= 1)) throw new RangeError(`ddim: expected eta in [0, 1], got ${eta}`);
  return function* ({ start, times, schedule, gaussian }) {
    let x = start;
    for (let step = 0; step + 1 < times.length; step++) {
      const [t, s] = [times[step]!, times[step + 1]!];
      const { clean } = yield { x, t, step };
      const random = eta > 0 && schedule.sigma(s) > 0;
      x = ddimStep(
        schedule,
        { x, clean, t, s },
        random ? { eta, noise: gaussian(`step/${step}`) } : undefined,
      );
    }
    return x;
  };
}
