/**
 * One training step: gradients by a compiled program, then clipping, the optimiser and the moving
 * average of weights on the host, where AdamW is one pass over memory instead of a dozen.
 */
import {
  type Engine,
  type HostTensor,
  type HostTensors,
  type Spec,
  specsOf,
} from '../tensor/program.ts';
import { sizeOf } from '../tensor/shape.ts';
import { type Arena, add, compileLoop, createArena, mul, sub } from '../tensor/simd.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import type { Optimiser } from './optimisers/optimiser.ts';
import { createPrograms } from './programs.ts';

/** The scalar that is made small, from weights and one batch; `watch` lets others see what it met on the way. */
export type Loss = (args: {
  weights: Tensors;
  inputs: Tensors;
  watch?: (name: string, value: Tensor) => void;
}) => Tensor;

export type UpdateOptions = {
  readonly engine: Engine;
  /** Shapes of a batch; a batch of others is compiled for when it first comes. */
  readonly inputs: Readonly<Record<string, Spec>>;
  /** Copied: the caller's tensors stay as they are. */
  readonly weights: HostTensors;
  /** Gradients are scaled down to this global norm. Default: no clipping. */
  readonly clip?: number;
  /** Decay of the moving average of weights at a step counted from 1. Default: `emaDecay()`. */
  readonly ema?: (step: number) => number;
  /** Weights whose names start so stay as they are up to and including a step. */
  readonly hold?: { readonly prefix: string; readonly until: number };
};

export type StepResult = { readonly loss: number; readonly norm: number };
/** Everything that the next step depends on. */
export type UpdateState = {
  readonly step: number;
  readonly weights: HostTensors;
  readonly ema: HostTensors;
  readonly moments: HostTensors;
};

export type Update = {
  readonly state: () => UpdateState;
  /** One step on the mean gradient of `batches` (accumulation); `rate` scales all learning rates. */
  step(batches: readonly HostTensors[], rate?: number): Promise<StepResult>;
  /** Continues from a saved state. */
  restore(state: UpdateState): void;
  /** Frees the program and the optimiser's. */
  dispose(): Promise<void>;
};

/** Grows from a plain mean of the first steps to `cap`, so that early weights are soon forgotten. */
export const emaDecay =
  (cap = 0.999, warm = 12) =>
  (step: number): number =>
    Math.min(cap, 1 - 1 / (1 + step / warm));

export async function createUpdate(
  loss: Loss,
  optimiser: Optimiser,
  options: UpdateOptions,
): Promise<Update> {
  const { engine, inputs, clip, ema = emaDecay(), hold } = options;
  const names = Object.keys(options.weights);
  const wanted = optimiser.moments(options.weights);
  const sizes = names.map((name) => options.weights[name]!.data.length);
  const arena = createArena([...sizes, ...sizes, ...sizes, ...Object.values(wanted).map(sizeOf)]);
  const copyOf = (tensors: HostTensors) =>
    allocate(arena, Object.fromEntries(names.map((name) => [name, tensors[name]!.shape])), tensors);
  const weights = copyOf(options.weights);
  const average = copyOf(options.weights);
  const gradients = copyOf(options.weights);
  const moments = allocate(arena, wanted);
  const early = Object.fromEntries(
    Object.entries(weights).filter(([name]) => !hold || !name.startsWith(hold.prefix)),
  );
  let step = 0;
  const programs = createPrograms((shapes) =>
    engine.compile(
      lossAndGradients(loss, names),
      { inputs: shapes, weights },
      { name: 'training step', weights: 'live' },
    ),
  );
  await programs.of(inputs);
  /** Preallocated: fresh 40 MB of outputs a step would cost page faults. */
  const into = Object.fromEntries(
    names.map((name) => [`grad/${name}`, gradients[name]!.data as Float32Array]),
  );

  return {
    state: () => ({ step, weights, ema: average, moments }),
    async step(batches, rate = 1) {
      let total = 0;
      let sums: Record<string, Float32Array> | undefined;
      const watched: HostTensors[] = [];
      for (const [i, batch] of batches.entries()) {
        const program = await programs.of(specsOf(batch));
        const out = await program.run(batch, { weights, into });
        total += checkLoss(out.loss!.data[0]!, step + 1, i);
        watched.push(watchedOf(out));
        if (batches.length > 1) sums = addTo(sums, gradients);
      }
      if (sums) for (const name of names) (gradients[name]!.data as Float32Array).set(sums[name]!);
      const mean = 1 / batches.length;
      const norm = mean * globalNorm(gradients, step + 1);
      const shrink = clip !== undefined && norm > clip ? clip / norm : 1;
      step += 1;
      const moving = hold && step <= hold.until ? early : weights;
      await optimiser.update(moving, gradients, moments, {
        step,
        rate,
        gradientScale: mean * shrink,
        arena,
        watched,
      });
      followAll(arena, average, weights, ema(step));
      return { loss: total * mean, norm };
    },
    restore(state) {
      step = state.step;
      overwrite(weights, state.weights);
      overwrite(average, state.ema);
      overwrite(moments, state.moments);
    },
    async dispose() {
      await programs.dispose();
      await optimiser.dispose?.();
    },
  };
}

