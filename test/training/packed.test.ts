/** Pictures of several sizes in shared rows: their places, their loss, and a run. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patchify, unpatchifyChannels } from '../../encoders/tokenizers/patches.ts';
import { placedConstants } from '../../generators/compile.ts';
import { forwardFiT } from '../../generators/fit.ts';
import { shiftTime } from '../../sampling/diffusion/schedules/flow.ts';
import { createEngine } from '../../tensor/engine.ts';
import { type HostTensor, type HostTensors, specsOf } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { readSafetensors } from '../../tensor/safetensors.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import type { StepProgress } from '../../training/loop.ts';
import { trainedBy } from '../../training/metrics.ts';
import { weightedError } from '../../training/objective.ts';
import { createPackedBatches, type PackedBatch } from '../../training/packed-batches.ts';
import { parsePackedTraining } from '../../training/packed-config.ts';
import {
  createPackedLoss,
  createPackedNetwork,
  packedViews,
} from '../../training/packed-network.ts';
import { trainPacked } from '../../training/packed-run.ts';
import { packRows, toTokens } from '../../training/packing.ts';
import { expectClose, largestDifference } from '../close.ts';
import { evaluate, normals } from '../encoders/positions/evaluate.ts';
import { doubled, shapes, tinyConfig } from './tiny.ts';

const engine = createEngine({ threads: 1 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-packed-'));
});
afterAll(async () => {
  expect(engine.open).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

const MODEL = {
  preset: 'avatars-fit',
  config: { patch: 4, width: 32, depth: 2, heads: 2, hidden: 48, lora: 8 },
  positions: { rotate: { method: 'axial', base: 100 } },
};
const training = (changes: Record<string, unknown> = {}) =>
  parsePackedTraining(
    { ...tinyConfig(), model: MODEL, packed: { rows: 2, length: 48 }, ...changes },
    'packed',
  );
const MIXED = [
  { how: 'full', share: 2 },
  { how: 'crop', size: [8, 16], of: 16, share: 1 },
  { how: 'full', size: [16, 32], share: 1 },
  { how: 'window', size: 8, of: 32, share: 1 },
];
const data = shapes(40);

describe('places in rows', () => {
  test('the longest come first, into the fullest row that has room; the last are left out', () => {
    const rows = { rows: 2, length: 14 };
    const places = [
      { row: 0, number: 2, start: 10 },
      { row: 0, number: 1, start: 0 },
      { row: 1, number: 2, start: 9 },
      { row: 1, number: 1, start: 0 },
    ];
    expect(packRows([4, 10, 3, 9], rows)).toEqual(places);
    // Those after the first that has no room are left out too, however small.
    expect(packRows([4, 10, 3, 9, 6, 1], rows)).toEqual(places);
    expect(() => packRows([15], rows)).toThrow(
      'expected at most 14 tokens, which a row holds, got 15',
    );
  });

  test('tokens are those of the traced patches, which come back as the picture', async () => {
    const x = normals('x', [1, 8, 12, 3]);
    const { tokens, back } = await evaluate(engine, { x }, (given) => {
      const patches = patchify(given.x!, 4);
      return { tokens: patches.mul(1), back: unpatchifyChannels(patches, 4, 8, 12) };
    });
    expect(toTokens(x.data as Float32Array, [8, 12], 4)).toEqual(tokens!.data);
    expect(back!.data).toEqual(x.data);
  });
});

test('times are shifted by the size whose places a picture has', () => {
  const of = ([height, width]: readonly number[]) => Math.sqrt((height! * width!) / 256);
  const plain = prepared({ views: MIXED }).batch;
  const shifted = prepared({ views: MIXED }, of).batch;
  const byTokens = new Map([
    [16, 1],
    [8, Math.SQRT1_2],
    [32, Math.SQRT2],
    [4, 2], // a window of 8 x 8 px of 32 x 32
  ]);
  const perRow = plain.t.shape[1]!;
  const seen = new Set<number>();
  for (const { row, number, count } of picturesOf(plain)) {
    const at = row * perRow + number - 1;
    const wanted = shiftTime(plain.t.data[at]!, byTokens.get(count)!);
    expectClose([shifted.t.data[at]!], [wanted], { rtol: 1e-6 }); // each is rounded to float32
    seen.add(count);
  }
  expect(seen.size).toBeGreaterThan(2);
});

/** A network without closed gates, and batches of it. */
function prepared(
  changes: Record<string, unknown>,
  timeShift: (size: readonly number[]) => number = () => 1,
) {
  const config = training(changes);
  const network = createPackedNetwork(config, 4, createRng(1));
  const rng = createRng(2);
  const weights: HostTensors = Object.fromEntries(
    Object.entries(network.weights).map(([name, { data: own, shape }]) => {
      const noise = rng.stream(name).normals(own.length);
      return [name, { data: Float32Array.from(own, (v, i) => v + 0.1 * noise[i]!), shape }];
    }),
  );
  const views = packedViews(config, network.config);
  const { positions } = network;
  const batches = createPackedBatches(data, createRng(3), {
    ...{ ...config, timeShift },
    ...{ views, patch: 4, pictures: (side: number) => (side === 16 ? data : doubled(data)) },
    coordinates: (_, { size: [h, w] }) => {
      const places = Array.from({ length: (h * w) / 16 }, (__, i) => [
        Math.floor(i / (w / 4)),
        i % (w / 4),
      ]);
      return { data: Float32Array.from(places.flat()), shape: [places.length, 2] };
    },
  });
  return { network, weights, batch: batches(0), positions };
}
type Prepared = ReturnType<typeof prepared>;

