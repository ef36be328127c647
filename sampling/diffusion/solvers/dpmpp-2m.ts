/**
 * DPM-Solver++ (2M) (Lu et al. 2022, algorithm 2): second order from one query a step, by extrapolating the clean
 * estimate linearly in lambda = log(alpha / sigma) to the middle of the step. The first step, and any next to an
 * infinite lambda (alpha = 0 or sigma = 0), is first order, where it is DDIM's. Ours: `lastFirstOrder` makes the
 * final step first order even when its lambda is finite.
 */
import type { Schedule, Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

const lambda = (schedule: Schedule, t: number) => Math.log(schedule.alpha(t) / schedule.sigma(t));

/** 1 / (2 r) with r = previous step / this step in lambda; 0 is first order. */
function extrapolation(schedule: Schedule, before: number, t: number, s: number): number {
  const [from, at, to] = [before, t, s].map((time) => lambda(schedule, time)) as [
    number,
    number,
    number,
  ];
  const weight = (to - at) / (at - from) / 2;
  return Number.isFinite(weight) ? weight : 0;
}

export type Dpmpp2mOptions = { readonly lastFirstOrder?: boolean };

export function dpmpp2m({ lastFirstOrder = false }: Dpmpp2mOptions = {}): Solver {
  return function* ({ start, times, schedule }) {
    let x = start;
    let previous: Float32Array | undefined;
    for (let step = 0; step + 1 < times.length; step++) {
      const [t, s] = [times[step]!, times[step + 1]!];
      const { clean } = yield { x, t, step };
      const simple = !previous || (lastFirstOrder && step + 2 === times.length);
      const ahead = simple ? 0 : extrapolation(schedule, times[step - 1]!, t, s);
      const shrink = schedule.sigma(s) / schedule.sigma(t);
      const gain = schedule.alpha(s) - schedule.alpha(t) * shrink;
      x = weightedSum([shrink, x], [gain * (1 + ahead), clean], [-gain * ahead, previous ?? clean]);
      previous = clean;
    }
    return x;
  };
}
