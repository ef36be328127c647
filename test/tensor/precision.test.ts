/** Weights in fewer bits: exactly the rounding that is promised, and what it costs. */
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { decodeHalf, encodeHalf } from '../../tensor/half.ts';
import { geluTanh } from '../../tensor/ops/gelu.ts';
import { linear, linearParts } from '../../tensor/ops/linear.ts';
import { layerNorm } from '../../tensor/ops/norm.ts';
import type {
  CompileOptions,
  HostTensor,
  HostTensors,
  ProgramFunction,
} from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import { expectClose } from '../close.ts';

const engine = createEngine({ name: 'onnx', threads: 1 });
afterAll(() => expect(engine.open).toBe(0));

const rng = createRng(5);
const normal = (shape: number[], std = 1): HostTensor => ({
  data: rng.normals(sizeOf(shape)).map((value) => value * std),
  shape,
});
const [T, C] = [32, 48];
const weights: HostTensors = {
  qkv: normal([3 * C, C], 0.1),
  'qkv.bias': normal([3 * C], 0.1),
  up: normal([4 * C, C], 0.1),
  down: normal([C, 4 * C], 0.1),
  plain: normal([C, C], 0.1),
  table: normal([7, C]),
};
/** Every form of product that models have, and a table that is looked up in, which stays as it is. */
const network: ProgramFunction = ({ inputs, weights: w }) => {
  const embedded = inputs.x!.add(tf.gather(w.table!, inputs.i!));
  const [q, k, v] = linearParts(layerNorm(embedded), w.qkv!, w['qkv.bias'], 3) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const mixed = embedded.add(tf.matMul(tf.softmax(tf.matMul(q, k, false, true).div(8)), v));
  const y = mixed.add(linear(geluTanh(linear(layerNorm(mixed), w.up!)), w.down!));
  const batch = y.reshape([2, T / 2, C]);
  const last = tf.matMul(batch, w.plain!).add(tf.matMul(batch, w.plain!, false, true));
  return { outputs: { y: last.add(tf.matMul(y, w.table!, false, true).sum()) } };
};
const inputs = {
  x: normal([T, C]),
  i: { data: Int32Array.from({ length: T }, (_, i) => i % 7), shape: [T] },
};
const specs = { x: { shape: [T, C] }, i: { shape: [T], dtype: 'int32' as const } };

async function run(options: CompileOptions, given = weights): Promise<Float32Array> {
  const program = await engine.compile(network, { inputs: specs, weights: given }, options);
  const { y } = await program.run(inputs);
  await program.dispose();
  return y!.data as Float32Array;
}
/** Root mean square of the difference, relative to that of the values. */
function error(found: Float32Array, expected: Float32Array): number {
  const square = (values: Float32Array) => values.reduce((sum, v) => sum + v * v, 0);
  return Math.sqrt(square(found.map((v, i) => v - expected[i]!)) / square(expected));
}

describe('precision', () => {
  it('float16 gives the bits of weights that were rounded to half floats before', async () => {
    const rounded = Object.fromEntries(
      Object.entries(weights).map(([name, { data, shape }]): [string, HostTensor] => [
        name,
        { data: decodeHalf(encodeHalf(data as Float32Array)), shape },
      ]),
    );
    const found = await run({ precision: 'float16' });
    expect(found).toEqual(await run({}, rounded));
    expect(found).not.toEqual(await run({}));
  });

  it('int8 is close to float32, and not the same', async () => {
    const off = error(await run({ precision: 'int8' }), await run({}));
    expect(off).toBeLessThan(0.03);
    expect(off).toBeGreaterThan(1e-4);
  });

  it('int8 multiplies as said: a scale for each output of the weight, one for the activations', async () => {
    const [rows, inner, outer] = [5, 24, 6];
    const [x, w, b] = [normal([rows, inner]), normal([outer, inner]), normal([outer])];
    const program = await engine.compile(
      ({ inputs, weights }) => ({ outputs: { y: linear(inputs.x!, weights.w!, weights.b!) } }),
      { inputs: { x: { shape: [rows, inner] } }, weights: { w, b } },
      { precision: 'int8' },
    );
    const { y } = await program.run({ x });
    await program.dispose();
    const [low, high] = [Math.min(0, ...x.data), Math.max(0, ...x.data)];
    const step = Math.fround((high - low) / 255);
    const zero = Math.round(-low / step);
    const expected = Array.from({ length: rows * outer }, (_, at) => {
      const [row, n] = [Math.floor(at / outer), at % outer];
      const channel = (w.data as Float32Array).subarray(n * inner, (n + 1) * inner);
      const scale = Math.max(...channel.map(Math.abs)) / 127;
      const sum = channel.reduce((total, value, k) => {
        const a = Math.min(255, Math.max(0, Math.round(x.data[row * inner + k]! / step) + zero));
        return total + (a - zero) * Math.round(value / scale);
      }, 0);
      return sum * step * scale + b.data[n]!;
    });
    // Ties in rounding may fall either way: one step of one activation is about 0.03 here.
    expectClose(y!.data, expected, { atol: 1e-4, rtol: 1e-4 });
  });

  it('is refused where weights are not baked into an ONNX graph', async () => {
    const live = engine.compile(
      network,
      { inputs: specs, weights },
      { precision: 'int8', weights: 'live', name: 'the network' },
    );
    await expect(live).rejects.toThrow(
      "the network: expected precision 'float32' with live weights on the onnx engine, got 'int8'",
    );
    const eager = createEngine({ name: 'reference' });
    const plain = eager.compile(network, { inputs: specs, weights }, { precision: 'float16' });
    await expect(plain).rejects.toThrow("on the reference engine, got 'float16'");
    expect(eager.open).toBe(0);
  });
});
