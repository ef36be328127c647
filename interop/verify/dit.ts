/** DiT (facebookresearch/DiT): network, tables of the process, steps, guided sampling, gradients. */
import { type Static, Type } from 'typebox';
import type { DiTConfig } from '../../generators/dit-config.ts';
import { toAnswer } from '../../sampling/diffusion/prediction.ts';
import {
  entryOfTime,
  entryTimes,
  respacedEntries,
  timeOfEntry,
} from '../../sampling/diffusion/schedules/discrete.ts';
import { linear } from '../../sampling/diffusion/schedules/linear.ts';
import { type Answer, type Query, solve } from '../../sampling/diffusion/solver.ts';
import { ddpm } from '../../sampling/diffusion/solvers/ddpm.ts';
import { checkSchema } from '../../schema.ts';
import type { Engine, HostTensors } from '../../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { createObjective, squareErrors } from '../../training/objective.ts';
import { BOUND_WIDTH, boundOf, variationalBits } from '../../training/variational.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { LENGTH, processSteps, processTables } from './dit-process.ts';
import { type Fixture, floatsOf, numbersOf, tensorOf } from './fixture.ts';
import {
  channelsLast,
  evaluate,
  lossAndGradients,
  picturesLast,
  trainingBatch,
} from './gradients.ts';
import { doubled, guidedHalves } from './guided.ts';
import {
  createForward,
  type Description,
  ModelConfig,
  sizesOf,
  weightsOf,
  withNetwork,
} from './network.ts';

/** The published network is told t as it stands, and encodes places by sines only. */
export function describeDiT(json: unknown, weights: HostTensors): Description {
  const model: Static<typeof ModelConfig> = checkSchema(ModelConfig, json, 'config');
  const { hidden, classes } = sizesOf(weights);
  const config: DiTConfig = {
    patch: model.patch_size,
    channels: model.in_channels,
    width: model.hidden_size,
    depth: model.depth,
    heads: model.num_heads,
    condition: { classes },
    mlp: 'gelu',
    hidden,
    norm: 'layer',
    gain: false,
    qkNorm: false,
    shift: true,
    variance: model.learn_sigma,
    timeScale: 1,
  };
  return { config, positions: { embed: 'sincos2d' }, side: model.input_size, weights };
}

const SampleConfig = Type.Object({
  model: Type.Unknown(),
  respacing: Type.String(),
  cfg_scale: Type.Number(),
});
const GradientsConfig = Type.Object({ model: Type.Unknown() });

/** DiT trains and samples on this process unless it is told otherwise. */
const schedule = linear({ length: LENGTH });

/** The network alone and guided, at table entries. */
async function model(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const description = describeDiT(fixture.config, weightsOf(fixture));
  const input = (name: string) => numbersOf(fixture, `in/${name}`);
  return withNetwork(engine, description, async ({ run, area, outputs: channels }) => {
    const asked = { x: floatsOf(fixture, 'in/x'), told: input('t'), classes: input('y') };
    const both = await run({
      x: doubled(floatsOf(fixture, 'in/cfg_x')),
      told: input('cfg_t'),
      classes: input('cfg_y'),
    });
    const scale = input('cfg_scale')[0]!;
    return { forward: await run(asked), cfg: guidedHalves(both, { scale, channels, area }) };
  });
}

/** The guided ancestral loop of `sample.py`, which keeps both halves until its end. */
async function sampleGuided(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const config = checkSchema(SampleConfig, fixture.config, 'config');
  const description = describeDiT(config.model, weightsOf(fixture));
  const asked = numbersOf(fixture, 'in/y');
  const z = floatsOf(fixture, 'in/z');
  const start = new Float32Array([...z, ...z]);
  const noise = floatsOf(fixture, 'in/noise');
  return withNetwork(engine, description, async ({ run, area, outputs: channels, none }) => {
    const classes = [...asked, ...asked.map(() => none)];
    const denoise = async ({ x, t }: Query): Promise<Answer> => {
      const told = classes.map(() => Math.round(entryOfTime(t, LENGTH)));
      const both = await run({ x: doubled(x), told, classes });
      const said = guidedHalves(both, { scale: config.cfg_scale, channels, area });
      const [guess, variance] = halfChannels(said, classes.length);
      const answer = toAnswer(guess, x, { from: 'noise', schedule, t });
      return { ...answer, variance: variance.map((value) => (value + 1) / 2) };
    };
    const times = entryTimes(respacedEntries(LENGTH, config.respacing), LENGTH);
    const gaussian = (stream: string) => {
      const k = Number(stream.slice('step/'.length));
      return noise.slice(k * start.length, (k + 1) * start.length);
    };
    const full = await solve(ddpm(), { start, times, schedule, gaussian }, denoise);
    return { full, samples: full.slice(0, z.length) };
  });
}

/** [B, 2 C, H, W] as [B, C, H, W] twice. */
function halfChannels(values: Float32Array, rows: number): [Float32Array, Float32Array] {
  const size = values.length / rows / 2;
  const parts = [0, 1].map((part) => {
    const out = new Float32Array(values.length / 2);
    for (let row = 0; row < rows; row++)
      out.set(values.subarray((2 * row + part) * size, (2 * row + part + 1) * size), row * size);
    return out;
  });
  return parts as [Float32Array, Float32Array];
}

const OBJECTIVE = { prediction: 'noise', schedule: 'linear' } as const;

/** The loss of noise with learned variance, its two parts of each picture, and its gradients. */
async function gradients(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const config = checkSchema(GradientsConfig, fixture.config, 'config');
  const description = describeDiT(config.model, weightsOf(fixture));
  const { weights } = description;
  const forward = createForward(description);
  const objective = createObjective(OBJECTIVE, description.config);
  const predict = (w: Tensors, given: Tensors) => channelsLast(forward(w, given));
  const parts = (w: Tensors, given: Tensors) => {
    const [said, variance] = tf.split(predict(w, given), 2, -1) as [Tensor, Tensor];
    const { target, clean, bound } = picturesLast(given);
    const bits = { said, variance, noise: target!, clean: clean!, bound: bound! };
    return { mse: squareErrors(said, target!), vb: variationalBits(bits) };
  };
  const inputs = variationalBatch(fixture);
  const program = { engine, inputs, weights };
  return {
    ...(await lossAndGradients(
      (given) => objective(predict(given.weights, given.inputs), picturesLast(given.inputs)),
      program,
    )),
    ...(await evaluate((given) => ({ outputs: parts(given.weights, given.inputs) }), program)),
  };
}

function variationalBatch(fixture: Fixture): HostTensors {
  const entries = numbersOf(fixture, 'in/t');
  const times = entries.map((entry) => timeOfEntry(entry, LENGTH));
  const batch = trainingBatch({
    objective: OBJECTIVE,
    clean: tensorOf(fixture, 'in/x0'),
    noise: tensorOf(fixture, 'in/noise'),
    times,
    told: entries,
    classes: numbersOf(fixture, 'in/y'),
  });
  const bound = Float32Array.from(times.flatMap((t) => boundOf(schedule, t)));
  return { ...batch, bound: { data: bound, shape: [times.length, BOUND_WIDTH] } };
}

export const dit: Adapter = {
  model,
  schedule: async (fixture) => processTables(fixture),
  steps: processSteps,
  sample_cfg: sampleGuided,
  grads: gradients,
};
