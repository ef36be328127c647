/**
 * Ancestral sampling (Ho et al. 2020, algorithm 2), on any schedule and any falling grid: x(s) is drawn from
 * the posterior given x(t) and the clean estimate. The variance is the network's where it learns one, otherwise
 * `variance`. The step that ends at sigma = 0 draws no noise.
 */
import { rangedLogVariance, transition } from '../gaussian.ts';
import type { Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

export type DdpmOptions = {
  /** Used where the network learns none. Default 'posterior', the smaller. */
  readonly variance?: 'posterior' | 'forward';
};

export function ddpm({ variance = 'posterior' }: DdpmOptions = {}): Solver {
  return function* ({ start, times, schedule, gaussian }) {
    let x = start;
    for (let step = 0; step + 1 < times.length; step++) {
      const [t, s] = [times[step]!, times[step + 1]!];
      const answer = yield { x, t, step };
      const move = transition(schedule, t, s);
      const mean = weightedSum([move.clean, answer.clean], [move.x, x]);
      x = mean;
      if (schedule.sigma(s) === 0) continue;
      const noise = gaussian(`step/${step}`);
      const fixed = Math.sqrt(move[variance]);
      const [low, high] = [Math.log(move.posterior), Math.log(move.forward)];
      const deviation = (i: number) =>
        answer.variance ? Math.exp(rangedLogVariance(answer.variance[i]!, low, high) / 2) : fixed;
      x = mean.map((value, i) => value + deviation(i) * noise[i]!);
    }
    return x;
  };
}
