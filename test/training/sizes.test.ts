/** Runs that show several sizes: micro-conditioning, views, and both continued after a stop. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { microRows, wholePicture } from '../../encoders/conditioning/micro.ts';
import { shiftTime } from '../../sampling/diffusion/schedules/flow.ts';
import { createEngine } from '../../tensor/engine.ts';
import type { HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { readSafetensors } from '../../tensor/safetensors.ts';
import { createBatches } from '../../training/batches.ts';
import type { StepProgress } from '../../training/loop.ts';
import { createLoss, createNetwork, createTimeShift } from '../../training/network.ts';
import { train } from '../../training/run.ts';
import { viewsOf } from '../../training/views.ts';
import { expectClose } from '../close.ts';
import { doubled, shapes, tinyConfig } from './tiny.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-sizes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tiny = tinyConfig();
const mixed = tinyConfig({
  steps: 8,
  model: { ...tiny.model, config: { ...tiny.model.config, micro: true } },
  views: [
    { how: 'full', share: 2 },
    { how: 'full', size: [16, 32], share: 1, batch: 4, from: 3 },
    { how: 'crop', size: 16, of: 32, share: 1 },
    { how: 'rows', of: 32, share: 2 },
  ],
  sampling: { ...tiny.sampling, steps: 1 },
});

test('a run over several sizes, stopped and continued, is the same run bit for bit', async () => {
  const runTo = async (name: string, stopAfter?: number) => {
    const stop = new AbortController();
    const seen: StepProgress[] = [];
    const { update } = await train(mixed, {
      engine: createEngine({ threads: 1 }),
      data: shapes(40),
      otherSides: [doubled(shapes(40))],
      heldOut: shapes(8, 9),
      folder: join(folder, name),
      signal: stop.signal,
      onStep: (progress) => {
        seen.push(progress);
        if (progress.step === stopAfter) stop.abort();
      },
    });
    await update.dispose();
    return seen.map(({ step, loss, norm }) => ({ step, loss, norm }));
  };
  const whole = await runTo('whole');
  const parts = [...(await runTo('parts', 2)), ...(await runTo('parts'))];
  expect(parts).toEqual(whole);
  for (const part of ['weights', 'ema', 'moments']) {
    const read = async (name: string) => {
      const latest = await readFile(join(folder, name, 'latest'), 'utf8');
      return (await readSafetensors(join(folder, name, latest, `${part}.safetensors`))).tensors;
    };
    expect(await read('parts')).toEqual(await read('whole'));
  }
});

test('batches: sizes, positions of larger pictures, and what is said of them', () => {
  const data = shapes(40);
  const larger = doubled(data);
  const batches = createBatches(data, createRng(1), {
    ...mixed,
    micro: true,
    drop: { ...mixed.drop, size: 0.5 },
    coordinates: (_, __, tokens) =>
      tokens && { data: Float32Array.of(tokens.rows[0]!, tokens.columns[0]!), shape: [1, 2] },
    seen: {
      views: viewsOf({ ...mixed, steps: 60 }, 4),
      pictures: (side) => (side === 16 ? data : larger),
      patch: 4,
    },
  });
  const all = Array.from({ length: 60 }, (_, step) => batches(step));
  const shapesSeen = new Set(all.map(({ x }) => x.shape.join('x')));
  expect(shapesSeen).toEqual(new Set(['8x16x16x3', '4x16x32x3']));
  const rows = all.filter(({ coordinates }) => coordinates);
  expect(rows.length).toBeGreaterThan(5); // a third of 60 are expected, 4 deviations below is 5
  for (const { micro } of rows) {
    const [said] = [micro!.data.subarray(0, 7)];
    if (said[6] === 1) expect([...said]).toEqual([32, 32, 0, 0, 32, 32, 1]);
    else expect([...said]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  }
  const together = createBatches(data, createRng(1), {
    ...mixed,
    accumulate: 3,
    seen: {
      views: viewsOf({ ...mixed, steps: 20 }, 4),
      pictures: (side) => (side === 16 ? data : larger),
      patch: 4,
    },
  });
  for (let step = 0; step < 20; step++) {
    const parts = [0, 1, 2].map((i) => together(3 * step + i).x.shape.join('x'));
    expect(new Set(parts).size).toBe(1);
  }
  const present = all.flatMap(({ micro }) =>
    Array.from({ length: micro!.shape[0]! }, (_, row) => micro!.data[7 * row + 6]!),
  );
  const share = present.reduce((a, b) => a + b, 0) / present.length;
  expect(Math.abs(share - 0.5)).toBeLessThan(0.1); // about 440 fair coins: 0.1 is 4 deviations
});

test('times are drawn as sampling shifts them, by the picture whose places are shown', () => {
  const data = shapes(40);
  const seen = {
    views: viewsOf({ ...mixed, steps: 60 }, 4),
    pictures: (side: number) => (side === 16 ? data : doubled(data)),
    patch: 4,
  };
  const shiftOf = (positions: Record<string, unknown>) => {
    const config = { ...mixed, model: { ...mixed.model, positions } };
    const network = createNetwork(config, data, createRng(1));
    return createTimeShift(network.dit, network.positions);
  };
  const batchesOf = (timeShift?: ReturnType<typeof shiftOf>) =>
    createBatches(data, createRng(1), {
      ...{ ...mixed, seen, ...(timeShift ? { timeShift } : {}) },
      coordinates: (_, __, tokens) => tokens && { data: new Float32Array(2), shape: [1, 2] },
    });
  const plain = batchesOf();
  const untouched = batchesOf(shiftOf({}));
  const shifted = batchesOf(shiftOf({ extend: 'time-shift' }));
  const shifts = new Set<number>();
  for (let step = 0; step < 60; step++) {
    const before = plain(step);
    expect(untouched(step)).toEqual(before);
    // 16 x 32 px has twice the tokens of what was trained, rows of 32 x 32 px are placed in four times as many.
    const of = before.x.shape[2] === 32 ? Math.SQRT2 : before.coordinates ? 2 : 1;
    shifts.add(of);
    const wanted = before.t.data.map((t) => shiftTime(t, of));
    expectClose(shifted(step).t.data, wanted, { rtol: 1e-6 }); // each is rounded to float32
  }
  expect(shifts.size).toBe(3);
});

/** The loss of one batch under weights, for what is said of the pictures' sizes. */
async function lossOf(weights: HostTensors, micro: boolean, rows = microRows([])) {
  const engine = createEngine({ threads: 1 });
  const config = tinyConfig({
    model: { ...tiny.model, config: { ...tiny.model.config, ...(micro ? { micro } : {}) } },
  });
  const data = shapes(8);
  const { dit, positions } = createNetwork(config, data, createRng(1));
  const loss = createLoss(dit, positions, config.objective);
  const { coordinates: _, ...batch } = createBatches(data, createRng(5), config)(0);
  const inputs = { ...batch, ...(micro ? { micro: rows } : {}) };
  const program = await engine.compile(
    ({ inputs: given, weights: w }) => ({ outputs: { loss: loss({ inputs: given, weights: w }) } }),
    {
      inputs: Object.fromEntries(Object.entries(inputs).map(([k, { shape }]) => [k, { shape }])),
      weights,
    },
    { weights: 'live' },
  );
  const { loss: value } = await program.run(inputs, { weights });
  await program.dispose();
  return value!.data[0]!;
}

