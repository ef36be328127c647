import { afterAll, describe, expect, test } from 'vitest';
import { composePositions } from '../../encoders/positions/compose.ts';
import { extentOf, raster } from '../../encoders/positions/grid.ts';
import { unpatchify } from '../../encoders/tokenizers/patches.ts';
import { compileDiT } from '../../generators/compile.ts';
import { embedPatches } from '../../generators/dit.ts';
import { DIT_PRESETS, type DiTConfig } from '../../generators/dit-config.ts';
import { initDiT, shapesOfDiT } from '../../generators/dit-weights.ts';
import { createEngine } from '../../tensor/engine.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { tf } from '../../tensor/tf.ts';
import { expectClose } from '../close.ts';

const SMALL: DiTConfig = {
  ...DIT_PRESETS.avatars,
  patch: 4,
  width: 32,
  depth: 2,
  heads: 2,
  hidden: 48,
  condition: { words: 5 },
  context: { tokens: 3, start: 1 },
};
const grid = raster(2, 3);
const engine = createEngine({ threads: 1 });
afterAll(() => expect(engine.open).toBe(0));

/** New weights with all zeros filled, so that nothing is hidden by a closed gate. */
function stirred(config: DiTConfig, keep = /^$/): HostTensors {
  const rng = createRng(1);
  return Object.fromEntries(
    Object.entries(initDiT(config, rng)).map(([name, { data, shape }]) => {
      const draw = rng.stream(`stir/${name}`);
      const stir = (value: number) => value + 0.1 * draw.normal();
      return [name, { data: keep.test(name) ? data : (data as Float32Array).map(stir), shape }];
    }),
  );
}

/** A batch of pictures; picture i is the same in every batch. */
function pictures(config: DiTConfig, batch: number, first = 0): HostTensors {
  const { height, width } = extentOf(grid);
  const [H, W] = [height * config.patch, width * config.patch];
  const rows = Array.from({ length: batch }, (_, i) => createRng(7).stream(`${first + i}`));
  const length = H * W * config.channels;
  const words = 'words' in config.condition ? config.condition.words : 0;
  const bag = (rng: (typeof rows)[number]) =>
    Array.from({ length: words }, () => (rng.uniform() < 0.5 ? 1 : 0));
  return {
    x: {
      data: Float32Array.from(rows.flatMap((rng) => [...rng.stream('x').normals(length)])),
      shape: [batch, H, W, config.channels],
    },
    t: { data: Float32Array.from(rows, (rng) => rng.stream('t').uniform()), shape: [batch] },
    condition: words
      ? {
          data: Float32Array.from(rows.flatMap((rng) => bag(rng.stream('words')))),
          shape: [batch, words],
        }
      : { data: Int32Array.from(rows, (_, i) => first + i), shape: [batch] },
  };
}

async function predict(
  config: DiTConfig,
  weights: HostTensors,
  inputs: HostTensors,
  on: Engine = engine,
): Promise<Float32Array> {
  const { width, heads } = config;
  const program = await compileDiT(on, {
    config,
    positions: composePositions(
      { embed: 'sincos2d', rotate: 'axial' },
      { width, heads, trained: grid },
    ),
    weights,
    grid,
    batch: inputs.x!.shape[0]!,
  });
  const { prediction } = await program.run(inputs);
  await program.dispose();
  return prediction!.data as Float32Array;
}

describe('numbers of parameters', () => {
  const learned = (config: DiTConfig) =>
    Object.values(shapesOfDiT(config)).reduce((sum, shape) => sum + sizeOf(shape), 0);

  // Millions: Peebles and Xie 2023, table 4.
  test.each([
    ['dit-s/2', 33],
    ['dit-s/4', 33],
    ['dit-s/8', 33],
    ['dit-b/2', 130],
    ['dit-b/4', 130],
    ['dit-b/8', 131],
    ['dit-l/2', 458],
    ['dit-l/4', 458],
    ['dit-l/8', 459],
    ['dit-xl/2', 675],
    ['dit-xl/4', 675],
    ['dit-xl/8', 676],
  ] as const)('%s has %i million', (name, millions) => {
    expect(Math.round(learned(DIT_PRESETS[name]) / 1e6)).toBe(millions);
  });

  test("DiT-XL/2 has those of the published checkpoint's tensors", () => {
    const C = 1152;
    const layer = (out: number, into: number) => out * into + out;
    const block =
      layer(3 * C, C) + layer(C, C) + layer(4 * C, C) + layer(C, 4 * C) + layer(6 * C, C);
    const ends =
      layer(C, 16) + layer(C, 256) + layer(C, C) + 1001 * C + layer(32, C) + layer(2 * C, C);
    expect(learned(DIT_PRESETS['dit-xl/2'])).toBe(28 * block + ends);
    const table = 256 * C; // of positions: fixed, but stored with the weights
    expect(learned(DIT_PRESETS['dit-xl/2']) + table).toBe(675_129_632);
    expect(Object.keys(shapesOfDiT(DIT_PRESETS['dit-xl/2']))).toHaveLength(292 - 1);
  });
});

describe('rows', () => {
  const weights = stirred(SMALL);

  test.each([1, 2])('are bit-equal for batches of 1 to 64 on %i threads', async (threads) => {
    const on = createEngine({ threads });
    const alone = await predict(SMALL, weights, pictures(SMALL, 1));
    for (const batch of [1, 2, 3, 8, 25, 64]) {
      const together = await predict(SMALL, weights, pictures(SMALL, batch), on);
      expect(
        Buffer.from(together.slice(0, alone.length).buffer).equals(Buffer.from(alone.buffer)),
      ).toBe(true);
    }
    expect(on.open).toBe(0);
  });

  test('a batch of two is two batches of one', async () => {
    const both = await predict(SMALL, weights, pictures(SMALL, 2));
    const parts = [0, 1].map((i) => predict(SMALL, weights, pictures(SMALL, 1, i)));
    expect([...both]).toEqual((await Promise.all(parts)).flatMap((part) => [...part]));
    expect([...both.slice(0, both.length / 2)]).not.toEqual([...both.slice(both.length / 2)]);
  });
});

