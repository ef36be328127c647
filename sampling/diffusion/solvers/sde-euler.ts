/**
 * Euler-Maruyama on the reverse SDE of Ma et al. 2024 (SiT): velocity and score from one answer, noise of
 * coefficient g(t), strong order 1/2. The last interval of the grid is one step without noise, by `last`:
 * 'mean' takes the SDE's drift, 'euler' the ODE's, 'clean' jumps to the clean estimate, 'noise' is a step like
 * the others. SiT's grid is N - 1 equal steps from 1 to 0.04, then 0.
 */
import { diffusionCoefficient } from '../diffusion-coefficient.ts';
import { scoreOf, velocityOf } from '../prediction.ts';
import type { Answer, Schedule, Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

export type LastStep = 'mean' | 'euler' | 'clean' | 'noise';

export type SdeOptions = {
  /** g(t). Default sigma(t). */
  readonly coefficient?: (t: number) => number;
  readonly last?: LastStep;
};

/** Drift of the reverse SDE per unit of falling time: g score - velocity. */
export function reverseDrift(
  answer: Answer,
  x: Float32Array,
  { schedule, t, g }: { schedule: Schedule; t: number; g: number },
): Float32Array {
  const velocity = velocityOf(answer, x, schedule, t);
  if (g === 0) return weightedSum([-1, velocity]);
  return weightedSum([-1, velocity], [g, scoreOf(answer, x, schedule, t)]);
}

/** The last step, taken without noise. */
export function finish(
  last: Exclude<LastStep, 'noise'>,
  { answer, x, t, s }: { answer: Answer; x: Float32Array; t: number; s: number },
  { schedule, g }: { schedule: Schedule; g: number },
): Float32Array {
  if (last === 'clean') return answer.clean;
  const drift = reverseDrift(answer, x, { schedule, t, g: last === 'mean' ? g : 0 });
  return weightedSum([1, x], [t - s, drift]);
}

export function sdeEuler({ coefficient, last = 'mean' }: SdeOptions = {}): Solver {
  return function* ({ start, times, schedule, gaussian }) {
    const g = coefficient ?? diffusionCoefficient('sigma', schedule);
    let x = start;
    for (let step = 0; step + 1 < times.length; step++) {
      const [t, s] = [times[step]!, times[step + 1]!];
      const answer = yield { x, t, step };
      if (step + 2 === times.length && last !== 'noise')
        return finish(last, { answer, x, t, s }, { schedule, g: g(t) });
      const drift = reverseDrift(answer, x, { schedule, t, g: g(t) });
      const spread = Math.sqrt(2 * g(t) * (t - s));
      x = weightedSum([1, x], [t - s, drift], [spread, gaussian(`step/${step}`)]);
    }
    return x;
  };
}
