import { describe, expect, test } from 'vitest';
import { type Prediction, toAnswer } from '../../../sampling/diffusion/prediction.ts';
import {
  cumulativeSignal,
  discrete,
  timeOfEntry,
} from '../../../sampling/diffusion/schedules/discrete.ts';
import { flow, shiftTime } from '../../../sampling/diffusion/schedules/flow.ts';
import { karras, karrasSigmas } from '../../../sampling/diffusion/schedules/karras.ts';
import { linearBetas, scaledLinearBetas } from '../../../sampling/diffusion/schedules/linear.ts';
import { type Schedule, type Solver, trace } from '../../../sampling/diffusion/solver.ts';
import { ddim } from '../../../sampling/diffusion/solvers/ddim.ts';
import { ddpm } from '../../../sampling/diffusion/solvers/ddpm.ts';
import { dpmpp2m } from '../../../sampling/diffusion/solvers/dpmpp-2m.ts';
import { euler } from '../../../sampling/diffusion/solvers/euler.ts';
import { heun } from '../../../sampling/diffusion/solvers/heun.ts';
import { expectFixture, loadFixture, tensorOf } from '../../fixtures.ts';

/**
 * The widely used library's trajectories where its conventions are ours up to the time grid and the scale of x.
 * Its Euler, Heun and DPM++ 2M count in sigma / alpha with x / alpha, which is our `karras` schedule.
 * Not compared, since no solver here is meant to be them: PNDM, LMS, UniPC, DEIS, DPM++ 2S, 3M and SDE, KDPM2, LCM,
 * ancestral Euler, churn, beta and Lu spacings, inverted or stochastic flow, and tables rescaled to zero signal (whose
 * last log signal is infinite).
 */
const fixture = loadFixture('schedulers', 'diffusers');
const LENGTH = 1000;
const STEPS: number = fixture.json.config.traj_steps;

type Options = Record<string, string | number | boolean | undefined>;
type Variant = { name: string; cls: string; kw: Options; step: { eta?: number } };

/** A run in our terms: `told` is what the network is told at each time of the grid; `scale` undoes x / alpha. */
type Plan = {
  schedule: Schedule;
  solver: Solver;
  times: number[];
  told: number[];
  start: number;
  from: Prediction;
  scale?: (t: number) => number;
};

function betasOf({ beta_schedule, beta_start, beta_end }: Options): Float64Array {
  const ends = { first: Number(beta_start), last: Number(beta_end) };
  return beta_schedule === 'linear' ? linearBetas(LENGTH, ends) : scaledLinearBetas(LENGTH, ends);
}

const evenly = (first: number, last: number, count: number) =>
  Array.from({ length: count }, (_, i) => first + (i * (last - first)) / (count - 1));

/** Visited table entries, falling. */
function entriesOf(spacing: string, steps: number, offset = 0): number[] {
  const stride = LENGTH / steps;
  if (spacing === 'trailing')
    return Array.from({ length: steps }, (_, i) => Math.round(LENGTH - i * stride) - 1);
  return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * Math.floor(stride) + offset);
}

function ancestral({ cls, kw, step }: Variant): Plan {
  const told = entriesOf(
    String(kw.timestep_spacing ?? 'leading'),
    STEPS,
    Number(kw.steps_offset ?? 0),
  );
  // Where the last step does not count as clean it ends on the table's first entry.
  const end = kw.set_alpha_to_one === false ? timeOfEntry(0, LENGTH) : 0;
  return {
    schedule: discrete(betasOf(kw)),
    solver: cls === 'DDPMScheduler' ? ddpm() : ddim({ eta: step.eta ?? 0 }),
    times: [...told.map((entry) => timeOfEntry(entry, LENGTH)), end],
    told,
    start: 1,
    from: 'noise',
  };
}

/** Fractional table entry of a noise level, linear in its log. */
function entryOfSigma(sigma: number, table: number[]): number {
  const k = Math.min(
    Math.max(
      table.findLastIndex((value) => value <= sigma),
      0,
    ),
    table.length - 2,
  );
  const [low, high] = [Math.log(table[k]!), Math.log(table[k + 1]!)];
  return k + Math.min(Math.max((Math.log(sigma) - low) / (high - low), 0), 1);
}

function interpolate(table: number[], at: number): number {
  const k = Math.min(Math.floor(at), table.length - 2);
  return table[k]! + (at - k) * (table[k + 1]! - table[k]!);
}

const SOLVER: Record<string, () => Solver> = {
  EulerDiscreteScheduler: euler,
  HeunDiscreteScheduler: heun,
  DPMSolverMultistepScheduler: dpmpp2m,
  FlowMatchEulerDiscreteScheduler: euler,
  FlowMatchHeunDiscreteScheduler: heun,
};

