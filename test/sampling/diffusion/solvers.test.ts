import { describe, expect, test } from 'vitest';
import { diffusionCoefficient } from '../../../sampling/diffusion/diffusion-coefficient.ts';
import { transition } from '../../../sampling/diffusion/gaussian.ts';
import { toAnswer, velocityOf } from '../../../sampling/diffusion/prediction.ts';
import { SCHEDULES, SOLVERS } from '../../../sampling/diffusion/registry.ts';
import { flow, uniformTimes } from '../../../sampling/diffusion/schedules/flow.ts';
import { gvp } from '../../../sampling/diffusion/schedules/gvp.ts';
import { logSnrTimes } from '../../../sampling/diffusion/schedules/log-snr.ts';
import { vp } from '../../../sampling/diffusion/schedules/vp.ts';
import {
  type Answer,
  type Query,
  type Schedule,
  type Solver,
  solve,
} from '../../../sampling/diffusion/solver.ts';
import { adamsBashforth } from '../../../sampling/diffusion/solvers/adams-bashforth.ts';
import { ddim } from '../../../sampling/diffusion/solvers/ddim.ts';
import { ddpm } from '../../../sampling/diffusion/solvers/ddpm.ts';
import { dormandPrince } from '../../../sampling/diffusion/solvers/dormand-prince.ts';
import { dpmpp2m } from '../../../sampling/diffusion/solvers/dpmpp-2m.ts';
import { euler } from '../../../sampling/diffusion/solvers/euler.ts';
import { heun } from '../../../sampling/diffusion/solvers/heun.ts';
import { rungeKutta } from '../../../sampling/diffusion/solvers/runge-kutta.ts';
import { sdeEuler } from '../../../sampling/diffusion/solvers/sde-euler.ts';
import { sdeHeun } from '../../../sampling/diffusion/solvers/sde-heun.ts';
import { weightedSum } from '../../../sampling/diffusion/weighted-sum.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose, largestDifference } from '../../close.ts';
import {
  type Mixture,
  mixtureOracle,
  mixturePath,
  normalOracle,
  normalPath,
  spread,
} from './gaussian-oracle.ts';

const schedules = Object.entries(SCHEDULES).map(([name, make]) => [name, make()] as const);
const scores = Float32Array.from([-1.3, 0.2, 0.9]);
const none = () => new Float32Array(scores.length);

/** Away from the ends, where the measured order is the method's and not the schedule's singularity. */
function grid(schedule: Schedule, steps: number): number[] {
  if (schedule.name === 'karras') return schedule.times(steps).slice(0, -1);
  return uniformTimes(steps, { from: 0.98, to: 0.05 });
}

type Oracle = (query: Pick<Query, 'x' | 't'>) => Answer;

async function errorOf(
  solver: Solver,
  { schedule, times, deviation }: { schedule: Schedule; times: number[]; deviation: number },
): Promise<number> {
  const data = { mean: 0.4, deviation };
  const start = scores.map((score) => score * schedule.start);
  const problem = { start, times, schedule, gaussian: none };
  const result = await solve(solver, problem, normalOracle(data, schedule));
  const ends = { x: start, t: times[0]!, s: times.at(-1)! };
  return largestDifference(result, normalPath(data, schedule, ends));
}

/** log2 of how much smaller the error gets with twice the steps. */
async function orderOf(solver: Solver, schedule: Schedule, steps: number, deviation = 0.5) {
  const at = (n: number) => errorOf(solver, { schedule, times: grid(schedule, n), deviation });
  return Math.log2((await at(steps)) / (await at(2 * steps)));
}

