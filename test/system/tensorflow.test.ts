/**
 * Native TensorFlow, installed as a user would, against the plain reference. Needs Linux x64, g++, python3 with pip
 * and a Python package index; the wheel (214 MB) is kept between runs.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { installTensorflow } from '../../tensor/engines/install-tensorflow.ts';
import { loadTensorflow } from '../../tensor/engines/load-tensorflow.ts';
import { downloadTensorflow } from '../../tensor/engines/tensorflow-wheel.ts';
import type { Engine } from '../../tensor/program.ts';
import { tf } from '../../tensor/tf.ts';
import { adamW } from '../../training/optimisers/adamw.ts';
import { createUpdate } from '../../training/update.ts';
import { expectClose } from '../close.ts';
import { check } from '../tensor/kernels/check.ts';
import { convolutions } from '../tensor/kernels/convolutions.ts';
import { elementwise } from '../tensor/kernels/elementwise.ts';
import { movement } from '../tensor/kernels/movement.ts';
import { reductions } from '../tensor/kernels/reductions.ts';
import { primitives } from '../tensor/ops/primitives.ts';
import { batchOf, evaluate, loss, SPECS, weightsOfDiT } from './small-transformer.ts';

const WHEELS = new URL('../../node_modules/.cache/ropewalk/wheels/', import.meta.url).pathname;
const CASES = [...elementwise, ...movement, ...reductions, ...convolutions, ...primitives];
/** Native TensorFlow sums in another order and has its own exp, tanh and erf. */
const tolerance = { rtol: 1e-4, atol: 1e-4 };

let home: string;
let native: Engine;
const reference = createEngine({ name: 'reference' });

async function cachedWheel(): Promise<string> {
  await mkdir(WHEELS, { recursive: true });
  const [found] = (await readdir(WHEELS)).filter((file) => file.endsWith('.whl'));
  return found ? join(WHEELS, found) : downloadTensorflow(WHEELS);
}

const said: string[] = [];
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'ropewalk-tensorflow-'));
  const folder = join(home, 'cache/tensorflow');
  await installTensorflow({
    folder,
    wheel: await cachedWheel(),
    say: (line) => said.push(line),
  });
  const before = tf.getBackend();
  expect(await loadTensorflow(folder)).toEqual({ version: '2.16.2', device: 'cpu' });
  expect(tf.getBackend()).toBe(before);
  native = createEngine({ name: 'tensorflow' });
});
afterAll(() => rm(home, { recursive: true, force: true }));

it('says what it will do first, and leaves one folder', async () => {
  expect(said[0]).toMatch(/^TensorFlow 2\.16\.2 \(CPU\) into .*, takes [\d.]+ GB on disk$/);
  expect(said.some((line) => /sha256 c855cb6b\w+ as expected$/.test(line))).toBe(true);
  expect(await readdir(join(home, 'cache'))).toEqual(['tensorflow']);
});

describe('kernels and gradients agree with the reference', () => {
  for (const { name, draw } of CASES) {
    it(name, async () => {
      const property = fc.asyncProperty(draw, (drawn) =>
        check(drawn, { engine: native, tolerance }),
      );
      await fc.assert(property, { seed: 20, numRuns: 3 });
    });
  }
});

it('computes a diffusion transformer and its gradients like the reference', async () => {
  const [found, expected] = [await evaluate(native), await evaluate(reference)];
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [name, { data }] of Object.entries(expected)) {
    // A gradient that is zero everywhere would agree whatever the engine does.
    expect(
      data.some((value) => value !== 0),
      name,
    ).toBe(true);
    const largest = Math.max(...Array.from(data, Math.abs));
    expect(largest, name).toBeGreaterThan(0); // or it would agree whatever the engine does
    expectClose(found[name]!.data, data, { rtol: 1e-4, atol: 1e-4 * largest });
  }
});

it('trains like the onnx engine for 50 steps', async () => {
  const batches = Array.from({ length: 5 }, (_, i) => batchOf(`train/${i}`));
  const run = async (engine: Engine): Promise<number[]> => {
    const update = await createUpdate(loss, adamW({ rate: 1e-3 }), {
      engine,
      inputs: SPECS,
      weights: weightsOfDiT(),
      clip: 1,
    });
    const losses: number[] = [];
    for (let step = 0; step < 50; step++) {
      losses.push((await update.step([batches[step % batches.length]!])).loss);
    }
    await update.dispose();
    return losses;
  };
  const [found, expected] = [await run(native), await run(createEngine({ threads: 1 }))];
  expect(expected.at(-1)).toBeLessThan(0.9 * expected[0]!);
  expectClose(found, expected, { rtol: 0, atol: 1e-3 });
});

it('leaves no tensors', () => {
  expect(native.open).toBe(0);
  expect(tf.memory().numTensors).toBe(0);
});
