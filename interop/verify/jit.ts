/**
 * JiT (LTH14/JiT): network that says the clean picture, its velocity loss, guidance on an open
 * interval, samplers. Its time runs from noise (0) to data (1); its velocity is minus ours.
 */
import { type Static, Type } from 'typebox';
import { AXIAL_PRESETS } from '../../encoders/positions/rotate/axial.ts';
import type { DiTConfig } from '../../generators/dit-config.ts';
import { guide } from '../../sampling/diffusion/guidance.ts';
import { clampedVelocity } from '../../sampling/diffusion/prediction.ts';
import { flow, uniformTimes } from '../../sampling/diffusion/schedules/flow.ts';
import { type Answer, type Query, type Solver, solve } from '../../sampling/diffusion/solver.ts';
import { euler } from '../../sampling/diffusion/solvers/euler.ts';
import { heun } from '../../sampling/diffusion/solvers/heun.ts';
import { checkSchema } from '../../schema.ts';
import type { Engine, HostTensors } from '../../tensor/program.ts';
import { createObjective } from '../../training/objective.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { type Fixture, floatsOf, numbersOf, tensorOf } from './fixture.ts';
import { channelsLast, lossAndGradients, picturesLast, trainingBatch } from './gradients.ts';
import {
  type Batch,
  createForward,
  type Description,
  type Network,
  sizesOf,
  weightsOf,
  withNetwork,
} from './network.ts';

const Config = Type.Object({
  net: Type.Object({
    patch_size: Type.Integer(),
    hidden_size: Type.Integer(),
    depth: Type.Integer(),
    num_heads: Type.Integer(),
    bottleneck_dim: Type.Integer(),
    in_context_len: Type.Integer({ default: 0 }),
    in_context_start: Type.Integer({ default: 0 }),
  }),
  img_size: Type.Integer(),
  P_mean: Type.Number({ default: -0.8 }),
  P_std: Type.Number({ default: 0.8 }),
  t_eps: Type.Number({ default: 0.05 }),
  noise_scale: Type.Number({ default: 1 }),
  method: Type.Union([Type.Literal('heun'), Type.Literal('euler')], { default: 'heun' }),
  steps: Type.Integer({ default: 50 }),
  cfg: Type.Number({ default: 1 }),
  imin: Type.Number({ default: 0 }),
  imax: Type.Number({ default: 1 }),
});
type Config = Static<typeof Config>;

const PREFIX = 'net.';
const CHANNELS = 3;

function describe({ net, img_size }: Config, weights: HostTensors): Description {
  const { hidden, classes } = sizesOf(weights);
  const config: DiTConfig = {
    patch: net.patch_size,
    channels: CHANNELS,
    width: net.hidden_size,
    depth: net.depth,
    heads: net.num_heads,
    condition: { classes },
    mlp: 'swiglu',
    hidden,
    norm: 'rms',
    gain: true,
    qkNorm: true,
    shift: true,
    variance: false,
    ...(net.in_context_len > 0
      ? { context: { tokens: net.in_context_len, start: net.in_context_start } }
      : {}),
    bottleneck: net.bottleneck_dim,
    timeScale: 1,
  };
  const rotate = { method: 'axial', ...AXIAL_PRESETS.jit };
  return { config, positions: { embed: 'sincos2d', rotate }, side: img_size, weights };
}

/** The guided dx/dtau of rows at their own tau. */
type Velocity = (x: Float32Array, taus: readonly number[]) => Promise<Float32Array>;

