import { describe, expect, test } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { tf } from '../../tensor/tf.ts';
import { createGraphUpdate } from '../../training/graph-update.ts';
import { adamW } from '../../training/optimisers/adamw.ts';
import { createUpdate, type Loss, type Update } from '../../training/update.ts';
import { expectClose } from '../close.ts';

const loss: Loss = ({ weights, inputs }) => {
  const hidden = tf.tanh(tf.matMul(inputs.x!, weights.first!));
  return tf.mean(tf.square(tf.matMul(hidden, weights.embedding_table!).sub(inputs.y!)));
};
const rng = createRng(2);
const tensor = (...shape: [number, number]) => ({ data: rng.normals(shape[0] * shape[1]), shape });
const weights = { first: tensor(5, 8), embedding_table: tensor(8, 3) };
const batches = Array.from({ length: 6 }, () => ({ x: tensor(4, 5), y: tensor(4, 3) }));
const inputs = { x: { shape: [4, 5] }, y: { shape: [4, 3] } };
const options = {
  rate: 0.01,
  betas: [0.9, 0.95],
  decay: 0.1,
  rates: [{ match: /table/, rate: 0.05 }],
} as const;

async function walk(update: Update) {
  const losses: number[] = [];
  for (let i = 0; i < 3; i++)
    losses.push((await update.step([batches[2 * i]!, batches[2 * i + 1]!], 1 / (i + 1))).loss);
  losses.push((await update.step([batches[0]!])).norm);
  return losses;
}

describe.each(['onnx', 'reference'] as const)('the step in the graph on %s', (name) => {
  test('is the step on the host, with clipping, decay, accumulation and the moving average', async () => {
    const engine = createEngine({ name });
    const given = { engine, inputs, weights, clip: 0.5 };
    const onHost = await createUpdate(loss, adamW(options), given);
    const inGraph = await createGraphUpdate(loss, options, given);
    expectClose(await walk(inGraph), await walk(onHost), { rtol: 1e-5, atol: 1e-6 });
    const [a, b] = [inGraph.state(), onHost.state()];
    expect(a.step).toBe(4);
    for (const part of ['weights', 'ema', 'moments'] as const) {
      expect(Object.keys(a[part]).sort()).toEqual(Object.keys(b[part]).sort());
      for (const [key, { data }] of Object.entries(b[part])) {
        // Four steps of float32 in another order of operations.
        expectClose(a[part][key]!.data as Float32Array, data as Float32Array, {
          rtol: 1e-4,
          atol: 1e-6,
        });
      }
    }
    await Promise.all([onHost.dispose(), inGraph.dispose()]);
  });

  test('continues from the state of a step on the host', async () => {
    const engine = createEngine({ name });
    const onHost = await createUpdate(loss, adamW(options), { engine, inputs, weights });
    const inGraph = await createGraphUpdate(loss, options, { engine, inputs, weights });
    await onHost.step([batches[0]!]);
    inGraph.restore(onHost.state());
    const [a, b] = [await inGraph.step([batches[1]!]), await onHost.step([batches[1]!])];
    expectClose([a.loss, a.norm], [b.loss, b.norm], { rtol: 1e-5, atol: 1e-6 });
    await Promise.all([onHost.dispose(), inGraph.dispose()]);
  });
});
