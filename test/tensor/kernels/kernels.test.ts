import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../tensor/engine.ts';
import { tf } from '../../../tensor/tf.ts';
import { check, engines } from './check.ts';
import { convolutions } from './convolutions.ts';
import { elementwise } from './elementwise.ts';
import { movement } from './movement.ts';
import { reductions } from './reductions.ts';

const RUNS = { seed: 20, numRuns: 15 };
const registered = tf.getKernelsForBackend('trace').map((kernel) => kernel.kernelName);
const used = { kernels: new Set<string>(), gradients: new Set<string>() };
for (const name of registered) {
  const kernel = tf.getKernel(name, 'trace');
  const record = kernel.kernelFunc;
  kernel.kernelFunc = (params) => {
    used.kernels.add(name);
    return record(params);
  };
  const gradient = tf.getGradient(name);
  if (!gradient) continue;
  const derive = gradient.gradFunc;
  gradient.gradFunc = (...args) => {
    used.gradients.add(name);
    return derive(...args);
  };
}

describe('kernels and gradients agree with the reference', () => {
  for (const { name, draw } of [...elementwise, ...movement, ...reductions, ...convolutions]) {
    it(name, async () => {
      await fc.assert(
        fc.asyncProperty(draw, (drawn) => check(drawn)),
        RUNS,
      );
    });
  }

  it('leaves no kernel of the tracer without a case', () => {
    expect(registered.filter((name) => !used.kernels.has(name))).toEqual([]);
  });

  it('leaves no gradient of such a kernel without a case', () => {
    const flat = [
      'ArgMax',
      'ArgMin',
      'FloorDiv',
      'IsFinite',
      'IsInf',
      'IsNan',
      'OneHot',
      'ZerosLike',
    ];
    const derived = registered.filter((name) => tf.getGradient(name) && !flat.includes(name));
    expect(derived.filter((name) => !used.gradients.has(name))).toEqual([]);
  });
});

describe('what cannot be traced', () => {
  const engine = createEngine({ name: 'onnx', threads: 1 });
  const inputs = { x: { shape: [4] } };

  it('is named, with the function that uses it', async () => {
    function spectrum({ inputs }: { inputs: Record<string, tf.Tensor> }) {
      return { outputs: { y: tf.real(tf.fft(tf.complex(inputs.x!, inputs.x!))) } };
    }
    const compiling = engine.compile(spectrum, { inputs });
    await expect(compiling).rejects.toThrow(/kernel 'Complex' of the traced function 'spectrum'/);
    const named = engine.compile(spectrum, { inputs }, { name: 'the spectrum' });
    await expect(named).rejects.toThrow(/the traced function 'the spectrum'/);
  });

  it('includes reading values, which do not exist yet', async () => {
    const reading = engine.compile(
      ({ inputs }) => ({ outputs: { y: tf.scalar(inputs.x!.dataSync()[0]!) } }),
      { inputs },
    );
    await expect(reading).rejects.toThrow(/reads a tensor while it is traced/);
  });

  it('includes tensors made before, which are no part of the function', async () => {
    const outside = tf.tensor1d([1, 2, 3, 4]);
    const using = engine.compile(({ inputs }) => ({ outputs: { y: inputs.x!.add(outside) } }), {
      inputs,
    });
    await expect(using).rejects.toThrow(/uses a tensor made outside of it/);
    outside.dispose();
  });

  it('leaves nothing open', () => expect(engine.open).toBe(0));
});

describe('sums at places', () => {
  it('are complete when many rows go to one place on several threads', async () => {
    const engine = createEngine({ name: 'onnx', threads: 2 });
    const [rows, width] = [20_000, 32];
    const program = await engine.compile(
      ({ inputs }) => ({
        outputs: { y: tf.unsortedSegmentSum(inputs.x!, inputs.i as tf.Tensor1D, 2) },
      }),
      { inputs: { x: { shape: [rows, width] }, i: { shape: [rows], dtype: 'int32' } } },
    );
    const { y } = await program.run({
      x: { data: new Float32Array(rows * width).fill(1), shape: [rows, width] },
      i: { data: new Int32Array(rows).fill(1), shape: [rows] },
    });
    await program.dispose();
    expect(y!.data).toEqual(
      Float32Array.from({ length: 2 * width }, (_, i) => (i < width ? 0 : rows)),
    );
  });
});

afterAll(() => {
  expect(engines.map((engine) => engine.open)).toEqual([0, 0]);
  expect(tf.memory().numTensors).toBe(0);
});
