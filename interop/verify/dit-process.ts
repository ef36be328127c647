/** DiT's diffusion process: tables of betas, single steps, short loops and losses of one picture. */
import { Type } from 'typebox';
import {
  gaussianTables,
  modelMoments,
  noised,
  variationalBits,
} from '../../sampling/diffusion/gaussian.ts';
import { convert, toAnswer } from '../../sampling/diffusion/prediction.ts';
import { cosineBetas } from '../../sampling/diffusion/schedules/cosine.ts';
import {
  discrete,
  entryOfTime,
  entryTimes,
  respacedBetas,
  respacedEntries,
  timeOfEntry,
} from '../../sampling/diffusion/schedules/discrete.ts';
import { linearBetas } from '../../sampling/diffusion/schedules/linear.ts';
import {
  type Answer,
  type Query,
  type Schedule,
  type Solver,
  solve,
} from '../../sampling/diffusion/solver.ts';
import { ddim, ddimStep } from '../../sampling/diffusion/solvers/ddim.ts';
import { ddpm } from '../../sampling/diffusion/solvers/ddpm.ts';
import { checkSchema } from '../../schema.ts';
import type { Computed } from './compare.ts';
import { type Fixture, floatsOf, numbersOf, outputsOf, shapeOf } from './fixture.ts';

const Named = Type.Union([Type.Literal('linear'), Type.Literal('squaredcos_cap_v2')]);
const ScheduleConfig = Type.Object({
  steps: Type.Integer({ default: 1000 }),
  schedule: Named,
  respacings: Type.Array(Type.String()),
});
const StepsConfig = Type.Object({
  respacing: Type.String(),
  schedule: Named,
  clip_denoised: Type.Boolean({ default: false }),
});
/** DiT's `diffusion_steps`, which its code never changes. */
export const LENGTH = 1000;

const betasOf = (name: 'linear' | 'squaredcos_cap_v2', length: number): Float64Array =>
  name === 'linear' ? linearBetas(length) : cosineBetas(length);

/** Tables of the process, whole ('full') and respaced. */
export function processTables(fixture: Fixture): Record<string, Computed> {
  const { steps, schedule, respacings } = checkSchema(ScheduleConfig, fixture.config, 'config');
  const betas = betasOf(schedule, steps);
  const computed: Record<string, Computed> = { betas };
  for (const respacing of ['', ...respacings]) {
    const entries = respacedEntries(steps, respacing);
    const tables = gaussianTables(respacedBetas(betas, entries));
    const space = respacing === '' ? 'full' : respacing.replaceAll(',', '_');
    Object.assign(computed, {
      [`${space}/timestep_map`]: entries,
      [`${space}/betas`]: tables.betas,
      [`${space}/alphas_cumprod`]: tables.signal,
      [`${space}/alphas_cumprod_prev`]: tables.signalBefore,
      [`${space}/posterior_variance`]: tables.posteriorVariance,
      [`${space}/posterior_log_variance_clipped`]: tables.posteriorLogVariance,
      [`${space}/posterior_mean_coef1`]: tables.posteriorClean,
      [`${space}/posterior_mean_coef2`]: tables.posteriorX,
    });
  }
  return computed;
}

/** The fixture's closed-form network at a table entry: the noise, and the fraction of the range of variances. */
function formula(x: Float32Array, entry: number) {
  const time = entry / 1000;
  return {
    noise: x.map((value) => 0.3 * value * Math.cos(time) + 0.1),
    fraction: x.map((value) => (Math.tanh(value + time) + 1) / 2),
  };
}

type Denoiser = (query: Pick<Query, 'x' | 't'>) => Answer & { variance: Float32Array };
const createDenoiser =
  (schedule: Schedule, clip: boolean): Denoiser =>
  ({ x, t }) => {
    const { noise, fraction } = formula(x, Math.round(entryOfTime(t, LENGTH)));
    const { clean } = toAnswer(noise, x, { from: 'noise', schedule, t });
    const within = clip ? clean.map((value) => Math.min(Math.max(value, -1), 1)) : clean;
    return { clean: within, variance: fraction };
  };

export async function processSteps(fixture: Fixture): Promise<Record<string, Computed>> {
  const config = checkSchema(StepsConfig, fixture.config, 'config');
  const betas = betasOf(config.schedule, LENGTH);
  const schedule = discrete(betas);
  const denoise = createDenoiser(schedule, config.clip_denoised);
  return {
    ...(await singleSteps(fixture, { betas, schedule, denoise, respacing: config.respacing })),
    ...(await loops(fixture, schedule, denoise)),
    ...losses(fixture, betas, schedule),
  };
}

const joined = (parts: Float32Array[]): number[] => parts.flatMap((part) => Array.from(part));
const row = (values: Float32Array, index: number, rows: number): Float32Array => {
  const size = values.length / rows;
  return values.slice(index * size, (index + 1) * size);
};

type Process = {
  readonly betas: Float64Array;
  readonly schedule: Schedule;
  readonly denoise: Denoiser;
  readonly respacing: string;
};