/** Loss and gradients of a batch. */
async function gradientsOf({ network, weights }: Prepared, batch: HostTensors) {
  const names = Object.keys(weights);
  const loss = createPackedLoss(network);
  const program = await engine.compile(
    ({ inputs, weights: w }) => {
      const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
        const named = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
        return loss({ weights: named, inputs }) as tf.Scalar;
      })(names.map((name) => w[name]!));
      const out: Tensors = { loss: value };
      for (const [i, name] of names.entries()) out[name] = grads[i]!;
      return { outputs: out };
    },
    { inputs: specsOf(batch), weights },
    { weights: 'live' },
  );
  const out = await program.run(batch, { weights });
  await program.dispose();
  return out;
}

/** Where each picture of a batch lies: row, number and the token it begins with. */
function picturesOf({ mask }: PackedBatch) {
  const [, length] = mask.shape as [number, number];
  const found: { row: number; number: number; start: number; count: number }[] = [];
  for (const [at, number] of mask.data.entries()) {
    if (number === 0) continue;
    const row = Math.floor(at / length);
    const last = found.at(-1);
    if (last && last.row === row && last.number === number) last.count++;
    else found.push({ row, number, start: at, count: 1 });
  }
  return found;
}

/** The mean of all pictures' losses, each alone with one time and condition, as pictures of pixels. */
async function alone({ network, weights, batch, positions }: Prepared): Promise<number> {
  const { config } = network;
  const pictures = picturesOf(batch);
  let total = 0;
  for (const { row, number, start, count } of pictures) {
    const cut = (tensor: HostTensor, width: number): HostTensor => ({
      data: tensor.data.slice(start * width, (start + count) * width),
      shape: [1, count, width],
    });
    const perRow = batch.t.shape[1]!;
    const told = row * perRow + number - 1;
    const inputs = {
      tokens: cut(batch.tokens, 48),
      target: cut(batch.target, 48),
      coordinates: cut(batch.coordinates, 2),
      t: { data: batch.t.data.slice(told, told + 1), shape: [1] },
      condition: { data: batch.condition.data.slice(4 * told, 4 * told + 4), shape: [1, 4] },
      // The weight that a picture's mean square error has.
      weight: {
        data: Float32Array.of(batch.weight.data[start]! * count * 48 * pictures.length),
        shape: [1],
      },
    };
    const { y } = await evaluate(engine, { ...inputs, ...weights }, (given) => {
      const prediction = forwardFiT(config, positions, given, {
        tokens: given.tokens!,
        t: given.t!,
        condition: given.condition!,
        mask: tf.ones([1, count]),
        placed: {
          ...placedConstants(positions.place(positions.trained, 'sample')),
          coordinates: given.coordinates!,
        },
        grid: positions.trained,
      });
      const side = 4 * Math.sqrt(count / 2); // any two sides that make as many patches
      const [H, W] = Number.isInteger(side / 4) ? [side, 2 * side] : [4, 4 * count];
      const pixels = (tokens: Tensor) => unpatchifyChannels(tokens, 4, H!, W!);
      return weightedError(pixels(prediction), pixels(given.target!), given.weight!);
    });
    total += y!.data[0]! / pictures.length;
  }
  return total;
}