describe.each(schedules)('%s', (_, schedule) => {
  // Few steps for the high orders: float32 rounding must stay below the error. Normal data with a small
  // deviation is the harder problem, which keeps the fourth order visible.
  test.each([
    ['euler', euler(), 1, 64, 0.5],
    ['ddim', ddim(), 1, 64, 0.5],
    ['heun', heun(), 2, 64, 0.5],
    ['dpmpp-2m', dpmpp2m(), 2, 64, 0.5],
    ['adams-bashforth', adamsBashforth(), 2, 64, 0.5],
    ['heun3', rungeKutta('heun3'), 3, 16, 0.5],
    ['rk4', rungeKutta('rk4'), 4, 16, 0.2],
  ] as const)('%s has its order', async (_, solver, order, steps, deviation) => {
    expect(Math.abs((await orderOf(solver, schedule, steps, deviation)) - order)).toBeLessThan(
      0.35,
    );
  });

  test('midpoint has order 2, or 3 where normal data happens to cancel its error', async () => {
    // With alpha and sigma linear in t the second-order error term of normal data is zero.
    const straight = schedule.name === 'flow' || schedule.name === 'karras';
    const order = await orderOf(rungeKutta('midpoint'), schedule, straight ? 16 : 64);
    expect(Math.abs(order - (straight ? 3 : 2))).toBeLessThan(0.35);
  });

  test('a Heun that averages with 2.05 is caught', async () => {
    expect(Math.abs((await orderOf(wrongHeun, schedule, 64)) - 2)).toBeGreaterThan(0.35);
  });

  test('the default grid ends on the data', async () => {
    const steps = 100;
    for (const solver of [euler(), ddim(), heun(), dpmpp2m()])
      expect(
        await errorOf(solver, { schedule, times: schedule.times(steps), deviation: 0.5 }),
      ).toBeLessThan(0.03);
  });

  test('the adaptive solver keeps its tolerance', async () => {
    const times = [grid(schedule, 1)[0]!, schedule.name === 'karras' ? 0.002 / 80 : 0.05];
    const error = await errorOf(dormandPrince({ atol: 1e-5, rtol: 1e-5 }), {
      schedule,
      times,
      deviation: 0.5,
    });
    // The sum of local errors, each below 1e-5 of values up to 100 on karras.
    expect(error).toBeLessThan(schedule.name === 'karras' ? 1e-3 : 1e-4);
  });
});

/** Negative control: the mean of the slopes divided by 2.05. */
const wrongHeun: Solver = function* ({ start, times, schedule }) {
  let x = start;
  for (let step = 0; step + 1 < times.length; step++) {
    const [t, s] = [times[step]!, times[step + 1]!];
    const slope = velocityOf(yield { x, t, step }, x, schedule, t);
    const guess = weightedSum([1, x], [s - t, slope]);
    const end = velocityOf(yield { x: guess, t: s, step }, guess, schedule, s);
    x = weightedSum([1, x], [(s - t) / 2.05, slope], [(s - t) / 2.05, end]);
  }
  return x;
};

describe('data with two modes', () => {
  const data: Mixture = [
    { weight: 0.3, mean: -0.8, deviation: 0.25 },
    { weight: 0.7, mean: 0.6, deviation: 0.35 },
  ];
  const error = async (solver: Solver, schedule: Schedule, times: number[]) => {
    const oracle: Oracle = mixtureOracle(data, schedule);
    const result = await solve(solver, { start: scores, times, schedule, gaussian: none }, oracle);
    const [t, s] = [times[0]!, times.at(-1)!];
    return largestDifference(
      result,
      Array.from(scores, (x) => mixturePath(data, schedule, { x, t, s })),
    );
  };

  test.each([
    ['ddim', ddim(), 1],
    ['heun', heun(), 2],
    ['dpmpp-2m', dpmpp2m(), 2],
    ['midpoint', rungeKutta('midpoint'), 2],
  ] as const)('%s keeps quantiles, at its order', async (_, solver, order) => {
    for (const schedule of [flow(), gvp(), vp()]) {
      const times = (n: number) => logSnrTimes(schedule, n, { from: 0.98, to: 0.05 });
      const [coarse, fine] = [
        await error(solver, schedule, times(64)),
        await error(solver, schedule, times(128)),
      ];
      expect(Math.abs(Math.log2(coarse / fine) - order), schedule.name).toBeLessThan(0.35);
    }
  });
});