const WATCHED = 'watched/';

const lossAndGradients =
  (loss: Loss, names: readonly string[]) =>
  ({ inputs, weights }: { inputs: Tensors; weights: Tensors }) => {
    const seen: Tensors = {};
    const watch = (name: string, value: Tensor) => {
      seen[name] = tf.keep(value); // taking gradients frees what is between
    };
    const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
      const named = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
      return loss({ weights: named, inputs, watch }) as tf.Scalar;
    })(names.map((name) => weights[name]!));
    const outputs: Tensors = { loss: value };
    for (const [i, name] of names.entries()) outputs[`grad/${name}`] = grads[i]!;
    for (const [name, kept] of Object.entries(seen)) {
      outputs[`${WATCHED}${name}`] = kept.clone();
      kept.dispose();
    }
    return { outputs };
  };

const watchedOf = (outputs: HostTensors): HostTensors =>
  Object.fromEntries(
    Object.entries(outputs).flatMap(([name, tensor]) =>
      name.startsWith(WATCHED) ? [[name.slice(WATCHED.length), tensor]] : [],
    ),
  );

/** Tensors in the arena: zeros, or copies of `values`. */
function allocate(
  arena: Arena,
  shapes: Readonly<Record<string, readonly number[]>>,
  values?: HostTensors,
): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const data = arena.array(sizeOf(shape));
      if (values) data.set(values[name]!.data as Float32Array);
      return [name, { data, shape }];
    }),
  );
}

function overwrite(tensors: HostTensors, values: HostTensors): void {
  for (const [name, { data }] of Object.entries(tensors)) {
    (data as Float32Array).set(values[name]!.data as Float32Array);
  }
}

function checkLoss(loss: number, step: number, batch: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new Error(
    `training: expected a finite loss, got ${loss} at step ${step}, batch ${batch}; lower the learning rate or clip the gradients`,
  );
}

function globalNorm(gradients: HostTensors, step: number): number {
  let total = 0;
  for (const [name, { data }] of Object.entries(gradients)) {
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
    if (!Number.isFinite(sum)) {
      throw new Error(
        `training: expected finite gradients, got ${sum} in '${name}' at step ${step}; lower the learning rate or clip the gradients`,
      );
    }
    total += sum;
  }
  return Math.sqrt(total);
}

function addTo(
  sums: Record<string, Float32Array> | undefined,
  gradients: HostTensors,
): Record<string, Float32Array> {
  const next = sums ?? {};
  for (const [name, { data }] of Object.entries(gradients)) {
    const sum = next[name];
    if (!sum) next[name] = Float32Array.from(data);
    else for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + data[i]!;
  }
  return next;
}

/** average + share (weight - average) */
const follow = compileLoop(['average', 'weight'], ['share'], ({ load, scalar, store }) => {
  const gap = sub(load('weight'), load('average'));
  store('average', add(load('average'), mul(gap, scalar('share'))));
});

function followAll(arena: Arena, averages: HostTensors, weights: HostTensors, decay: number): void {
  for (const [name, { data }] of Object.entries(averages)) {
    const arrays = { average: data as Float32Array, weight: weights[name]!.data as Float32Array };
    follow(arena, arrays, { share: 1 - decay });
  }
}