function guidedVelocity(
  { run, none, length }: Network,
  config: Config,
  asked: readonly number[],
): Velocity {
  const { t_eps: least, cfg, imin, imax } = config;
  const [low, high] = [Math.fround(imin), Math.fround(imax)]; // compared in float32, as tau is there
  const inside = (tau: number) => tau < high && (imin === 0 || tau > low);
  const scaleAt = (tau: number) => (inside(Math.fround(tau)) ? cfg : 1);
  return async (x, taus) => {
    const batch: Batch = { x, told: taus, classes: asked };
    const given = await run(batch);
    const nothing = await run({ ...batch, classes: asked.map(() => none) });
    const out = new Float32Array(x.length);
    for (const [i, tau] of taus.entries()) {
      const row = (values: Float32Array) => values.slice(i * length, (i + 1) * length);
      const answer = (clean: Float32Array): Answer => ({
        clean,
        velocity: clampedVelocity(clean, row(x), { t: 1 - tau, least }),
      });
      const options = { scale: scaleAt(tau) };
      const { velocity } = guide(answer(row(given)), answer(row(nothing)), options);
      out.set(
        velocity!.map((value) => -value),
        i * length,
      );
    }
    return out;
  };
}

async function denoiser(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const config = checkSchema(Config, fixture.config, 'config');
  const description = describe(config, weightsOf(fixture, PREFIX));
  const [taus, classes] = [numbersOf(fixture, 'in/t'), numbersOf(fixture, 'in/y')];
  const x = floatsOf(fixture, 'in/x');
  const computed = await withNetwork(engine, description, async (network) => {
    const velocity = guidedVelocity(network, config, classes);
    const none = classes.map(() => network.none);
    const start = floatsOf(fixture, 'in/z').map((value) => config.noise_scale * value);
    const sampled = (solver: Solver) =>
      sampleWith(solver, velocity, { start, config, rows: classes.length });
    return {
      net: await network.run({ x, told: taus, classes }),
      net_null: await network.run({ x, told: taus, classes: none }),
      cfg_velocity: await velocity(x, taus),
      samples: await sampled(config.method === 'heun' ? heun() : euler()),
      samples_euler: await sampled(euler()),
    };
  });
  return { ...computed, ...(await losses(fixture, engine, { config, description })) };
}

/** `generate`: equal steps, the last one Euler's. */
function sampleWith(
  solver: Solver,
  velocity: Velocity,
  { start, config, rows }: { start: Float32Array; config: Config; rows: number },
): Promise<Float32Array> {
  const answer = async ({ x, t }: Query): Promise<Answer> => {
    const published = await velocity(x, Array(rows).fill(1 - t));
    return { clean: x, velocity: published.map((value) => -value) };
  };
  const times = uniformTimes(config.steps);
  return solve(solver, { start, times, schedule: flow(), gaussian: () => start }, answer);
}

/** 'loss' and, for every learned weight, 'grad/net.<weight>'. */
async function losses(
  fixture: Fixture,
  engine: Engine,
  { config, description }: { config: Config; description: Description },
): Promise<Record<string, Computed>> {
  const objective = { prediction: 'clean', schedule: 'flow', least: config.t_eps } as const;
  const forward = createForward(description);
  const error = createObjective(objective, description.config);
  const taus = numbersOf(fixture, 'in/tz').map(
    (z) => 1 / (1 + Math.exp(-(config.P_mean + config.P_std * z))),
  );
  const noise = tensorOf(fixture, 'in/e');
  const inputs = trainingBatch({
    objective,
    clean: tensorOf(fixture, 'in/img'),
    noise: { ...noise, data: noise.data.map((value) => config.noise_scale * value) },
    times: taus.map((tau) => 1 - tau),
    told: taus,
    classes: numbersOf(fixture, 'in/y'),
  });
  return lossAndGradients(
    ({ weights, inputs: given }) =>
      error(channelsLast(forward(weights, given)), picturesLast(given)),
    { engine, inputs, weights: description.weights, prefix: PREFIX },
  );
}

async function gradients(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const config = checkSchema(Config, fixture.config, 'config');
  return losses(fixture, engine, {
    config,
    description: describe(config, weightsOf(fixture, PREFIX)),
  });
}

export const jit: Adapter = { denoiser, grads: gradients };
