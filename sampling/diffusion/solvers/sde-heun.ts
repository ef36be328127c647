/**
 * Stochastic Heun on the reverse SDE of Ma et al. 2024 (SiT): noise first, then Heun's step on the drift from there,
 * two queries a step; as in Karras et al. 2022, algorithm 2, but with g(t) in place of churn. The last step is
 * `sde-euler`'s, with one query.
 */
import { diffusionCoefficient } from '../diffusion-coefficient.ts';
import type { Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';
import { finish, type LastStep, reverseDrift } from './sde-euler.ts';

export type SdeHeunOptions = {
  /** g(t). Default sigma(t). */
  readonly coefficient?: (t: number) => number;
  readonly last?: Exclude<LastStep, 'noise'>;
};

export function sdeHeun({ coefficient, last = 'mean' }: SdeHeunOptions = {}): Solver {
  return function* ({ start, times, schedule, gaussian }) {
    const g = coefficient ?? diffusionCoefficient('sigma', schedule);
    let x = start;
    const final = times.length - 2;
    for (let step = 0; step < final; step++) {
      const [t, s] = [times[step]!, times[step + 1]!];
      const spread = Math.sqrt(2 * g(t) * (t - s));
      x = weightedSum([1, x], [spread, gaussian(`step/${step}`)]);
      const first = reverseDrift(yield { x, t, step }, x, { schedule, t, g: g(t) });
      const guess = weightedSum([1, x], [t - s, first]);
      const second = reverseDrift(yield { x: guess, t: s, step }, guess, {
        schedule,
        t: s,
        g: g(s),
      });
      x = weightedSum([1, x], [(t - s) / 2, first], [(t - s) / 2, second]);
    }
    const [t, s] = [times[final]!, times[final + 1]!];
    const answer = yield { x, t, step: final };
    return finish(last, { answer, x, t, s }, { schedule, g: g(t) });
  };
}
