/**
 * SiT's transport: paths, conversions, losses and samplers of a closed-form network. Time is tau = 1 - t
 * from noise to data; velocities change their sign, scores and noise do not.
 */
import {
  diffusionCoefficient,
  forwardDrift,
} from '../../sampling/diffusion/diffusion-coefficient.ts';
import { noised } from '../../sampling/diffusion/gaussian.ts';
import { convert, type Prediction, toAnswer } from '../../sampling/diffusion/prediction.ts';
import { flow, uniformTimes } from '../../sampling/diffusion/schedules/flow.ts';
import { gvp } from '../../sampling/diffusion/schedules/gvp.ts';
import { vp } from '../../sampling/diffusion/schedules/vp.ts';
import {
  type Query,
  type Schedule,
  type Solver,
  solve,
  trace,
} from '../../sampling/diffusion/solver.ts';
import { dormandPrince } from '../../sampling/diffusion/solvers/dormand-prince.ts';
import { euler } from '../../sampling/diffusion/solvers/euler.ts';
import { heun } from '../../sampling/diffusion/solvers/heun.ts';
import { rungeKutta } from '../../sampling/diffusion/solvers/runge-kutta.ts';
import { type LastStep, sdeEuler } from '../../sampling/diffusion/solvers/sde-euler.ts';
import { sdeHeun } from '../../sampling/diffusion/solvers/sde-heun.ts';
import { weightedSum } from '../../sampling/diffusion/weighted-sum.ts';
import type { Computed } from './compare.ts';
import { type Fixture, floatsOf, numbersOf, outputsOf, shapeOf } from './fixture.ts';

const PATHS = { Linear: flow, GVP: gvp, VP: vp } as const;
export type PathName = keyof typeof PATHS;
const FORMS = {
  SBDM: 'sbdm',
  sigma: 'sigma',
  linear: 'linear',
  decreasing: 'decreasing',
  'inccreasing-decreasing': 'increasing-decreasing',
} as const;
const ODE: Record<string, () => Solver> = {
  euler: () => euler(),
  midpoint: () => rungeKutta('midpoint'),
  heun2: () => heun({ last: 'heun' }),
  heun3: () => rungeKutta('heun3'),
  rk4: () => rungeKutta('rk4'),
  dopri5: () => dormandPrince({ overshoot: true }),
};
const LAST: Record<string, LastStep> = {
  Mean: 'mean',
  Tweedie: 'clean',
  Euler: 'euler',
  None: 'noise',
};
/** The last step of stochastic samplers, and how far times stay from their ends without a velocity. */
const LAST_STEP = 0.04;
const EDGE = 1e-3;
/** Training on VP keeps tau below 1. */
const VP_EDGE = 1e-5;

/** The fixture's closed-form network. */
const formula = (x: Float32Array, tau: number): Float32Array =>
  x.map((value) => 0.3 * value * Math.cos(tau) + 0.1 + 0.05 * tau);
export const opposite = (values: Float32Array): Float32Array => weightedSum([-1, values]);

const answering =
  (from: Prediction, schedule: Schedule) =>
  ({ x, t }: Query) => {
    const said = formula(x, 1 - t);
    return toAnswer(from === 'velocity' ? opposite(said) : said, x, { from, schedule, t });
  };

/** A path's schedule with the fixture's pictures on it. */
type Path = {
  readonly schedule: Schedule;
  readonly fixture: Fixture;
  readonly taus: readonly number[];
  /** Row of an input; a path's x at a row. */
  readonly row: (name: string, index: number) => Float32Array;
  readonly x: (index: number, t: number) => Float32Array;
};

function pathOf(fixture: Fixture, schedule: Schedule): Path {
  const taus = numbersOf(fixture, 'in/t');
  const row = (name: string, index: number) => {
    const values = floatsOf(fixture, `in/${name}`);
    const size = values.length / taus.length;
    return values.slice(index * size, (index + 1) * size);
  };
  const x = (index: number, t: number) => noised(row('x1', index), row('x0', index), schedule, t);
  return { schedule, fixture, taus, row, x };
}

export async function transport(fixture: Fixture): Promise<Record<string, Computed>> {
  const computed: Record<string, Computed> = {};
  for (const output of outputsOf(fixture)) {
    const [path, name] = output.split('/') as [PathName, string];
    const schedule = PATHS[path]?.();
    const values = schedule && (await compute(pathOf(fixture, schedule), path, name));
    if (values) computed[output] = values;
  }
  return computed;
}

async function compute(path: Path, named: PathName, name: string): Promise<Computed | undefined> {
  const ode = /^ode_(euler|midpoint|heun2|heun3|rk4|dopri5)(\d+)(?:_(noise|score))?$/.exec(name);
  if (ode) {
    const [, method, points, kind = 'velocity'] = ode;
    return sampleOde(path, {
      output: `${named}/${name}`,
      method: method!,
      points: Number(points),
      kind: kind as Prediction,
    });
  }
  const sde = /^sde_(euler|heun)_(.+)_(.+)$/.exec(name);
  if (sde) return sampleSde(path, { method: sde[1]!, form: sde[2]!, end: sde[3]! });
  const loss = /^loss_(velocity|noise|score)_(None|velocity|likelihood)$/.exec(name);
  if (loss)
    return losses(path, {
      edge: named === 'VP' ? VP_EDGE : 0,
      kind: loss[1]!,
      weighting: loss[2]!,
    });
  return plainValues(path, name);
}