describe('new blocks', () => {
  const inputs = pictures(SMALL, 2);
  const shallow: DiTConfig = { ...SMALL, depth: 0 };

  test('are the identity, and their condition tokens leave no trace', async () => {
    const weights = stirred(SMALL, /^blocks\./);
    const few = Object.fromEntries(
      Object.keys(shapesOfDiT(shallow)).map((name) => [name, weights[name]!]),
    );
    const deep = await predict(SMALL, weights, inputs);
    expectClose(deep, await predict(shallow, few, inputs), { rtol: 0, atol: 0 });
    expect(deep.some((value) => Math.abs(value) > 0.01)).toBe(true);
  });

  test('are not once their gates open', async () => {
    const weights = stirred(SMALL);
    const few = Object.fromEntries(
      Object.keys(shapesOfDiT(shallow)).map((name) => [name, weights[name]!]),
    );
    const deep = await predict(SMALL, weights, inputs);
    const differs = (await predict(shallow, few, inputs)).some(
      (value, i) => Math.abs(value - deep[i]!) > 0.01,
    );
    expect(differs).toBe(true);
  });

  test('say nothing: a new network predicts zero', async () => {
    const weights = initDiT(SMALL, createRng(1));
    expect((await predict(SMALL, weights, inputs)).every((value) => value === 0)).toBe(true);
  });
});

test('unpatchify undoes patches, whose pixels convolutions order by channel first', () => {
  const [p, C] = [3, 2];
  const width = p * p * C;
  const matrix = new Float32Array(width * width); // output (i, j, c) <- input (c, i, j)
  for (let c = 0; c < C; c++)
    for (let i = 0; i < p; i++)
      for (let j = 0; j < p; j++) matrix[((i * p + j) * C + c) * width + (c * p + i) * p + j] = 1;
  const config: DiTConfig = { ...SMALL, patch: p, channels: C, width };
  const data = createRng(2).normals(2 * 6 * 9 * C);
  const back = tf.tidy(() => {
    const weights = {
      'x_embedder.proj.weight': tf.tensor(matrix, [width, C, p, p]),
      'x_embedder.proj.bias': tf.zeros([width]),
    };
    const x = tf.tensor(data, [2, 6, 9, C]);
    return unpatchify(embedPatches(config, weights, x), config.patch, 6, 9).dataSync();
  });
  expect([...back]).toEqual([...data]);
});

describe('no condition', () => {
  const other = (weights: HostTensors, rows: readonly number[]): HostTensors => {
    const name = 'y_embedder.embedding_table.weight';
    const { data, shape } = weights[name]!;
    const changed = data.map((value, i) =>
      rows.includes(Math.floor(i / shape[1]!)) ? value + 1 : value,
    );
    return { ...weights, [name]: { data: changed, shape } };
  };

  test('is the empty bag of words, whatever the words mean', async () => {
    const weights = stirred(SMALL);
    const moved = other(weights, [0, 1, 2, 3, 4]);
    const asked = pictures(SMALL, 1);
    const bag = { data: Float32Array.of(0, 0, 1, 0, 0), shape: [1, 5] };
    const none = { ...asked, condition: { data: new Float32Array(5), shape: [1, 5] } };
    const said = await predict(SMALL, weights, none);
    expect(await predict(SMALL, moved, none)).toEqual(said);
    const word = { ...asked, condition: bag };
    expect(await predict(SMALL, moved, word)).not.toEqual(await predict(SMALL, weights, word));
    expect(await predict(SMALL, weights, word)).not.toEqual(said);
  });

  test('is the last row of a table of classes', async () => {
    const config: DiTConfig = { ...SMALL, condition: { classes: 4 } };
    const weights = stirred(config);
    const none = { ...pictures(config, 1), condition: { data: Int32Array.of(4), shape: [1] } };
    const said = await predict(config, weights, none);
    expect(await predict(config, other(weights, [0, 1, 2, 3]), none)).toEqual(said);
    expect(await predict(config, other(weights, [4]), none)).not.toEqual(said);
  });
});

test('a learned variance is an output of its own, as a fraction of its range', async () => {
  const config: DiTConfig = { ...SMALL, variance: true };
  const { width, heads } = config;
  const positions = composePositions({}, { width, heads, trained: grid });
  const said = async (weights: HostTensors) => {
    const program = await compileDiT(engine, { config, positions, weights, grid, batch: 1 });
    const outputs = await program.run(pictures(config, 1));
    await program.dispose();
    return outputs as { prediction: HostTensor; variance: HostTensor };
  };
  const fresh = await said(initDiT(config, createRng(1)));
  expect([fresh.prediction.shape, fresh.variance.shape]).toEqual(Array(2).fill([1, 8, 12, 3]));
  expect(fresh.variance.data.every((value) => value === 0.5)).toBe(true);

  const weights = stirred(config);
  const name = 'final_layer.linear.bias';
  const { data, shape } = weights[name]!;
  const moved = data.map((value, i) => (i % 6 < 3 ? value : value + 2)); // of (p, q, c)
  const before = await said(weights);
  const after = await said({ ...weights, [name]: { data: moved, shape } });
  expectClose(after.prediction.data, before.prediction.data);
  expectClose(
    after.variance.data,
    before.variance.data.map((value) => value + 1),
  );
});