describe('relations between solvers', () => {
  const data = { mean: 0.4, deviation: 0.5 };
  const rng = createRng(3);
  const problem = (schedule: Schedule, steps: number) => ({
    start: rng
      .stream('start')
      .normals(64)
      .map((value) => value * schedule.start),
    times: schedule.times(steps),
    schedule,
    gaussian: (name: string) => rng.stream(name).normals(64),
  });

  test.each(schedules)('%s: DDIM with eta 1 is ancestral sampling', async (_, schedule) => {
    const oracle = normalOracle(data, schedule);
    const [a, b] = [
      await solve(ddim({ eta: 1 }), problem(schedule, 10), oracle),
      await solve(ddpm(), problem(schedule, 10), oracle),
    ];
    expectClose(a, b, { rtol: 1e-5, atol: 2e-5 });
  });

  test.each(schedules)('%s: one step of anything is the clean estimate', async (_, schedule) => {
    const oracle = normalOracle(data, schedule);
    const { start, ...rest } = problem(schedule, 1);
    const { clean } = oracle({ x: start, t: 1 });
    for (const solver of [ddpm(), ddim(), dpmpp2m()])
      expectClose(await solve(solver, { start, ...rest }, oracle), clean);
  });

  test('a velocity answered is a velocity used, also at sigma = 0', async () => {
    const schedule = flow();
    const still = (query: Query) =>
      toAnswer(
        Float32Array.from(query.x, () => 2),
        query.x,
        { from: 'velocity', schedule, t: query.t },
      );
    for (const solver of [heun({ last: 'heun' }), rungeKutta('rk4'), dormandPrince()]) {
      const { start, ...rest } = problem(schedule, 4);
      expectClose(
        await solve(solver, { start, ...rest }, still),
        start.map((value) => value - 2),
      );
    }
  });

  test('a slope that does not exist is refused by name', async () => {
    const oracle = normalOracle(data, flow());
    await expect(solve(rungeKutta('rk4'), problem(flow(), 4), oracle)).rejects.toThrow(
      /velocity does not follow from clean on schedule flow at t = 0/,
    );
  });

  test('times must fall', async () => {
    const oracle = normalOracle(data, flow());
    const times = [1, 0.5, 0.5, 0];
    await expect(solve(euler(), { ...problem(flow(), 1), times }, oracle)).rejects.toThrow(
      /falling/,
    );
  });
});

