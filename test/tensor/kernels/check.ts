/** Runs a case on an engine (the onnx engine's cpu) and on the reference, with gradients, and compares. */
import { expect } from 'vitest';
import { createEngine } from '../../../tensor/engine.ts';
import type { Engine, HostTensor, ProgramFunction, Spec } from '../../../tensor/program.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { type Tensor, type Tensors, tf } from '../../../tensor/tf.ts';
import { expectClose, type Tolerance } from '../../close.ts';
import type { Drawn } from './case.ts';

const onnx = createEngine({ name: 'onnx', threads: 1 });
const reference = createEngine({ name: 'reference' });
export const engines = [onnx, reference];

/** Distance of the finite difference: below half the spacing of the drawn values. */
const STEP = 2e-3;

/** The same arbitrary weights of a result on both engines and on the host. */
const weighting = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.cos(1.7 * i + 0.4));

const outputsOf = ({ op }: Drawn, inputs: Tensors): Tensor[] => {
  const result = op(inputs);
  return Array.isArray(result) ? result : [result];
};

/** Results `y0`, `y1` ..., and `d <input>`: gradients of the weighted sum of `y0`. */
function functionOf(drawn: Drawn, by: readonly string[]): ProgramFunction {
  return ({ inputs }) => {
    const ys = outputsOf(drawn, inputs);
    const outputs: Tensors = Object.fromEntries(ys.map((y, i) => [`y${i}`, y]));
    const loss = (...args: Tensor[]) => {
      const given = { ...inputs, ...Object.fromEntries(by.map((name, i) => [name, args[i]!])) };
      const y = outputsOf(drawn, given)[0]!;
      return y.mul(tf.tensor(weighting(y.size), y.shape)).sum() as tf.Scalar;
    };
    if (by.length === 0) return { outputs };
    const gradients = tf.grads(loss)(by.map((name) => inputs[name]!));
    for (const [i, name] of by.entries()) outputs[`d ${name}`] = gradients[i]!;
    return { outputs };
  };
}

export type CheckOptions = { readonly engine?: Engine; readonly tolerance?: Tolerance };

export async function check(
  drawn: Drawn,
  { engine = onnx, tolerance = {} }: CheckOptions = {},
): Promise<void> {
  const floats = Object.keys(drawn.inputs).filter(
    (name) => drawn.inputs[name]!.data instanceof Float32Array,
  );
  const by = drawn.by ?? floats;
  const specs = Object.fromEntries(
    Object.entries(drawn.inputs).map(([name, { data, shape }]): [string, Spec] => [
      name,
      { shape, dtype: data instanceof Float32Array ? 'float32' : 'int32' },
    ]),
  );
  const fn = functionOf(drawn, by);
  const traced = await engine.compile(fn, { inputs: specs });
  const truth = await reference.compile(fn, { inputs: specs });
  try {
    const found = await traced.run(drawn.inputs);
    const expected = await truth.run(drawn.inputs);
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [name, { data, shape }] of Object.entries(expected)) {
      expect(found[name]!.shape, name).toEqual(shape);
      expect(found[name]!.data.constructor, name).toBe(data.constructor);
      expectClose(found[name]!.data, data, {
        rtol: drawn.rtol ?? 1e-5,
        atol: 2e-6,
        ...tolerance,
      });
    }
    if (by.length > 0) {
      await checkSlope(drawn, by, expected, async (inputs) => (await truth.run(inputs)).y0!);
    }
  } finally {
    await traced.dispose();
    await truth.dispose();
  }
}

/** The gradient along one direction against the difference quotient: a wrong formula is far off. */
async function checkSlope(
  { inputs }: Drawn,
  by: readonly string[],
  gradients: Record<string, HostTensor>,
  run: (inputs: Drawn['inputs']) => Promise<HostTensor>,
): Promise<void> {
  let expected = 0;
  let magnitude = 1;
  const moved = (sign: number) =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, tensor]): [string, HostTensor] => {
        if (!by.includes(name)) return [name, tensor];
        const way = weighting(sizeOf(tensor.shape) + 7).subarray(7);
        const data = Float32Array.from(tensor.data, (value, i) => value + sign * STEP * way[i]!);
        return [name, { data, shape: tensor.shape }];
      }),
    );
  for (const name of by) {
    const { data, shape } = gradients[`d ${name}`]!;
    const way = weighting(sizeOf(shape) + 7).subarray(7);
    for (const [i, slope] of data.entries()) {
      expected += slope * way[i]!;
      magnitude += Math.abs(slope * way[i]!);
    }
  }
  const sum = ({ data }: HostTensor) => {
    const weights = weighting(data.length);
    return weights.reduce((total, weight, i) => total + weight * data[i]!, 0);
  };
  const quotient = (sum(await run(moved(1))) - sum(await run(moved(-1)))) / (2 * STEP);
  expect(Math.abs(quotient - expected), `slope ${expected} against ${quotient}`).toBeLessThan(
    1e-2 * magnitude,
  );
}
