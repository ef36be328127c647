/**
 * SiT (willisma/SiT): network and its samplers, gradients; `transport` in sit-transport.ts. Its time
 * runs from noise (0) to data (1), so it is told tau = 1 - t, and its velocity dx/dtau is minus ours.
 */
import { Type } from 'typebox';
import { toAnswer } from '../../sampling/diffusion/prediction.ts';
import { flow, uniformTimes } from '../../sampling/diffusion/schedules/flow.ts';
import { type Answer, type Query, solve } from '../../sampling/diffusion/solver.ts';
import { euler } from '../../sampling/diffusion/solvers/euler.ts';
import { sdeEuler } from '../../sampling/diffusion/solvers/sde-euler.ts';
import { checkSchema } from '../../schema.ts';
import type { Engine } from '../../tensor/program.ts';
import { type Tensors, tf } from '../../tensor/tf.ts';
import { createObjective } from '../../training/objective.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { describeDiT } from './dit.ts';
import { type Fixture, floatsOf, numbersOf, outputsOf, saidIn, tensorOf } from './fixture.ts';
import { channelsLast, lossAndGradients, picturesLast, trainingBatch } from './gradients.ts';
import { doubled, guidedHalves } from './guided.ts';
import { type Batch, createForward, type Network, weightsOf, withNetwork } from './network.ts';
import { opposite, type PathName, transport } from './sit-transport.ts';

/** The last step of SiT's stochastic samplers: from tau = 0.96 to 1. */
const LAST_STEP = 0.04;

/** The first `channels` of each picture: SiT computes a variance and drops it. */
export function firstChannelsOf(
  values: Float32Array,
  { area, outputs }: Network,
  channels: number,
): Float32Array {
  if (outputs === channels) return values;
  const [size, stride] = [channels * area, outputs * area];
  const out = new Float32Array((values.length / stride) * size);
  for (let row = 0; row * stride < values.length; row++)
    out.set(values.subarray(row * stride, row * stride + size), row * size);
  return out;
}

export type Velocity = {
  /** The published dx/dtau. */
  alone(batch: Batch): Promise<Float32Array>;
  guided(batch: Batch, scale: number): Promise<Float32Array>;
};

export function velocityOf(network: Network, channels: number): Velocity {
  const alone = async (batch: Batch) =>
    firstChannelsOf(await network.run(batch), network, channels);
  return {
    alone,
    guided: async ({ x, ...rest }, scale) =>
      guidedHalves(await alone({ ...rest, x: doubled(x) }), {
        scale,
        channels,
        area: network.area,
      }),
  };
}

/** What a solver asks of a velocity network, at tau = 1 - t, for a whole batch at once. */
export const answering =
  (velocity: (x: Float32Array, tau: number) => Promise<Float32Array>) =>
  async ({ x, t }: Query): Promise<Answer> => {
    const published = await velocity(x, 1 - t);
    return toAnswer(opposite(published), x, { from: 'velocity', schedule: flow(), t });
  };

async function model(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const description = describeDiT(fixture.config, weightsOf(fixture));
  const input = (name: string) => numbersOf(fixture, `in/${name}`);
  return withNetwork(engine, description, async (network) => {
    const velocity = velocityOf(network, description.config.channels);
    const guidedBy = saidIn(fixture, /forward_with_cfg\([^()]*,\s*([\d.]+)\)/, 4);
    return {
      forward: await velocity.alone({
        x: floatsOf(fixture, 'in/x'),
        told: input('t'),
        classes: input('y'),
      }),
      cfg: await velocity.guided(
        { x: floatsOf(fixture, 'in/cfg_x'), told: input('cfg_t'), classes: input('cfg_y') },
        guidedBy,
      ),
      ...(await samples(fixture, velocity, network.none)),
    };
  });
}

/** 'ode_euler10' and 'sde_euler10': N points are N - 1 steps, and the SDE's last one is apart. */
async function samples(
  fixture: Fixture,
  { guided }: Velocity,
  none: number,
): Promise<Record<string, Computed>> {
  const [z, asked] = [floatsOf(fixture, 'in/z'), numbersOf(fixture, 'in/y2')];
  const classes = [...asked, ...asked.map(() => none)];
  const scale = saidIn(fixture, /cfg_scale=([\d.]+)/, 1.5);
  const answer = answering((x, tau) => guided({ x, told: classes.map(() => tau), classes }, scale));
  const start = new Float32Array([...z, ...z]);
  const noise = floatsOf(fixture, 'in/sde_noise');
  const gaussian = (stream: string) => {
    const k = Number(stream.slice('step/'.length));
    return noise.slice(k * start.length, (k + 1) * start.length);
  };
  const computed: Record<string, Computed> = {};
  for (const name of outputsOf(fixture)) {
    const [, kind, points] = /^(ode|sde)_euler(\d+)$/.exec(name) ?? [];
    if (points === undefined) continue;
    const steps = Number(points) - 1;
    const times =
      kind === 'ode' ? uniformTimes(steps) : [...uniformTimes(steps, { to: LAST_STEP }), 0];
    const problem = { start, times, schedule: flow(), gaussian };
    computed[name] = await solve(kind === 'ode' ? euler() : sdeEuler(), problem, answer);
  }
  return computed;
}

const GradientsConfig = Type.Object({
  model: Type.Unknown(),
  path: Type.Union([Type.Literal('Linear'), Type.Literal('GVP')], { default: 'Linear' }),
});
const SCHEDULES = { Linear: 'flow', GVP: 'gvp' } as const satisfies Partial<
  Record<PathName, string>
>;

async function gradients(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const config = checkSchema(GradientsConfig, fixture.config, 'config');
  const description = describeDiT(config.model, weightsOf(fixture));
  const objective = { prediction: 'velocity', schedule: SCHEDULES[config.path] } as const;
  const forward = createForward(description);
  const { channels } = description.config;
  const error = createObjective(objective, { variance: false });
  const loss = ({ weights, inputs }: { weights: Tensors; inputs: Tensors }) => {
    const said = channelsLast(forward(weights, inputs));
    const [B, H, W] = said.shape as [number, number, number, number];
    const velocity = tf.slice(said, [0, 0, 0, 0], [B, H, W, channels]).neg();
    return error(velocity, picturesLast(inputs));
  };
  const taus = numbersOf(fixture, 'in/t');
  const inputs = trainingBatch({
    objective,
    clean: tensorOf(fixture, 'in/x1'),
    noise: tensorOf(fixture, 'in/x0'),
    times: taus.map((tau) => 1 - tau),
    told: taus,
    classes: numbersOf(fixture, 'in/y'),
  });
  return lossAndGradients(loss, { engine, inputs, weights: description.weights });
}

export const sit: Adapter = { model, transport, grads: gradients };
