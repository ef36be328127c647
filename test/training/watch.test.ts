import { describe, expect, test } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import type { HostTensors } from '../../tensor/program.ts';
import { tf } from '../../tensor/tf.ts';
import type { Optimiser } from '../../training/optimisers/optimiser.ts';
import { createUpdate, type Loss } from '../../training/update.ts';

/** |w x|^2, with the products and the number of the largest one to be seen. */
const loss: Loss = ({ weights, inputs, watch }) => {
  const product = weights.w!.mul(inputs.x!);
  watch?.('product', product);
  watch?.('largest', tf.argMax(product, 0));
  return tf.sum(tf.square(product));
};

describe.each(['onnx', 'reference'] as const)('what a loss lets be seen, on %s', (name) => {
  test('reaches the optimiser, batch by batch, as it was before the step; nothing is left behind', async () => {
    const engine = createEngine({ name });
    let seen: readonly HostTensors[] = [];
    const gradients: number[][] = [];
    const optimiser: Optimiser = {
      moments: () => ({}),
      async update(weights, given, _, { watched }) {
        seen = watched ?? [];
        gradients.push([...given.w!.data]);
        (weights.w!.data as Float32Array).fill(0);
      },
    };
    const shape = [3];
    const update = await createUpdate(loss, optimiser, {
      engine,
      inputs: { x: { shape } },
      weights: { w: { data: Float32Array.of(1, 2, 3), shape } },
    });
    const batch = (...x: number[]) => ({ x: { data: Float32Array.from(x), shape } });
    const step = () => update.step([batch(1, 1, 1), batch(9, 1, 0)]);
    await step();
    expect(seen.map(({ product, largest }) => [[...product!.data], [...largest!.data]])).toEqual([
      [[1, 2, 3], [2]],
      [[9, 2, 0], [0]],
    ]);
    expect(gradients[0]).toEqual([2 + 162, 4 + 4, 6]); // sums over batches of 2 w x^2
    const before = tf.memory().numTensors;
    await step();
    expect([...seen[1]!.product!.data]).toEqual([0, 0, 0]);
    expect(tf.memory().numTensors).toBe(before);
    await update.dispose();
    expect(engine.open).toBe(0);
  });
});
