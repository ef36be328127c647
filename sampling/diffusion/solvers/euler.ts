/**
 * Euler's method on the probability-flow ODE in t (Song et al. 2021, eq. 13): first order. On `karras`, where t is
 * proportional to sigma, it is the method of Karras et al. 2022; on `flow` the usual one of flow matching.
 */
import { velocityOf } from '../prediction.ts';
import type { Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

export function euler(): Solver {
  return function* ({ start, times, schedule }) {
    let x = start;
    for (let step = 0; step + 1 < times.length; step++) {
      const [t, s] = [times[step]!, times[step + 1]!];
      const answer = yield { x, t, step };
      x = weightedSum([1, x], [s - t, velocityOf(answer, x, schedule, t)]);
    }
    return x;
  };
}
