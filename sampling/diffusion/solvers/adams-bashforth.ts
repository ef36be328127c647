/**
 * Adams-Bashforth of two steps on the probability-flow ODE in t (Bashforth and Adams 1883; in PNDM of Liu et al. 2022
 * with four): the slope is continued on a line through the last two, so one query a step gives second order. Ours: the
 * formula for steps of different lengths; the first step is Euler's.
 */
import { velocityOf } from '../prediction.ts';
import type { Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

export function adamsBashforth(): Solver {
  return function* ({ start, times, schedule }) {
    let x = start;
    let before: { readonly slope: Float32Array; readonly length: number } | undefined;
    for (let step = 0; step + 1 < times.length; step++) {
      const [t, length] = [times[step]!, times[step + 1]! - times[step]!];
      const slope = velocityOf(yield { x, t, step }, x, schedule, t);
      const ahead = before ? length / (2 * before.length) : 0;
      x = weightedSum(
        [1, x],
        [length * (1 + ahead), slope],
        [-length * ahead, before?.slope ?? slope],
      );
      before = { slope, length };
    }
    return x;
  };
}
