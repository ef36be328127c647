/**
 * LightningDiT (hustvl/LightningDiT): network, guidance on an interval, shifted sampling; RoPE tables
 * and the velocity loss with its cosine term. Its time is SiT's.
 */
import { Type } from 'typebox';
import { raw } from '../../encoders/positions/coordinates/raw.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { AXIAL_PRESETS, axial, axialTables } from '../../encoders/positions/rotate/axial.ts';
import type { DiTConfig } from '../../generators/dit-config.ts';
import { flow, shiftTime, uniformTimes } from '../../sampling/diffusion/schedules/flow.ts';
import { solve } from '../../sampling/diffusion/solver.ts';
import { euler } from '../../sampling/diffusion/solvers/euler.ts';
import { checkSchema } from '../../schema.ts';
import { rope } from '../../tensor/ops/rope.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { type Tensors, tf } from '../../tensor/tf.ts';
import { cosineErrors, squareErrors } from '../../training/objective.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { describeDiT } from './dit.ts';
import { type Fixture, floatsOf, hostOf, numbersOf, saidIn, tensorOf } from './fixture.ts';
import { channelsLast, evaluate, trainingBatch } from './gradients.ts';
import { type Description, weightsOf, withNetwork } from './network.ts';
import { answering, type Velocity, velocityOf } from './sit.ts';

const Flags = Type.Object({
  use_qknorm: Type.Boolean({ default: false }),
  use_swiglu: Type.Boolean({ default: false }),
  use_rope: Type.Boolean({ default: false }),
  use_rmsnorm: Type.Boolean({ default: false }),
  wo_shift: Type.Boolean({ default: false }),
});
const ROTATION = { method: 'axial', ...AXIAL_PRESETS.lightningdit };

function describe(fixture: Fixture): Description {
  const weights = weightsOf(fixture);
  const flags = checkSchema(Flags, fixture.config, 'config');
  const plain = describeDiT(fixture.config, weights);
  const config: DiTConfig = {
    ...plain.config,
    mlp: flags.use_swiglu ? 'swiglu' : 'gelu',
    norm: flags.use_rmsnorm ? 'rms' : 'layer',
    gain: flags.use_rmsnorm,
    qkNorm: flags.use_qknorm,
    shift: !flags.wo_shift,
  };
  const positions = { ...plain.positions, ...(flags.use_rope ? { rotate: ROTATION } : {}) };
  return { ...plain, config, positions };
}

async function model(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const description = describe(fixture);
  const input = (name: string) => numbersOf(fixture, `in/${name}`);
  return withNetwork(engine, description, async (network) => {
    const velocity = velocityOf(network, description.config.channels);
    const plain = { x: floatsOf(fixture, 'in/x'), told: input('t'), classes: input('y') };
    const told = input('cfg_t');
    const halves = { x: floatsOf(fixture, 'in/cfg_x'), told, classes: input('cfg_y') };
    const scale = saidIn(fixture, /forward_with_cfg\([^()]*?,\s*([\d.]+)\)/, 4);
    const start = saidIn(fixture, /cfg_interval=True,\s*cfg_interval_start=([\d.]+)\)/, 0.3);
    return {
      forward: await velocity.alone(plain),
      cfg: await velocity.guided(halves, scale),
      cfg_interval: await velocity.guided(halves, told[0]! < Math.fround(start) ? 1 : scale),
      ode_shift: await shiftedSample(fixture, velocity, network.none),
    };
  });
}

