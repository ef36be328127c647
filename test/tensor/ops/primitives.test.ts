/** Fused primitives: their ONNX forms and gradients against the reference composition. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../tensor/engine.ts';
import { attention } from '../../../tensor/ops/attention.ts';
import { conv2d } from '../../../tensor/ops/conv.ts';
import { geluTanh, silu } from '../../../tensor/ops/gelu.ts';
import { groupNorm } from '../../../tensor/ops/group-norm.ts';
import { linear } from '../../../tensor/ops/linear.ts';
import { layerNorm, rmsNorm } from '../../../tensor/ops/norm.ts';
import { resizeMatrix } from '../../../tensor/ops/resize.ts';
import { rope } from '../../../tensor/ops/rope.ts';
import type { HostTensor, ProgramFunction } from '../../../tensor/program.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import { spread } from '../kernels/case.ts';
import { check, engines } from '../kernels/check.ts';
import { primitives } from './primitives.ts';

describe('primitives agree with the reference', () => {
  for (const { name, draw } of primitives) {
    it(name, async () => {
      await fc.assert(
        fc.asyncProperty(draw, (drawn) => check(drawn)),
        { seed: 21, numRuns: 20 },
      );
    });
  }
});

describe('what primitives mean', () => {
  const engine = createEngine({ name: 'onnx', threads: 1 });
  const evaluate = async (fn: ProgramFunction, inputs: Record<string, HostTensor>) => {
    const specs = Object.fromEntries(
      Object.entries(inputs).map(([k, { shape }]) => [k, { shape }]),
    );
    const program = await engine.compile(fn, { inputs: specs });
    const outputs = await program.run(inputs);
    await program.dispose();
    return outputs;
  };
  afterAll(() => expect(engine.open).toBe(0));

  it('a turn keeps lengths, and scores depend on the offset alone', async () => {
    const [T, d] = [6, 4];
    const angles = (from: number) =>
      Array.from({ length: T * 2 }, (_, i) => (from + Math.floor(i / 2)) * (i % 2 ? 0.1 : 1));
    const { near, far, length } = await evaluate(
      ({ inputs }) => {
        const turned = (x: Tensor, from: number) => {
          const table = tf.tensor(angles(from), [T, 2]);
          return rope(x, tf.cos(table), tf.sin(table)).reshape([T, d]);
        };
        const scores = (from: number) =>
          tf.matMul(turned(inputs.q!, from), turned(inputs.k!, from), false, true);
        const square = (x: Tensor) => tf.sum(tf.square(x), -1);
        const before = square(inputs.q!.reshape([T, d]));
        return {
          outputs: {
            near: scores(0),
            far: scores(50),
            length: square(turned(inputs.q!, 9)).sub(before),
          },
        };
      },
      { q: spread([1, T, 1, d], 1), k: spread([1, T, 1, d], 2) },
    );
    for (const [i, score] of near!.data.entries()) expect(far!.data[i]).toBeCloseTo(score, 3);
    for (const change of length!.data) expect(Math.abs(change)).toBeLessThan(1e-5);
  });

  it('weights of a resize sum to one in every row, and keep a picture of the same size', () => {
    for (const mode of ['bilinear', 'bicubic', 'area'] as const) {
      for (const antialias of [false, true]) {
        for (const [to, from] of [
          [3, 8],
          [8, 3],
          [5, 5],
          [1, 7],
          [7, 1],
        ] as const) {
          const matrix = resizeMatrix(to, from, { mode, antialias });
          for (let i = 0; i < to; i++) {
            const row = matrix.subarray(i * from, (i + 1) * from);
            expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
            if (to === from) expect(row[i]).toBeCloseTo(1, 6);
          }
        }
      }
    }
  });

  it('a bias of minus infinity hides a key', async () => {
    const inputs = {
      q: spread([1, 3, 2, 4], 1),
      k: spread([1, 4, 2, 4], 2),
      v: spread([1, 4, 2, 4], 3),
    };
    const { hidden, cut } = await evaluate(({ inputs: { q, k, v } }) => {
      const bias = tf.tensor([0, 0, 0, Number.NEGATIVE_INFINITY], [1, 1, 1, 4]);
      const front = (x: Tensor) => tf.slice(x, [0, 0, 0, 0], [1, 3, 2, 4]);
      return {
        outputs: {
          hidden: attention(q!, k!, v!, { bias }),
          cut: attention(q!, front(k!), front(v!)),
        },
      };
    }, inputs);
    for (const [i, value] of hidden!.data.entries()) expect(value).toBeCloseTo(cut!.data[i]!, 5);
  });
});

describe('the same bits', () => {
  const [T, C, h] = [16, 32, 4];
  const weights = {
    qkv: spread([3 * C, C], 1, -0.3, 0.3),
    bias: spread([3 * C], 2, -0.1, 0.1),
    up: spread([4 * C, C], 3, -0.3, 0.3),
    down: spread([C, 4 * C], 4, -0.3, 0.3),
    kernel: spread([C, C, 3, 3], 5, -0.1, 0.1),
  };
  /** A block of a transformer and one of a convolutional network. */
  const block =
    (B: number): ProgramFunction =>
    ({ inputs, weights: { qkv, bias, up, down, kernel } }) => {
      const [q, k, v] = tf
        .split(linear(layerNorm(inputs.x!), qkv!, bias), 3, -1)
        .map((part) => part.reshape([B, T, h, C / h])) as [Tensor, Tensor, Tensor];
      const attended = inputs.x!.add(attention(q, k, v).reshape([B, T, C]));
      const y = attended.add(linear(geluTanh(linear(rmsNorm(attended), up!)), down!));
      const picture = silu(groupNorm(y.reshape([B, 4, 4, C]), 8));
      return { outputs: { y, z: conv2d(picture, kernel!, { padding: 1 }) } };
    };

  it.each([1, 2])('for a picture alone and in any batch, on %d threads', async (threads) => {
    const engine = createEngine({ name: 'onnx', threads });
    const run = async (B: number) => {
      const inputs = { x: { shape: [B, T, C] } };
      const program = await engine.compile(block(B), { inputs, weights });
      const data = new Float32Array(B * T * C);
      for (let b = 0; b < B; b++) data.set(spread([T, C], b).data as Float32Array, b * T * C);
      const { y, z } = await program.run({ x: { data, shape: [B, T, C] } });
      await program.dispose();
      return [y!.data.subarray(0, T * C), z!.data.subarray(0, T * C)];
    };
    const alone = await run(1);
    for (const B of [2, 3, 8, 64]) expect(await run(B), `batch ${B}`).toEqual(alone);
    expect(alone[0]!.some((value) => value !== 0)).toBe(true);
  });
});

afterAll(() => {
  expect(engines.map((engine) => engine.open)).toEqual([0, 0]);
  expect(tf.memory().numTensors).toBe(0);
});