describe('stochastic solvers', () => {
  const data = { mean: 0.4, deviation: 0.5 };
  const size = 20_000;
  const run = (solver: Solver, schedule: Schedule, steps: number, oracle: Oracle, seed = 1) => {
    const rng = createRng(seed);
    return solve(
      solver,
      {
        start: rng
          .stream('noise')
          .normals(size)
          .map((value) => value * schedule.start),
        times: schedule.times(steps),
        schedule,
        gaussian: (name) => rng.stream(name).normals(size),
      },
      oracle,
    );
  };
  const moments = (x: Float32Array) => {
    const mean = x.reduce((a, b) => a + b, 0) / size;
    return { mean, variance: x.reduce((a, b) => a + (b - mean) ** 2, 0) / (size - 1) };
  };

  /** The posterior of x(s) given x(t) with the clean picture integrated out, as the fraction a network would learn. */
  const exact =
    (schedule: Schedule, times: readonly number[]): Oracle =>
    ({ x, t }) => {
      const { clean } = normalOracle(data, schedule)({ x, t });
      const s = times[times.indexOf(t) + 1]!;
      if (schedule.sigma(s) === 0) return { clean, variance: clean.map(() => 0) };
      const move = transition(schedule, t, s);
      const doubt = (data.deviation * schedule.sigma(t)) / spread(data, schedule, t);
      const best = Math.log(move.posterior + (move.clean * doubt) ** 2);
      const [low, high] = [Math.log(move.posterior), Math.log(move.forward)];
      return { clean, variance: clean.map(() => (best - low) / (high - low)) };
    };

  // The last step to t = 0 draws nothing, so the law is that of the clean estimate there: it lacks the doubt
  // left at the last time, which 60 steps make small and the bound below counts exactly.
  test.each(schedules)(
    '%s: with the exact posterior variance, ancestral sampling has the exact law',
    async (_, schedule) => {
      const times = schedule.times(60);
      const last = times.at(-2)!;
      const doubt = ((data.deviation * schedule.sigma(last)) / spread(data, schedule, last)) ** 2;
      const { mean, variance } = moments(await run(ddpm(), schedule, 60, exact(schedule, times)));
      const expected = data.deviation ** 2 - doubt;
      // 1 - 4e-5 and the like: alpha(1) is not exactly 0 on tables, and starts carry no mean.
      expect(Math.abs(mean - data.mean)).toBeLessThan(4 * Math.sqrt(expected / size) + 0.004);
      expect(Math.abs(variance / expected - 1)).toBeLessThan(4 * Math.sqrt(2 / size) + 0.002);
    },
  );

  test.each(['posterior', 'forward'] as const)(
    'fixed %s variance follows its recursion',
    async (kind) => {
      const schedule = SCHEDULES.linear();
      const times = schedule.times(20);
      let [variance, mean] = [1, 0];
      for (const [i, t] of times.slice(0, -1).entries()) {
        const move = transition(schedule, t, times[i + 1]!);
        const alpha = schedule.alpha(t);
        const gain = (alpha * data.deviation ** 2) / spread(data, schedule, t) ** 2;
        mean = move.clean * (data.mean + gain * (mean - alpha * data.mean)) + move.x * mean;
        variance = (move.clean * gain + move.x) ** 2 * variance;
        if (times[i + 1]! > 0) variance += move[kind];
      }
      const got = moments(
        await run(ddpm({ variance: kind }), schedule, 20, normalOracle(data, schedule)),
      );
      expect(Math.abs(got.mean - mean)).toBeLessThan(4 * Math.sqrt(variance / size));
      expect(Math.abs(got.variance / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / size));
      // 20 steps are few: the recursion differs from the data's law by more than sampling error.
      expect(Math.abs(variance / data.deviation ** 2 - 1)).toBeGreaterThan(0.03);
    },
  );

  test.each([
    ['sde-euler', 'sigma', sdeEuler],
    ['sde-euler', 'increasing-decreasing', sdeEuler],
    ['sde-heun', 'sigma', sdeHeun],
  ] as const)('%s with %s noise ends near the data', async (_, form, make) => {
    for (const schedule of [flow(), gvp()]) {
      const solver = make({ coefficient: diffusionCoefficient(form, schedule) });
      const { mean, variance } = moments(
        await run(solver, schedule, 100, normalOracle(data, schedule)),
      );
      // First order in 1/100, on top of the sampling error.
      expect(Math.abs(mean - data.mean)).toBeLessThan(0.02);
      expect(Math.abs(variance / data.deviation ** 2 - 1)).toBeLessThan(0.06);
    }
  });

  test('without noise the SDE is the ODE', async () => {
    const oracle = normalOracle(data, flow());
    const quiet = await run(sdeEuler({ coefficient: () => 0 }), flow(), 12, oracle);
    expectClose(quiet, await run(euler(), flow(), 12, oracle));
  });
});

test('every registered solver runs on every registered schedule', async () => {
  for (const [, schedule] of schedules)
    for (const make of Object.values(SOLVERS)) {
      const problem = {
        start: scores.map((v) => v * schedule.start),
        times: schedule.times(8),
        schedule,
      };
      const oracle = normalOracle({ mean: 0, deviation: 0.5 }, schedule);
      const result = await solve(make(), { ...problem, gaussian: none }, oracle);
      expect(result.every(Number.isFinite)).toBe(true);
    }
});
