import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { tf } from '../../tensor/tf.ts';
import { rateAt } from '../../training/config.ts';
import { adamW } from '../../training/optimisers/adamw.ts';
import { muon, orthogonalise } from '../../training/optimisers/muon.ts';
import { createUpdate, emaDecay, type Loss } from '../../training/update.ts';
import { tinyConfig } from './tiny.ts';

const engine = createEngine({ threads: 1 });
const bowl: Loss = ({ weights, inputs }) => tf.mean(tf.square(weights.w!.sub(inputs.to!)));

describe('AdamW', () => {
  test('its first step moves every weight by the rate, against the gradient', async () => {
    const weights = { w: { data: Float32Array.of(3, -2, 0.5), shape: [3] } };
    const update = await createUpdate(bowl, adamW({ rate: 0.1 }), {
      engine,
      weights,
      inputs: { to: { shape: [3] } },
    });
    await update.step([{ to: { data: new Float32Array(3), shape: [3] } }]);
    const moved = update.state().weights.w!.data;
    for (const [i, expected] of [2.9, -1.9, 0.4].entries())
      expect(moved[i]).toBeCloseTo(expected, 5);
    expect(weights.w.data[0]).toBe(3); // the caller's tensors stay as they are
    await update.dispose();
  });

  test('decay shrinks weights without a gradient by rate times decay', async () => {
    const weights = { w: { data: Float32Array.of(2), shape: [1] } };
    const flat: Loss = ({ weights: { w } }) => tf.sum(w!.mul(0));
    const update = await createUpdate(flat, adamW({ rate: 0.1, decay: 0.5 }), {
      engine,
      weights,
      inputs: {},
    });
    await update.step([{}]);
    expect(update.state().weights.w!.data[0]).toBeCloseTo(2 * (1 - 0.05), 6);
    await update.dispose();
  });
});

describe('an update', () => {
  const inputs = { to: { shape: [4] } };
  const weights = { w: { data: Float32Array.of(1, 2, 3, 4), shape: [4] } };
  const batch = (value: number) => ({ to: { data: new Float32Array(4).fill(value), shape: [4] } });

  test('on two accumulated batches is the update on their mean', async () => {
    const make = () => createUpdate(bowl, adamW({ rate: 0.1 }), { engine, weights, inputs });
    const [two, one] = [await make(), await make()];
    // The gradient of a square is linear in the target, so the mean target has the mean gradient.
    const first = await two.step([batch(1), batch(5)]);
    const second = await one.step([batch(3)]);
    expect(first.norm).toBeCloseTo(second.norm, 5);
    expect([...two.state().weights.w!.data]).toEqual([...one.state().weights.w!.data]);
    await Promise.all([two.dispose(), one.dispose()]);
  });

  test('clips to the global norm: plain gradient steps show it', async () => {
    const sgd = {
      moments: () => ({}),
      async update(
        w: typeof weights,
        g: typeof weights,
        _: object,
        { gradientScale }: { gradientScale: number },
      ) {
        for (let i = 0; i < 4; i++) w.w.data[i] = w.w.data[i]! - gradientScale * g.w.data[i]!;
      },
    };
    const update = await createUpdate(bowl, sgd as never, { engine, weights, inputs, clip: 0.25 });
    const { norm } = await update.step([batch(0)]);
    expect(norm).toBeCloseTo(Math.hypot(0.5, 1, 1.5, 2), 5);
    const step = [1, 2, 3, 4].map((value, i) => value - update.state().weights.w!.data[i]!);
    expect(Math.hypot(...step)).toBeCloseTo(0.25, 5);
    await update.dispose();
  });

  test('a gradient that is not finite names tensor and step', async () => {
    const broken: Loss = ({ weights: { w } }) => tf.sum(tf.sqrt(w!.sub(w!)));
    const update = await createUpdate(broken, adamW({ rate: 0.1 }), {
      engine,
      weights,
      inputs: {},
    });
    await expect(update.step([{}])).rejects.toThrow(/finite gradients, got NaN in 'w' at step 1/);
    await update.dispose();
  });

  test('the moving average starts as a mean and ends at its cap', () => {
    expect(emaDecay(0.999)(12)).toBeCloseTo(0.5, 10);
    expect(emaDecay(0.999)(1e6)).toBe(0.999);
  });
});