describe('the loss of packed rows', () => {
  test('pictures of one size, packed, have the loss and gradients of a row each', async () => {
    const apart = prepared({ batch: 4, packed: { rows: 4, length: 16 } });
    const packed = prepared({ batch: 4, packed: { rows: 1, length: 70 } });
    expect(packed.batch.mask.data.filter((number) => number === 0)).toHaveLength(6);
    const [a, b] = [await gradientsOf(apart, apart.batch), await gradientsOf(packed, packed.batch)];
    expectClose(b.loss!.data, a.loss!.data, { rtol: 1e-5 }); // float32 sums in another order
    for (const name of Object.keys(apart.weights)) {
      const most = Math.max(...Array.from(a[name]!.data, Math.abs));
      expect(most, name).toBeGreaterThan(0);
      expect(largestDifference(b[name]!.data, a[name]!.data), name).toBeLessThan(1e-4 * most);
    }
    expectClose([await alone(apart)], a.loss!.data, { rtol: 1e-5 });
  });

  test('pictures of several sizes have the mean of their own losses, and no part in others', async () => {
    const mixed = prepared({ batch: 12, packed: { rows: 3, length: 48 }, views: MIXED });
    const sizes = new Set(picturesOf(mixed.batch).map(({ count }) => count));
    expect(sizes.size).toBeGreaterThan(2);
    const { loss } = await gradientsOf(mixed, mixed.batch);
    expectClose(loss!.data, [await alone(mixed)], { rtol: 1e-5 });
    const { mask } = mixed.batch;
    const seeing = { ...mask, data: Float32Array.from(mask.data, (number) => Math.min(1, number)) };
    const together = await gradientsOf(mixed, { ...mixed.batch, mask: seeing });
    expect(Math.abs(together.loss!.data[0]! / loss!.data[0]! - 1)).toBeGreaterThan(1e-3);
  });
});

test('a run on packed sizes learns, and goes on bit for bit after a stop', async () => {
  const config = training({
    ...{ steps: 40, batch: 10, packed: { rows: 3, length: 48 }, views: MIXED },
    ...{ model: { ...MODEL, config: { ...MODEL.config, lora: undefined } } },
    sampling: { ...tinyConfig().sampling, steps: 1 },
  });
  const runTo = async (name: string, stopAfter?: number) => {
    const stop = new AbortController();
    const seen: StepProgress[] = [];
    const { update } = await trainPacked(config, {
      ...{ engine, data, otherSides: [doubled(data)], heldOut: shapes(12, 9) },
      ...{ folder: join(folder, name), signal: stop.signal },
      onStep: (progress) => {
        seen.push(progress);
        if (progress.step === stopAfter) stop.abort();
      },
    });
    await update.dispose();
    return seen;
  };
  const whole = await runTo('whole');
  const mean = (part: readonly StepProgress[]) =>
    part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
  expect(mean(whole.slice(-8))).toBeLessThan(0.6 * mean(whole.slice(0, 8)));
  const parts = [...(await runTo('parts', 3)), ...(await runTo('parts'))];
  const numbers = (all: readonly StepProgress[]) => all.map(({ loss, norm }) => [loss, norm]);
  expect(numbers(parts)).toEqual(numbers(whole));
  const read = async (name: string) => {
    const latest = await readFile(join(folder, name, 'latest'), 'utf8');
    return (await readSafetensors(join(folder, name, latest, 'ema.safetensors'))).tensors;
  };
  expect(await read('parts')).toEqual(await read('whole'));

  // What a card says: the pictures that found room, of both sessions, though 10 were offered each time.
  const placed = whole.reduce((sum, { pictures }) => sum + pictures, 0);
  expect(placed).toBeLessThan(40 * 10);
  expect((await trainedBy(join(folder, 'parts'), 'step-40')).training?.pictures).toBe(placed);
});

test.each<[Record<string, unknown>, string]>([
  [{ model: { ...MODEL, preset: 'avatars' } }, 'expected one of fitv2-xl/2, avatars-fit'],
  [{ model: { ...MODEL, positions: { embed: 'sincos2d' } } }, 'positions.embed: expected none'],
  [{ model: { ...MODEL, positions: { bias: 'alibi' } } }, 'positions.bias: expected none'],
  [
    { objective: { prediction: 'velocity', schedule: 'flow', cosine: true } },
    'objective.cosine: expected none',
  ],
  [
    { packed: { rows: 1, length: 15 } },
    'views[0]: expected at most the 15 tokens of a row, got 16',
  ],
  [{ views: [{ how: 'full', share: 1, batch: 4 }] }, 'views[0].batch: expected none for packed'],
])('%j is refused', (changes, sentence) => {
  expect(() => {
    const config = training(changes);
    packedViews(config, createPackedNetwork(config, 4, createRng(1)).config);
  }).toThrow(sentence);
});
