/**
 * Heun's method on the probability-flow ODE in t (Karras et al. 2022, algorithm 1): the mean of the slopes at both
 * ends, second order, two queries a step. The last step to sigma = 0 is Euler's, as there the slope does not follow
 * from a clean estimate; `last: 'heun'` is for networks that answer with a velocity.
 */
import { velocityOf } from '../prediction.ts';
import type { Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

export type HeunOptions = {
  /** The step that ends at sigma = 0. Default 'euler'. */
  readonly last?: 'euler' | 'heun';
};

export function heun({ last = 'euler' }: HeunOptions = {}): Solver {
  return function* ({ start, times, schedule }) {
    let x = start;
    for (let step = 0; step + 1 < times.length; step++) {
      const [t, s] = [times[step]!, times[step + 1]!];
      const slope = velocityOf(yield { x, t, step }, x, schedule, t);
      const guess = weightedSum([1, x], [s - t, slope]);
      if (schedule.sigma(s) === 0 && last === 'euler') {
        x = guess;
        continue;
      }
      const end = velocityOf(yield { x: guess, t: s, step }, guess, schedule, s);
      x = weightedSum([1, x], [(s - t) / 2, slope], [(s - t) / 2, end]);
    }
    return x;
  };
}
