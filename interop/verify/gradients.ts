/** Losses and gradients by the program that training steps run. */
import type { Engine, HostTensors, Spec } from '../../tensor/program.ts';
import { specsOf } from '../../tensor/program.ts';
import type { Optimiser } from '../../training/optimisers/optimiser.ts';
import { createUpdate, type Loss } from '../../training/update.ts';
import type { Computed } from './compare.ts';

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