/** Moments and one step of each picture, from its own index in the respaced table. */
async function singleSteps(fixture: Fixture, process: Process): Promise<Record<string, Computed>> {
  const { betas, schedule, denoise, respacing } = process;
  const [x, noise] = [floatsOf(fixture, 'in/x'), floatsOf(fixture, 'in/noise')];
  const indices = numbersOf(fixture, 'in/t');
  const entries = respacedEntries(LENGTH, respacing);
  const tables = gaussianTables(respacedBetas(betas, entries));
  const time = (index: number) => (index < 0 ? 0 : timeOfEntry(entries[index]!, LENGTH));
  const pictures = indices.map((index, i) => {
    const start = row(x, i, indices.length);
    return { index, x: start, ...denoise({ x: start, t: time(index) }) };
  });
  const moments = pictures.map(({ index, variance, ...rest }) =>
    modelMoments(tables, index, { ...rest, fraction: variance }),
  );
  const logs = joined(moments.map(({ logVariance }) => logVariance));
  const computed: Record<string, Computed> = {
    'p_mean_variance/mean': joined(moments.map(({ mean }) => mean)),
    'p_mean_variance/log_variance': logs,
    'p_mean_variance/variance': logs.map(Math.exp),
    'p_mean_variance/pred_xstart': joined(pictures.map(({ clean }) => clean)),
    ddim_reverse_sample: joined(
      pictures.map(({ index, ...from }) =>
        reversed(schedule, from, time(index), entries[index + 1]),
      ),
    ),
  };
  const problem = (index: number, i: number) => ({
    start: pictures[i]!.x,
    times: [time(index), time(index - 1)],
    schedule,
    gaussian: () => row(noise, i, indices.length),
  });
  const step = async (solver: Solver) => {
    const parts = indices.map((index, i) => solve(solver, problem(index, i), denoise));
    return joined(await Promise.all(parts));
  };
  return { ...computed, ...(await drawnSteps(fixture, step)) };
}

/** 'p_sample' and 'ddim_sample_eta0.7', with whatever eta the fixture has. */
async function drawnSteps(
  fixture: Fixture,
  step: (solver: Solver) => Promise<number[]>,
): Promise<Record<string, Computed>> {
  const computed: Record<string, Computed> = { p_sample: await step(ddpm()) };
  for (const name of outputsOf(fixture)) {
    const eta = /^ddim_sample_eta([\d.]+)$/.exec(name)?.[1];
    if (eta !== undefined) computed[name] = await step(ddim({ eta: Number(eta) }));
  }
  return computed;
}

/** Towards noise. After the noisiest entry the published table has no signal, so that noise alone is left. */
function reversed(
  schedule: Schedule,
  { x, clean }: { x: Float32Array; clean: Float32Array },
  t: number,
  entry: number | undefined,
): Float32Array {
  if (entry === undefined) return convert(clean, x, { from: 'clean', to: 'noise', schedule, t });
  return ddimStep(schedule, { x, clean, t, s: timeOfEntry(entry, LENGTH) });
}

/** 'p_sample_loop10' and the like: the whole batch from the first stored noise. */
async function loops(
  fixture: Fixture,
  schedule: Schedule,
  denoise: Denoiser,
): Promise<Record<string, Computed>> {
  const stored = floatsOf(fixture, 'in/loop_noise');
  const count = shapeOf(fixture, 'in/loop_noise')[0]!;
  const computed: Record<string, Computed> = {};
  for (const name of outputsOf(fixture)) {
    const [, kind, steps] = /^(p|ddim)_sample_loop(\d+)$/.exec(name) ?? [];
    if (steps === undefined) continue;
    const problem = {
      start: row(stored, 0, count),
      times: entryTimes(respacedEntries(LENGTH, steps), LENGTH),
      schedule,
      gaussian: (stream: string) => row(stored, 1 + Number(stream.slice('step/'.length)), count),
    };
    computed[name] = await solve(kind === 'p' ? ddpm() : ddim(), problem, denoise);
  }
  return computed;
}

/** Noised pictures, their posteriors and losses; training never clips. */
function losses(
  fixture: Fixture,
  betas: Float64Array,
  schedule: Schedule,
): Record<string, Computed> {
  const [clean, noise] = [floatsOf(fixture, 'in/x0'), floatsOf(fixture, 'in/noise')];
  const entries = numbersOf(fixture, 'in/train_t');
  const tables = gaussianTables(betas);
  const denoise = createDenoiser(schedule, false);
  const pictures = entries.map((entry, i) => {
    const [x0, e] = [row(clean, i, entries.length), row(noise, i, entries.length)];
    const t = timeOfEntry(entry, LENGTH);
    const x = noised(x0, e, schedule, t);
    const { clean: estimate, variance } = denoise({ x, t });
    const model = modelMoments(tables, entry, { clean: estimate, x, fraction: variance });
    const said = formula(x, entry).noise;
    const mse = said.reduce((sum, value, k) => sum + (value - e[k]!) ** 2, 0) / said.length;
    const [a, b] = [tables.posteriorClean[entry]!, tables.posteriorX[entry]!];
    return {
      x,
      mean: x0.map((value, k) => a * value + b * x[k]!),
      log: x0.map(() => tables.posteriorLogVariance[entry]!),
      mse,
      bits: variationalBits(tables, entry, { clean: x0, x, model }),
    };
  });
  return {
    q_sample: joined(pictures.map(({ x }) => x)),
    q_posterior_mean: joined(pictures.map(({ mean }) => mean)),
    q_posterior_log_variance: joined(pictures.map(({ log }) => log)),
    train_mse: pictures.map(({ mse }) => mse),
    train_vb: pictures.map(({ bits }) => bits),
    train_loss: pictures.map(({ mse, bits }) => mse + bits),
    train_loss_kl: pictures.map(({ bits }) => LENGTH * bits),
    train_loss_rescaled_mse: pictures.map(({ mse, bits }) => mse + (LENGTH / 1000) * bits),
    train_loss_fixed_sigma: pictures.map(({ mse }) => mse),
  };
}
