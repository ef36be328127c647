import { describe, expect, test } from 'vitest';
import {
  diffusionCoefficient,
  forwardDrift,
} from '../../../sampling/diffusion/diffusion-coefficient.ts';
import { noised } from '../../../sampling/diffusion/gaussian.ts';
import { convert, type Prediction, toAnswer } from '../../../sampling/diffusion/prediction.ts';
import { flow, uniformTimes } from '../../../sampling/diffusion/schedules/flow.ts';
import { gvp } from '../../../sampling/diffusion/schedules/gvp.ts';
import { vp } from '../../../sampling/diffusion/schedules/vp.ts';
import {
  type Query,
  type Schedule,
  type Solver,
  solve,
  trace,
} from '../../../sampling/diffusion/solver.ts';
import { dormandPrince } from '../../../sampling/diffusion/solvers/dormand-prince.ts';
import { euler } from '../../../sampling/diffusion/solvers/euler.ts';
import { heun } from '../../../sampling/diffusion/solvers/heun.ts';
import { rungeKutta } from '../../../sampling/diffusion/solvers/runge-kutta.ts';
import { type LastStep, sdeEuler } from '../../../sampling/diffusion/solvers/sde-euler.ts';
import { sdeHeun } from '../../../sampling/diffusion/solvers/sde-heun.ts';
import { weightedSum } from '../../../sampling/diffusion/weighted-sum.ts';
import { expectFixture, loadFixture, outputsOf, tensorOf } from '../../fixtures.ts';

/**
 * The published code counts time from noise (0) to data (1): tau = 1 - t. Its velocity is dx/dtau, ours dx/dt, so the
 * sign flips; its score, noise and x are ours.
 */
const fixture = loadFixture('sit', 'transport');
const input = (name: string) => tensorOf(fixture, `in/${name}`);
const [noise, clean, z, v] = [input('x0'), input('x1'), input('z'), input('v')];
const taus = Array.from(input('t'));
const size = 3 * 4 * 4;
const cut = (values: Float32Array, row: number) => values.slice(row * size, (row + 1) * size);
const perRow = (of: (row: number, t: number) => Float32Array) =>
  taus.flatMap((tau, row) => Array.from(of(row, 1 - tau)));

const network = (x: Float32Array, tau: number) =>
  x.map((value) => 0.3 * value * Math.cos(tau) + 0.1 + 0.05 * tau);

const opposite = (values: Float32Array) => weightedSum([-1, values]);

/** The network read as a prediction in our terms. */
function answering(from: Prediction, schedule: Schedule) {
  return ({ x, t }: Query) => {
    const raw = network(x, 1 - t);
    return toAnswer(from === 'velocity' ? opposite(raw) : raw, x, { from, schedule, t });
  };
}

const SCHEDULES: Record<string, Schedule> = { Linear: flow(), GVP: gvp(), VP: vp() };
const FORMS = {
  SBDM: 'sbdm',
  sigma: 'sigma',
  linear: 'linear',
  decreasing: 'decreasing',
  'inccreasing-decreasing': 'increasing-decreasing',
} as const;

function values(schedule: Schedule, name: string): number[] | undefined {
  const move = (from: Prediction, to: Prediction, sign: number) =>
    perRow((row, t) => {
      const value = from === 'velocity' ? opposite(cut(v, row)) : cut(v, row);
      const x = noised(cut(clean, row), cut(noise, row), schedule, t);
      const result = convert(value, x, { from, to, schedule, t });
      return sign < 0 ? opposite(result) : result;
    });
  const scale = (of: (t: number) => number) => taus.map((tau) => of(1 - tau));
  switch (name) {
    case 'xt':
      return perRow((row, t) => noised(cut(clean, row), cut(noise, row), schedule, t));
    case 'ut':
      return perRow((row, t) => {
        const rates = [-schedule.alphaRate(t), -schedule.sigmaRate(t)] as const;
        return weightedSum([rates[0], cut(clean, row)], [rates[1], cut(noise, row)]);
      });
    case 'score_from_velocity':
      return move('velocity', 'score', 1);
    case 'noise_from_velocity':
      return move('velocity', 'noise', 1);
    case 'velocity_from_score':
      return move('score', 'velocity', -1);
    case 'drift_mean':
      return perRow((row, t) => {
        const x = noised(cut(clean, row), cut(noise, row), schedule, t);
        return weightedSum([forwardDrift(schedule, t).factor, x]);
      });
    case 'drift_var':
      return scale((t) => forwardDrift(schedule, t).diffusion);
    default: {
      const form = FORMS[name.replace('diffusion_', '') as keyof typeof FORMS];
      return form && name.startsWith('diffusion_')
        ? scale(diffusionCoefficient(form, schedule))
        : undefined;
    }
  }
}

