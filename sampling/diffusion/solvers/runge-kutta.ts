/**
 * Explicit Runge-Kutta methods on the probability-flow ODE in t, one table a method: midpoint (order 2), Heun's third
 * order, and Kutta's 3/8 rule (order 4, 1901). A method whose table has a stage at 1 asks for the slope at the end of
 * each step, so at sigma = 0 it needs a network that answers with a velocity.
 */
import { velocityOf } from '../prediction.ts';
import type { Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

type Tableau = {
  /** Stage times as fractions of the step, and the weights of earlier slopes that lead there. */
  readonly stages: readonly { readonly at: number; readonly from: readonly number[] }[];
  readonly weights: readonly number[];
};

const TABLEAUS = {
  midpoint: {
    stages: [
      { at: 0, from: [] },
      { at: 1 / 2, from: [1 / 2] },
    ],
    weights: [0, 1],
  },
  heun3: {
    stages: [
      { at: 0, from: [] },
      { at: 1 / 3, from: [1 / 3] },
      { at: 2 / 3, from: [0, 2 / 3] },
    ],
    weights: [1 / 4, 0, 3 / 4],
  },
  rk4: {
    stages: [
      { at: 0, from: [] },
      { at: 1 / 3, from: [1 / 3] },
      { at: 2 / 3, from: [-1 / 3, 1] },
      { at: 1, from: [1, -1, 1] },
    ],
    weights: [1 / 8, 3 / 8, 3 / 8, 1 / 8],
  },
} as const satisfies Record<string, Tableau>;

export type RungeKuttaMethod = keyof typeof TABLEAUS;

export function rungeKutta(method: RungeKuttaMethod): Solver {
  const { stages, weights }: Tableau = TABLEAUS[method];
  return function* ({ start, times, schedule }) {
    let x = start;
    for (let step = 0; step + 1 < times.length; step++) {
      const [t, s] = [times[step]!, times[step + 1]!];
      const slopes: Float32Array[] = [];
      const along = (fractions: readonly number[]) =>
        weightedSum([1, x], ...slopes.map((k, i) => [(s - t) * (fractions[i] ?? 0), k] as const));
      for (const { at, from } of stages) {
        const time = at === 1 ? s : t + at * (s - t);
        const there = along(from);
        slopes.push(velocityOf(yield { x: there, t: time, step }, there, schedule, time));
      }
      x = along(weights);
    }
    return x;
  };
}