/** Points on the path, conversions of the given prediction, coefficients. */
function plainValues({ schedule, taus, row, x }: Path, name: string): Computed | undefined {
  const perRow = (of: (index: number, t: number) => Float32Array) =>
    taus.flatMap((tau, index) => Array.from(of(index, 1 - tau)));
  const perTime = (of: (t: number) => number) => taus.map((tau) => of(1 - tau));
  const converted = (from: Prediction, to: Prediction) =>
    perRow((index, t) => {
      const given = row('v', index);
      const value = from === 'velocity' ? opposite(given) : given;
      const result = convert(value, x(index, t), { from, to, schedule, t });
      return to === 'velocity' ? opposite(result) : result;
    });
  switch (name) {
    case 'xt':
      return perRow(x);
    case 'ut':
      return perRow((index, t) =>
        weightedSum(
          [-schedule.alphaRate(t), row('x1', index)],
          [-schedule.sigmaRate(t), row('x0', index)],
        ),
      );
    case 'score_from_velocity':
      return converted('velocity', 'score');
    case 'noise_from_velocity':
      return converted('velocity', 'noise');
    case 'velocity_from_score':
      return converted('score', 'velocity');
    case 'drift_mean':
      return perRow((index, t) => weightedSum([forwardDrift(schedule, t).factor, x(index, t)]));
    case 'drift_var':
      return perTime((t) => forwardDrift(schedule, t).diffusion);
  }
  const form = FORMS[name.replace(/^diffusion_/, '') as keyof typeof FORMS];
  return form && name.startsWith('diffusion_')
    ? perTime(diffusionCoefficient(form, schedule))
    : undefined;
}

/** Weighted square error of each picture. */
function losses(
  { schedule, taus, row }: Path,
  { edge, kind, weighting }: { edge: number; kind: string; weighting: string },
): number[] {
  return taus.map((drawn, index) => {
    const tau = drawn * (1 - edge);
    const t = 1 - tau;
    const [noise, clean] = [row('x0', index), row('x1', index)];
    const said = formula(noised(clean, noise, schedule, t), tau);
    const sigma = schedule.sigma(t);
    const { diffusion } = forwardDrift(schedule, t);
    const likelihood = diffusion / sigma ** 2;
    const weight =
      kind === 'velocity' || weighting === 'None'
        ? 1
        : weighting === 'velocity'
          ? (diffusion / sigma) ** 2
          : likelihood;
    const error = (i: number) => {
      if (kind === 'noise') return said[i]! - noise[i]!;
      if (kind === 'score') return said[i]! * sigma + noise[i]!;
      return said[i]! + schedule.alphaRate(t) * clean[i]! + schedule.sigmaRate(t) * noise[i]!;
    };
    return (weight * said.reduce((sum, _, i) => sum + error(i) ** 2, 0)) / said.length;
  });
}

type Ode = { output: string; method: string; points: number; kind: Prediction };

/** N points are N - 1 steps; outputs with one axis more than the start hold all points. */
async function sampleOde(
  { schedule, fixture }: Path,
  { output, method, points, kind }: Ode,
): Promise<Computed> {
  const edge = kind === 'velocity' ? 0 : EDGE;
  const start = floatsOf(fixture, 'in/z');
  const times = uniformTimes(points - 1, { from: 1 - edge, to: edge });
  const problem = { start, times, schedule, gaussian: () => start };
  const seen = await trace(ODE[method]!(), problem, answering(kind, schedule));
  const firsts = seen.filter(({ step }, i) => step !== seen[i - 1]?.step);
  const all = shapeOf(fixture, `out/${output}`).length > shapeOf(fixture, 'in/z').length;
  return firsts.slice(all ? -points : -1).flatMap(({ x }) => Array.from(x));
}

async function sampleSde(
  { schedule, fixture }: Path,
  { method, form, end }: { method: string; form: string; end: string },
): Promise<Computed | undefined> {
  const [last, named] = [LAST[end], FORMS[form as keyof typeof FORMS]];
  if (!last || !named) return undefined;
  const [start, noise] = [floatsOf(fixture, 'in/z'), floatsOf(fixture, 'in/noise')];
  const steps = shapeOf(fixture, 'in/noise')[0]!;
  const times =
    last === 'noise' ? uniformTimes(steps) : [...uniformTimes(steps, { to: LAST_STEP }), 0];
  const gaussian = (stream: string) => {
    const k = Number(stream.slice('step/'.length));
    return noise.slice(k * start.length, (k + 1) * start.length);
  };
  const coefficient = diffusionCoefficient(named, schedule);
  const solver =
    method === 'heun' && last !== 'noise'
      ? sdeHeun({ coefficient, last })
      : sdeEuler({ coefficient, last });
  const problem = { start, times, schedule, gaussian };
  return solve(solver, problem, answering('velocity', schedule));
}