/** Weighted squared error per picture; VP keeps its times off the singular end. */
function loss(path: string, schedule: Schedule, name: string): number[] {
  const [, kind, weighting] = name.split('_') as [string, string, string];
  return taus.map((drawn, row) => {
    const tau = path === 'VP' ? drawn * (1 - 1e-5) : drawn;
    const t = 1 - tau;
    const [e, c] = [cut(noise, row), cut(clean, row)];
    const raw = network(noised(c, e, schedule, t), tau);
    const [sigma, { diffusion }] = [schedule.sigma(t), forwardDrift(schedule, t)];
    const weights = {
      None: 1,
      velocity: (diffusion / sigma) ** 2,
      likelihood: diffusion / sigma ** 2,
    };
    const weight = kind === 'velocity' ? 1 : weights[weighting as keyof typeof weights];
    const error = (i: number) => {
      if (kind === 'noise') return raw[i]! - e[i]!;
      if (kind === 'score') return raw[i]! * sigma + e[i]!;
      return raw[i]! + schedule.alphaRate(t) * c[i]! + schedule.sigmaRate(t) * e[i]!;
    };
    return (weight * raw.reduce((sum, _, i) => sum + error(i) ** 2, 0)) / size;
  });
}

const ODE: Record<string, Solver> = {
  euler: euler(),
  midpoint: rungeKutta('midpoint'),
  heun2: heun({ last: 'heun' }),
  heun3: rungeKutta('heun3'),
  rk4: rungeKutta('rk4'),
  dopri5: dormandPrince({ overshoot: true }),
};
const LAST: Record<string, LastStep> = {
  Mean: 'mean',
  Tweedie: 'clean',
  Euler: 'euler',
  None: 'noise',
};

/** N points are N - 1 steps. Away from velocity both ends are moved in by 0.001. Some outputs hold all N points. */
async function ode(schedule: Schedule, name: string, points: number): Promise<number[]> {
  const [, method, kind = 'velocity'] = /^ode_(.+?)10(?:_(.+))?$/.exec(name)!;
  const edge = kind === 'velocity' ? 0 : 1e-3;
  const times = uniformTimes(9, { from: 1 - edge, to: edge });
  const problem = { start: z, times, schedule, gaussian: () => z };
  const seen = await trace(ODE[method!]!, problem, answering(kind as Prediction, schedule));
  const firsts = seen.filter(({ step }, i) => step !== seen[i - 1]?.step);
  return firsts.slice(-points).flatMap(({ x }) => Array.from(x));
}

function sde(schedule: Schedule, name: string): Promise<Float32Array> {
  const [, method, form, end] = name.split('_') as [string, string, string, string];
  const last = LAST[end]!;
  const times = last === 'noise' ? uniformTimes(9) : [...uniformTimes(9, { to: 0.04 }), 0];
  const all = input('noise');
  const gaussian = (stream: string) => {
    const k = Number(stream.slice('step/'.length));
    return all.slice(k * z.length, (k + 1) * z.length);
  };
  const coefficient = diffusionCoefficient(FORMS[form as keyof typeof FORMS], schedule);
  const solver =
    method === 'heun' && last !== 'noise'
      ? sdeHeun({ coefficient, last })
      : sdeEuler({ coefficient, last });
  return solve(solver, { start: z, times, schedule, gaussian }, answering('velocity', schedule));
}

describe('sit/transport', () => {
  test('has the outputs known here', () => expect(outputsOf(fixture)).toHaveLength(89));

  test.each(outputsOf(fixture))('%s', async (output) => {
    const [, path, name] = output.split('/') as [string, string, string];
    const schedule = SCHEDULES[path]!;
    const result = name.startsWith('loss_')
      ? loss(path, schedule, name)
      : name.startsWith('ode_')
        ? await ode(schedule, name, fixture.tensors[output]!.shape.length === 5 ? 10 : 1)
        : name.startsWith('sde_')
          ? await sde(schedule, name)
          : values(schedule, name);
    expectFixture(result!, fixture, output);
  });
});
