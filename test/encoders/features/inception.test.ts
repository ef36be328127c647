import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { compileInception, loadInceptionLayers } from '../../../encoders/features/inception.ts';
import {
  type KerasModel,
  kerasWeights,
  loadInceptionV3,
} from '../../../encoders/features/nsfwjs.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { createRng } from '../../../tensor/rng.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import { expectClose } from '../../close.ts';

/** The smallest picture that leaves mixed7 a place. */
const SIDE = 75;
let model: KerasModel;

beforeAll(async () => {
  model = await loadInceptionV3();
});
afterAll(() => vi.resetModules());

/** The same layers as tfjs itself reads Keras models, batch norms and all. */
async function byKeras(x: Float32Array, layer: string): Promise<Float32Array> {
  const topology = structuredClone(model.modelTopology);
  const { layers } = topology.model_config.config;
  const [input] = layers as unknown as { config: { batch_input_shape: unknown } }[];
  input!.config.batch_input_shape = [null, SIDE, SIDE, 3];
  const last = layers.findIndex(({ name }) => name === layer);
  const own = topology.model_config.config as unknown as Record<string, unknown>;
  own.layers = layers.slice(0, last + 1);
  own.output_layers = [[layer, 0, 0]];
  const specs = model.weightsManifest.flatMap((group) => group.weights);
  const needed = specs.filter(({ name }) =>
    (own.layers as { name: string }[]).some((one) => name.startsWith(`${one.name}/`)),
  );
  const weights = kerasWeights(model);
  const data = needed.map(({ name }) => weights[name]!.data as Float32Array);
  const whole = new Float32Array(data.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of data) {
    whole.set(part, at);
    at += part.length;
  }
  const network = await tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: topology,
      weightSpecs: needed.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' })),
      weightData: whole.buffer,
    }),
  );
  const out = network.predict(tf.tensor4d(x, [1, SIDE, SIDE, 3])) as tf.Tensor4D;
  const pooled = (await tf.mean(out, [1, 2]).data()) as Float32Array;
  network.dispose();
  return pooled;
}

describe('inception v3 of nsfwjs', () => {
  test('as a function inside a traced one: the same features, and gradients that are slopes', async () => {
    const layer = 'activation_5'; // past the first convolutions and a pooling
    const { weights, forward } = await loadInceptionLayers(['activation_2', layer]);
    const engine = createEngine({ threads: 1 });
    const side = 32;
    const shape = [1, side, side, 3];
    const rng = createRng(2);
    const data = Float32Array.from({ length: side * side * 3 }, () => rng.uniform());
    const program = await engine.compile(
      ({ inputs, weights: w }) => {
        const total = (x: Tensor) => tf.mean(tf.square(forward(w, x).get(layer)!)) as tf.Scalar;
        const { value, grad } = tf.valueAndGrad(total)(inputs.x!);
        const pooled = tf.mean(forward(w, inputs.x!).get(layer)!, [1, 2]);
        return { outputs: { value, grad, pooled } };
      },
      { inputs: { x: { shape } }, weights },
    );
    const at = async (x: Float32Array) => program.run({ x: { data: x, shape } });
    const { grad, pooled } = await at(data);
    const whole = await compileInception(engine, model, { side, layer, batch: 1 });
    const expected = await whole.program.run({ x: { data, shape } });
    await whole.program.dispose();
    expectClose(pooled!.data, expected.pooled!.data, { rtol: 1e-5, atol: 1e-6 });
    const length = Math.hypot(...grad!.data);
    const step = 0.05;
    const moved = async (sign: number) =>
      (await at(data.map((v, i) => v + (sign * step * grad!.data[i]!) / length))).value!.data[0]!;
    const slope = ((await moved(1)) - (await moved(-1))) / (2 * step);
    expectClose([slope], [length], { rtol: 0.02 }); // a finite difference across rectified kinks
    await program.dispose();
  });

  test('gives what tfjs computes from the Keras model, to mixed7', async () => {
    const x = Float32Array.from(
      { length: SIDE * SIDE * 3 },
      (
        (draw) => () =>
          draw.uniform()
      )(createRng(3)),
    );
    const engine = createEngine({ threads: 1 });
    const { program, places } = await compileInception(engine, model, { side: SIDE, batch: 1 });
    const { pooled, maps } = await program.run({ x: { data: x, shape: [1, SIDE, SIDE, 3] } });
    await program.dispose();
    expect(places).toEqual([3, 3]);
    expect(maps!.shape).toEqual([1, 3, 3, 7]);
    const expected = await byKeras(x, 'mixed7');
    expect(expected.length).toBe(768);
    // 60 layers of float32 sums in another order, with batch norms folded.
    expectClose(pooled!.data, expected, { rtol: 1e-3, atol: 1e-5 });
  });

  test('without the package the sentence names it', async () => {
    vi.resetModules();
    vi.doMock('nsfwjs/models/inception_v3', () => {
      throw new Error('Cannot find package');
    });
    const { loadInceptionV3: load } = await import('../../../encoders/features/nsfwjs.ts');
    await expect(load()).rejects.toThrow(
      'features: expected the package of Inception v3, got none; install nsfwjs@4.4.0',
    );
    vi.doUnmock('nsfwjs/models/inception_v3');
  });
});
