/** Losses and gradients by the program that training steps run, on batches as training makes them. */
import type { ObjectiveConfig } from '../../generators/model.ts';
import type { Engine, HostTensors, Spec } from '../../tensor/program.ts';
import { specsOf } from '../../tensor/program.ts';
import type { Tensor, Tensors } from '../../tensor/tf.ts';
import { noisePicture } from '../../training/objective.ts';
import type { Optimiser } from '../../training/optimisers/optimiser.ts';
import { createUpdate, type Loss } from '../../training/update.ts';
import type { Computed } from './compare.ts';
import type { FixtureTensor } from './fixture.ts';

/** 'loss' [1] and 'grad/<prefix><weight>'. */
export async function lossAndGradients(
  loss: Loss,
  {
    engine,
    inputs,
    weights,
    prefix = '',
  }: {
    engine: Engine;
    inputs: HostTensors;
    weights: HostTensors;
    prefix?: string;
  },
): Promise<Record<string, Computed>> {
  const computed: Record<string, Computed> = {};
  const recorder: Optimiser = {
    moments: () => ({}),
    async update(_, gradients) {
      for (const [name, { data }] of Object.entries(gradients))
        computed[`grad/${prefix}${name}`] = data.slice();
    },
  };
  const specs: Record<string, Spec> = specsOf(inputs);
  const update = await createUpdate(loss, recorder, { engine, inputs: specs, weights });
  try {
    const result = await update.step([inputs]);
    return { ...computed, loss: [result.loss] };
  } finally {
    await update.dispose();
  }
}

/** Runs a function of live weights once. */
export async function evaluate(
  fn: Parameters<Engine['compile']>[0],
  { engine, inputs, weights = {} }: { engine: Engine; inputs: HostTensors; weights?: HostTensors },
): Promise<Record<string, Computed>> {
  const program = await engine.compile(
    fn,
    { inputs: specsOf(inputs), weights },
    { name: 'verified function', weights: 'live' },
  );
  try {
    const outputs = await program.run(inputs, { weights });
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  } finally {
    await program.dispose();
  }
}

export type TrainingBatch = {
  readonly objective: ObjectiveConfig;
  /** [B, C, H, W], as are the pictures of the batch. */
  readonly clean: FixtureTensor;
  readonly noise: FixtureTensor;
  /** Our t of each picture, and what the published network is told. */
  readonly times: readonly number[];
  readonly told: readonly number[];
  readonly classes: readonly number[];
};

/** x, target and weight of an objective, with t, condition and the clean pictures. */
export function trainingBatch(given: TrainingBatch): HostTensors {
  const { objective, times, told, classes } = given;
  const [clean, noise] = [given.clean, given.noise].map(({ data }) => Float32Array.from(data)) as [
    Float32Array,
    Float32Array,
  ];
  const [x, target] = [new Float32Array(clean.length), new Float32Array(clean.length)];
  const size = clean.length / times.length;
  const weight = times.map((t, i) => {
    const row = (values: Float32Array) => values.subarray(i * size, (i + 1) * size);
    const into = { x: row(x), target: row(target) };
    return noisePicture(objective, row(clean), row(noise), t, into);
  });
  const { shape } = given.clean;
  const rows = [times.length];
  return {
    x: { data: x, shape },
    target: { data: target, shape },
    clean: { data: clean, shape },
    weight: { data: Float32Array.from(weight), shape: rows },
    t: { data: Float32Array.from(told), shape: rows },
    condition: { data: Int32Array.from(classes), shape: rows },
  };
}

/** [B, C, H, W] -> [B, H, W, C], the layout of objectives. */
export const channelsLast = (x: Tensor): Tensor => x.transpose([0, 2, 3, 1]);

/** A batch's pictures with their channels last. */
export function picturesLast(batch: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(batch).map(([name, x]) => [name, x.rank === 4 ? channelsLast(x) : x]),
  );
}