function exploding({ cls, kw }: Variant): Plan {
  const table = Array.from(cumulativeSignal(betasOf(kw)), (signal) =>
    Math.sqrt((1 - signal) / signal),
  );
  const multistep = cls === 'DPMSolverMultistepScheduler';
  const [least, most] = [table[0]!, table.at(-1)!];
  let sigmas: number[];
  let told: number[];
  if (kw.use_karras_sigmas || kw.use_exponential_sigmas) {
    sigmas = kw.use_karras_sigmas
      ? karrasSigmas(STEPS, { least, most })
      : evenly(Math.log(most), Math.log(least), STEPS).map(Math.exp);
    told = sigmas.map((sigma) => entryOfSigma(sigma, table));
    if (multistep) told = told.map(Math.round);
  } else {
    if (kw.timestep_spacing === 'trailing') told = entriesOf('trailing', STEPS);
    else if (multistep)
      told = evenly(LENGTH - 1, 0, STEPS + 1)
        .map(Math.round)
        .slice(0, -1);
    else told = evenly(LENGTH - 1, 0, STEPS);
    sigmas = told.map((entry) => interpolate(table, entry));
  }
  const top = sigmas[0]!;
  const scale = (t: number) => Math.hypot(1, top * t);
  return {
    schedule: karras({ least: least / 2, most: top }),
    solver: SOLVER[cls]!(),
    times: [...sigmas.map((sigma) => sigma / top), 0],
    told,
    start: multistep ? scale(1) : top,
    from: kw.prediction_type === 'v_prediction' ? 'v' : 'noise',
    scale,
  };
}

function flowing({ cls, kw }: Variant): Plan {
  const shift = Number(kw.shift ?? kw.flow_shift ?? 1);
  const warp = (u: number) => shiftTime(u, kw.use_dynamic_shifting ? Math.exp(0.8) : shift);
  let times = evenly(1, warp(1 / LENGTH), STEPS).map(warp);
  if (kw.use_dynamic_shifting) times = evenly(1, 1 / LENGTH, STEPS).map(warp);
  if (kw.flow_shift)
    times = evenly(1 - 1 / LENGTH, 0, STEPS + 1)
      .map(warp)
      .slice(0, -1);
  if (kw.use_karras_sigmas) times = karrasSigmas(STEPS, { most: times[0]!, least: times.at(-1)! });
  if (kw.shift_terminal) {
    const stretch = (1 - Number(kw.shift_terminal)) / (1 - times.at(-1)!);
    times = times.map((t) => 1 - (1 - t) * stretch);
  }
  const told = times.map((t) => (kw.flow_shift ? Math.floor(t * LENGTH) : t * LENGTH));
  const solver = SOLVER[cls]!();
  return { schedule: flow(), solver, times: [...times, 0], told, start: 1, from: 'velocity' };
}

const PLANS: [RegExp, (variant: Variant) => Plan][] = [
  [/^(ddim_(sl|lin)_(leading|trailing|eta)|ddpm_(sl|lin))$/, ancestral],
  [/^(euler|heun|dpmpp_2m)_(sl|lin)(_karras)?$/, exploding],
  [/^dpmpp_2m_trailing_euler_final$|^euler_exponential$|^dpmpp_2m_v$/, exploding],
  [
    /^flow_euler_(shift1|shift3|dynamic|karras|terminal)$|^flow_heun_shift3$|^flow_dpmpp_2m$/,
    flowing,
  ],
];

const chosen = (fixture.json.config.variants as Variant[]).flatMap((variant) => {
  const plan = PLANS.find(([pattern]) => pattern.test(variant.name))?.[1];
  return plan ? [[variant.name, plan(variant)] as const] : [];
});

async function trajectory({
  schedule,
  solver,
  times,
  told,
  start,
  from,
  scale,
}: Plan): Promise<number[]> {
  const noise = tensorOf(fixture, 'in/noise');
  const x = tensorOf(fixture, 'in/x');
  const row = (name: string) => {
    const k = Number(name.slice('step/'.length));
    return noise.slice(k * x.length, (k + 1) * x.length);
  };
  const seen = await trace(
    solver,
    { start: x.map((value) => value * start), times, schedule, gaussian: row },
    ({ x: at, t }) => {
      const shrink = scale ? 1 / scale(t) : 1;
      const entry = told[times.indexOf(t)]!;
      const raw = at.map((value) => 0.3 * value * shrink * Math.cos(entry / 1000) + 0.1);
      if (from !== 'v') return toAnswer(raw, at, { from, schedule, t });
      // v of the picture shrunk to unit variance: clean = shrink^2 x - sigma shrink v.
      const sigma = schedule.sigma(t);
      return { clean: at.map((value, i) => shrink * shrink * value - sigma * shrink * raw[i]!) };
    },
  );
  const multistep = scale && start !== times[0]! * schedule.start;
  return seen.flatMap(({ x: at, step }) => {
    const back = multistep ? 1 / scale(times[step]!) : 1;
    return Array.from(at, (value) => value * back);
  });
}

describe('schedulers/diffusers', () => {
  test('the variants meant are there', () => expect(chosen).toHaveLength(30));
  test.each(chosen)('%s', async (name, plan) => {
    expectFixture(await trajectory(plan), fixture, `out/${name}/traj`);
  });
});