describe('Muon', () => {
  test('its step has singular values near 1 for any matrix, tall or wide', async () => {
    const rng = createRng(5);
    for (const [rows, columns] of [
      [6, 6],
      [4, 12],
      [8, 20],
      [20, 8],
    ] as const) {
      const program = await engine.compile(
        ({ inputs }) => {
          const x = orthogonalise(inputs.x!);
          return { outputs: { gram: tf.matMul(x, x, false, true) } };
        },
        { inputs: { x: { shape: [1, rows, columns] } } },
      );
      const { gram } = await program.run({
        x: { data: rng.normals(rows * columns), shape: [1, rows, columns] },
      });
      // Trace of the Gram matrix = sum of squared singular values; the quintic leaves them in 0.7 ... 1.2.
      let trace = 0;
      for (let i = 0; i < rows; i++) trace += gram!.data[i * rows + i]!;
      const rank = Math.min(rows, columns);
      expect(trace / rank).toBeGreaterThan(0.45);
      expect(trace / rank).toBeLessThan(1.45);
      await program.dispose();
    }
  });

  test('splits qkv: each third moves as a matrix of its own', async () => {
    const rng = createRng(8);
    const weights = { 'blocks.0.attn.qkv.weight': { data: rng.normals(12 * 4), shape: [12, 4] } };
    const target = { to: { data: rng.normals(48), shape: [12, 4] } };
    const loss: Loss = ({ weights: w, inputs }) =>
      tf.sum(tf.square(w['blocks.0.attn.qkv.weight']!.sub(inputs.to!)));
    const optimiser = muon({ engine, rate: 0.1, others: { rate: 0.1 } });
    const update = await createUpdate(loss, optimiser, {
      engine,
      weights,
      inputs: { to: { shape: [12, 4] } },
    });
    await update.step([target]);
    const before = weights['blocks.0.attn.qkv.weight'].data;
    const after = update.state().weights['blocks.0.attn.qkv.weight']!.data as Float32Array;
    const moved = after.map((value, i) => before[i]! - value);
    for (let part = 0; part < 3; part++) {
      const square = moved
        .subarray(part * 16, (part + 1) * 16)
        .reduce((sum, value) => sum + value * value, 0);
      expect(Math.sqrt(square / 4) / 0.1).toBeGreaterThan(0.65); // four singular values near 1
      expect(Math.sqrt(square / 4) / 0.1).toBeLessThan(1.25);
    }
    await update.dispose();
  });
});

test('the learning rate rises, holds and falls to nearly zero at the last step', () => {
  const config = tinyConfig({ steps: 100, warmup: 10, rate: { kind: 'constant', decay: 0.4 } });
  expect(rateAt(config, 1)).toBeCloseTo(0.1, 10);
  expect(rateAt(config, 30)).toBe(1);
  expect(rateAt(config, 61)).toBe(1);
  expect(rateAt(config, 100)).toBeCloseTo(1 / 40, 10);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (step) => {
      const cosine = rateAt({ ...config, rate: { kind: 'cosine' } }, step);
      return cosine >= 0 && cosine <= 1;
    }),
  );
});

test('held weights stay until their step, and the others move as without them', async () => {
  const weights = {
    'late.w': { data: Float32Array.of(1, 2), shape: [2] },
    w: { data: Float32Array.of(1, 2), shape: [2] },
  };
  const loss: Loss = ({ weights: w }) => tf.sum(tf.square(w.w!).add(tf.square(w['late.w']!)));
  const options = { engine, weights, inputs: {}, hold: { prefix: 'late.', until: 2 } };
  const update = await createUpdate(loss, adamW({ rate: 0.1 }), options);
  const seen: { late: number; other: number }[] = [];
  for (let i = 0; i < 4; i++) {
    await update.step([{}]);
    const { weights: now } = update.state();
    seen.push({ late: now['late.w']!.data[0]!, other: now.w!.data[0]! });
  }
  expect(seen.map(({ late }) => late < 1)).toEqual([false, false, true, true]);
  expect(seen.map(({ other }) => other < 1)).toEqual([true, true, true, true]);
  await update.dispose();
});