test('micro-conditioning starts as the model without it, and then tells sizes apart', async () => {
  const config = tinyConfig({
    model: { ...tiny.model, config: { ...tiny.model.config, micro: true } },
  });
  const fresh = createNetwork(config, shapes(8), createRng(1)).weights;
  /** Small numbers on all weights but the new layer's, so that nothing is hidden behind zeros. */
  const stir = (keep: RegExp): HostTensors =>
    Object.fromEntries(
      Object.entries(fresh).map(([name, { data, shape }]) => {
        const noise = createRng(2).stream(name).normals(data.length);
        const moved = Float32Array.from(data, (v, i) => v + 0.1 * noise[i]!);
        return [name, { data: keep.test(name) ? data : moved, shape }];
      }),
    );
  const whole = microRows(Array(8).fill(wholePicture(16, 16)));
  const large = microRows(Array(8).fill(wholePicture(32, 32)));
  const none = microRows(Array(8).fill(undefined));

  const begun = stir(/size_embedder\.mlp\.2/);
  const plain = Object.fromEntries(
    Object.entries(begun).filter(([name]) => !name.startsWith('size_embedder')),
  );
  const without = await lossOf(plain, false);
  expect(await lossOf(begun, true, whole)).toBe(without);

  const learned = stir(/^$/);
  expectClose([await lossOf(learned, true, none)], [without], { rtol: 1e-6 }); // nothing is said
  const [small, big] = [await lossOf(learned, true, whole), await lossOf(learned, true, large)];
  expect(Math.abs(small - without)).toBeGreaterThan(1e-4 * without);
  expect(Math.abs(small - big)).toBeGreaterThan(1e-5 * without);
});