/** Euler on a shifted grid. The published shift bends tau; ours bends t = 1 - tau, so it is the inverse. */
async function shiftedSample(
  fixture: Fixture,
  { guided }: Velocity,
  none: number,
): Promise<Float32Array> {
  const [z, asked] = [floatsOf(fixture, 'in/z'), numbersOf(fixture, 'in/y2')];
  const classes = [...asked, ...asked.map(() => none)];
  const scale = saidIn(fixture, /cfg_scale=([\d.]+)/, 2);
  const from = saidIn(fixture, /cfg_scale=[\d.]+,.*cfg_interval_start=([\d.]+)/, 0.11);
  const shift = saidIn(fixture, /timestep_shift=([\d.]+)/, 0.3);
  const points = saidIn(fixture, /num_steps=(\d+)/, 10);
  const answer = answering((x, tau) =>
    guided(
      { x, told: classes.map(() => tau), classes },
      Math.fround(tau) < Math.fround(from) ? 1 : scale,
    ),
  );
  const start = new Float32Array([...z, ...z]);
  const times = uniformTimes(points - 1).map((u) => shiftTime(u, 1 / shift));
  const problem = { start, times, schedule: flow(), gaussian: () => start };
  return solve(euler(), problem, answer);
}

const RopeConfig = Type.Object({
  /** Half of the head. */
  dim: Type.Integer(),
  /** Side trained on, and the sides asked for, whose places are squeezed into it. */
  pt: Type.Integer(),
  ft: Type.Array(Type.Integer()),
});

async function ropeAndLoss(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const config = checkSchema(RopeConfig, fixture.config, 'config');
  const computed: Record<string, Computed> = {};
  for (const side of config.ft)
    Object.assign(computed, await turned(fixture, engine, { ...config, side }));
  return { ...computed, ...(await losses(fixture, engine)) };
}

type Rope = { readonly dim: number; readonly pt: number; readonly side: number };

/** 'cos12', 'sin12' (each angle twice, side by side) and 'rot12' [1, 1, T, d]. */
async function turned(
  fixture: Fixture,
  engine: Engine,
  { dim, pt, side }: Rope,
): Promise<Record<string, Computed>> {
  const grid = raster(side, side);
  const places = raw.coordinates({ grid, trained: grid, mode: 'sample', options: {} });
  const squeezed = Float32Array.from(places, (place) => (place * pt) / side);
  const { y, x } = axial.frequencies!(2 * dim, AXIAL_PRESETS.lightningdit);
  const inputs: HostTensors = {
    q: hostOf(fixture, `in/q${side}`),
    coordinates: { data: squeezed, shape: [side * side, 2] },
    frequencies: { data: Float32Array.from([...y, ...x]), shape: [2, y.length] },
  };
  return evaluate(
    ({ inputs: { q, coordinates, frequencies } }) => {
      const { cos, sin } = axialTables(coordinates!, frequencies!, 0, AXIAL_PRESETS.lightningdit);
      const twice = (table: typeof cos) => tf.stack([table, table], -1).reshape([side * side, -1]);
      const heads = q!.transpose([0, 2, 1, 3]);
      return {
        outputs: {
          [`cos${side}`]: twice(cos),
          [`sin${side}`]: twice(sin),
          [`rot${side}`]: rope(heads, cos, sin).transpose([0, 2, 1, 3]),
        },
      };
    },
    { engine, inputs },
  );
}

/** Square error and 1 - cosine of velocities, of the fixture's closed-form network. */
async function losses(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const taus = numbersOf(fixture, 'in/t');
  const { x, target } = trainingBatch({
    objective: { prediction: 'velocity', schedule: 'flow' },
    clean: tensorOf(fixture, 'in/x1'),
    noise: tensorOf(fixture, 'in/x0'),
    times: taus.map((tau) => 1 - tau),
    told: taus,
    classes: taus.map(() => 0),
  }) as { x: HostTensor; target: HostTensor };
  const size = x.data.length / taus.length;
  const said = (x.data as Float32Array).map((value, i) => {
    const tau = taus[Math.floor(i / size)]!;
    return -(0.3 * value * Math.cos(tau) + 0.1);
  });
  const inputs = { said: { data: said, shape: x.shape }, target };
  return evaluate(
    ({ inputs: given }: { inputs: Tensors }) => {
      const a = channelsLast(given.said!);
      const b = channelsLast(given.target!);
      return { outputs: { loss: squareErrors(a, b), cos_loss: cosineErrors(a, b) } };
    },
    { engine, inputs },
  );
}

export const lightningdit: Adapter = { model, rope_and_loss: ropeAndLoss };
