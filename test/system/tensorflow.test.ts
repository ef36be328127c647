/**
 * Native TensorFlow, installed as a user would, against the plain reference. Needs Linux x64, g++, python3 with pip
 * and a Python package index; the wheel (214 MB) is kept between runs.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composePositions } from '../../encoders/positions/compose.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { placedConstants } from '../../generators/compile.ts';
import { DIT_PRESETS, type DiTConfig, forwardDiT, initDiT } from '../../generators/dit.ts';
import { createEngine } from '../../tensor/engine.ts';
import { installTensorflow } from '../../tensor/engines/install-tensorflow.ts';
import { loadTensorflow } from '../../tensor/engines/load-tensorflow.ts';
import { downloadTensorflow } from '../../tensor/engines/tensorflow-wheel.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { weightedError } from '../../training/objective.ts';
import { adamW } from '../../training/optimisers/adamw.ts';
import { createUpdate, type Loss } from '../../training/update.ts';
import { expectClose } from '../close.ts';
import { check } from '../tensor/kernels/check.ts';
import { convolutions } from '../tensor/kernels/convolutions.ts';
import { elementwise } from '../tensor/kernels/elementwise.ts';
import { movement } from '../tensor/kernels/movement.ts';
import { reductions } from '../tensor/kernels/reductions.ts';

const WHEELS = new URL('../../node_modules/.cache/ropewalk/wheels/', import.meta.url).pathname;
/** Native TensorFlow sums in another order and has its own exp, tanh and erf. */
const tolerance = { rtol: 1e-4, atol: 1e-4 };
const rng = createRng(7);

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
  for (const { name, draw } of [...elementwise, ...movement, ...reductions, ...convolutions]) {
    it(name, async () => {
      const property = fc.asyncProperty(draw, (drawn) =>
        check(drawn, { engine: native, tolerance }),
      );
      await fc.assert(property, { seed: 20, numRuns: 3 });
    });
  }
});

/** Small, with what the shipped model has: RMS norm, SwiGLU, qk-norm, context tokens, RoPE. */
const CONFIG: DiTConfig = {
  ...DIT_PRESETS.avatars,
  width: 64,
  depth: 2,
  heads: 2,
  hidden: 96,
  patch: 4,
  condition: { words: 9 },
};
const GRID = raster(4, 4);
const BATCH = 3;
const POSITIONS = composePositions(
  { rotate: 'axial' },
  { width: CONFIG.width, heads: CONFIG.heads, trained: GRID },
);

const normals = (name: string, shape: number[]): HostTensor => ({
  data: rng.stream(name).normals(sizeOf(shape)),
  shape,
});

/** New weights, with the zeros that would hide most of the network replaced by small numbers. */
function weightsOfDiT(): HostTensors {
  const initial = { ...initDiT(CONFIG, rng.stream('weights')), ...POSITIONS.init(rng) };
  return Object.fromEntries(
    Object.entries(initial).map(([name, { data, shape }]) => {
      const noise = rng.stream(`noise/${name}`).normals(data.length);
      return [name, { data: Float32Array.from(data, (v, i) => v + 0.05 * noise[i]!), shape }];
    }),
  );
}

function batchOf(name: string): HostTensors {
  const condition = normals(`${name}/condition`, [BATCH, 9]);
  const t = rng.stream(`${name}/t`);
  return {
    x: normals(`${name}/x`, [BATCH, 16, 16, 3]),
    target: normals(`${name}/target`, [BATCH, 16, 16, 3]),
    t: { data: Float32Array.from({ length: BATCH }, () => t.uniform()), shape: [BATCH] },
    condition: { data: condition.data.map((v) => (v > 0 ? 1 : 0)), shape: condition.shape },
    weight: { data: new Float32Array(BATCH).fill(1), shape: [BATCH] },
  };
}
const SPECS = Object.fromEntries(
  Object.entries(batchOf('specs')).map(([name, { shape }]) => [name, { shape }]),
);

const predict = (weights: Tensors, { x, t, condition }: Tensors): Tensor =>
  forwardDiT(CONFIG, POSITIONS, weights, {
    x: x!,
    t: t!,
    condition: condition!,
    placed: placedConstants(POSITIONS.place(GRID, 'sample')),
    grid: GRID,
  });
const loss: Loss = ({ weights, inputs }) =>
  weightedError(predict(weights, inputs), inputs.target!, inputs.weight!);

it('computes a diffusion transformer and its gradients like the reference', async () => {
  const weights = weightsOfDiT();
  const names = Object.keys(weights);
  const run = async (engine: Engine) => {
    const program = await engine.compile(
      ({ inputs, weights: w }) => {
        const gradients = tf.grads((...values) =>
          loss({ weights: Object.fromEntries(names.map((n, i) => [n, values[i]!])), inputs }),
        )(names.map((name) => w[name]!));
        return {
          outputs: {
            prediction: predict(w, inputs),
            ...Object.fromEntries(names.map((name, i) => [name, gradients[i]!])),
          },
        };
      },
      { inputs: SPECS, weights },
      { weights: 'live' },
    );
    const out = await program.run(batchOf('batch'), { weights });
    await program.dispose();
    return out;
  };
  const [found, expected] = [await run(native), await run(reference)];
  expect(Object.keys(found).length).toBe(names.length + 1);
  for (const [name, { data }] of Object.entries(expected)) {
    // A gradient that is zero everywhere would agree whatever the engine does.
    expect(
      data.some((value) => value !== 0),
      name,
    ).toBe(true);
    expectClose(found[name]!.data, data, tolerance);
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
