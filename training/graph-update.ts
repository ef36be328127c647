/**
 * The training step as one program: gradients, clipping, AdamW and the moving average traced into the
 * graph, with weights and moments as the engine's state. For GPUs, where the host's pass over memory
 * would cost two copies; on CPUs `createUpdate` is several times faster.
 *
 * Accumulation: gradients are summed in the state, and only the last batch of a step applies them.
 */
import type { HostTensor, HostTensors, State, StateSpec } from '../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import type { AdamWOptions } from './optimisers/adamw.ts';
import { emaDecay, type Loss, type Update, type UpdateOptions } from './update.ts';

const PARTS = ['weight', 'sum', 'first', 'second', 'ema'] as const;
type Part = (typeof PARTS)[number];

export async function createGraphUpdate(
  loss: Loss,
  options: AdamWOptions,
  given: Omit<UpdateOptions, 'hold'>,
): Promise<Update> {
  const { engine, inputs, clip, ema = emaDecay() } = given;
  const names = Object.keys(given.weights);
  const state = engine.state(
    Object.fromEntries(
      names.flatMap((name) =>
        PARTS.map((part) => [
          `${part}/${name}`,
          { shape: given.weights[name]!.shape, update: 'replace' as const },
        ]),
      ),
    ) satisfies StateSpec,
  );
  let step = 0;
  write(state, 'weight', given.weights);
  write(state, 'ema', given.weights);
  const scalar = { shape: [] };
  const program = await engine.compile(
    ({ inputs: all, state: held }) => trainingStep({ loss, names, all, held, options, clip }),
    {
      inputs: {
        ...inputs,
        batches: scalar,
        last: scalar,
        rate: scalar,
        unbias1: scalar,
        unbias2: scalar,
        decay: scalar,
      },
      state,
    },
    { name: 'training step in the graph' },
  );
  const read = (part: Part): HostTensors =>
    Object.fromEntries(names.map((name) => [name, state.values[`${part}/${name}`]!]));
  const moments = (): HostTensors =>
    Object.fromEntries(
      names.flatMap((name) =>
        (['first', 'second'] as const).map((part) => [
          `${name}/${part}`,
          state.values[`${part}/${name}`]!,
        ]),
      ),
    );
  const [beta1, beta2] = options.betas ?? [0.9, 0.999];

  return {
    state: () => ({ step, weights: read('weight'), ema: read('ema'), moments: moments() }),
    async step(batches, rate = 1) {
      const next = step + 1;
      let total = 0;
      let norm = 0;
      for (const [i, batch] of batches.entries()) {
        const out = await program.run(
          {
            ...batch,
            batches: host(batches.length),
            last: host(i === batches.length - 1 ? 1 : 0),
            rate: host(rate),
            unbias1: host(1 / (1 - beta1 ** next)),
            unbias2: host(1 / Math.sqrt(1 - beta2 ** next)),
            decay: host(ema(next)),
          },
          { state },
        );
        const value = out.loss!.data[0]!;
        norm = out.norm!.data[0]!;
        if (!Number.isFinite(value) || !Number.isFinite(norm)) {
          throw new Error(
            `training: expected a finite loss and gradients, got ${value} and norm ${norm} at step ${next}, batch ${i}; lower the learning rate or clip the gradients`,
          );
        }
        total += value;
      }
      step = next;
      return { loss: total / batches.length, norm };
    },
    restore(saved) {
      step = saved.step;
      write(state, 'weight', saved.weights);
      write(state, 'ema', saved.ema);
      for (const [name, { data }] of Object.entries(saved.moments)) {
        const at = name.lastIndexOf('/');
        set(state, name.slice(at + 1) as Part, name.slice(0, at), data as Float32Array);
      }
    },
    dispose: () => program.dispose(),
  };
}

const host = (value: number): HostTensor => ({ data: Float32Array.of(value), shape: [] });

function set(state: State, part: Part, name: string, data: Float32Array): void {
  (state.values[`${part}/${name}`]!.data as Float32Array).set(data);
}

function write(state: State, part: Part, tensors: HostTensors): void {
  for (const [name, { data }] of Object.entries(tensors))
    set(state, part, name, data as Float32Array);
}

type StepArgs = {
  readonly loss: Loss;
  readonly names: readonly string[];
  readonly all: Tensors;
  readonly held: Tensors;
  readonly options: AdamWOptions;
  readonly clip: number | undefined;
};

function trainingStep({ loss, names, all, held, options, clip }: StepArgs) {
  const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
    const weights = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
    return loss({ weights, inputs: all }) as tf.Scalar;
  })(names.map((name) => held[`weight/${name}`]!));
  const sums = names.map((name, i) => held[`sum/${name}`]!.add(grads[i]!));
  const means = sums.map((sum) => sum.div(all.batches!));
  const squares = means.map((mean) => tf.sum(tf.square(mean)));
  const norm = tf.sqrt(tf.addN(squares));
  const shrink = clip === undefined ? tf.scalar(1) : tf.minimum(tf.div(clip, norm.add(1e-30)), 1);
  const state: Tensors = {};
  for (const [i, name] of names.entries()) {
    state[`sum/${name}`] = sums[i]!.mul(tf.sub(1, all.last!));
    Object.assign(state, adamWNodes(name, means[i]!.mul(shrink), { all, held, options }));
  }
  return { outputs: { loss: value, norm }, state };
}

/** AdamW and the moving average of one weight; `last` = 0 keeps everything as it is. */
function adamWNodes(
  name: string,
  gradient: Tensor,
  { all, held, options }: Pick<StepArgs, 'all' | 'held' | 'options'>,
): Tensors {
  const { betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, decay = 0, rates = [] } = options;
  const own = all.rate!.mul(rates.find(({ match }) => match.test(name))?.rate ?? options.rate);
  const [weight, first, second, ema] = ['weight', 'first', 'second', 'ema'].map(
    (part) => held[`${part}/${name}`]!,
  ) as [Tensor, Tensor, Tensor, Tensor];
  const keep = (before: Tensor, after: Tensor) => before.add(after.sub(before).mul(all.last!));
  const m = first.mul(beta1).add(gradient.mul(1 - beta1));
  const v = second.mul(beta2).add(tf.square(gradient).mul(1 - beta2));
  const size = m.mul(all.unbias1!).div(tf.sqrt(v).mul(all.unbias2!).add(eps));
  const moved = weight.sub(weight.mul(own.mul(decay))).sub(size.mul(own));
  const followed = ema.add(moved.sub(ema).mul(tf.sub(1, all.decay!)));
  return {
    [`weight/${name}`]: keep(weight, moved),
    [`first/${name}`]: keep(first, m),
    [`second/${name}`]: keep(second, v),
    [`ema/${name}`]: keep(ema, followed),
  };
}
