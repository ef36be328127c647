/** Rotations with weights of their own: ComRoPE, GRAPE, RoPE++ and 2D-TPE. */
import { expect, it } from 'vitest';
import type { Options, RotateMethod } from '../../../encoders/positions/contract.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import { axial } from '../../../encoders/positions/rotate/axial.ts';
import { comrope } from '../../../encoders/positions/rotate/comrope.ts';
import { grape, turnInPlanes } from '../../../encoders/positions/rotate/grape.ts';
import { ropePp } from '../../../encoders/positions/rotate/rope-pp.ts';
import { axesOf, spectrum, tablesOf } from '../../../encoders/positions/rotate/tables.ts';
import { tpe2d } from '../../../encoders/positions/rotate/tpe-2d.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { matrixExp } from '../../../tensor/ops/matrix-exp.ts';
import { rope } from '../../../tensor/ops/rope.ts';
import type { Engine, HostTensors } from '../../../tensor/program.ts';
import { createRng } from '../../../tensor/rng.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { evaluate, floats, normals, onBothEngines } from './evaluate.ts';
import {
  attend,
  attention,
  expectOffsetsOnly,
  GRID,
  indices,
  type Turning,
  tokensOf,
} from './rotations.ts';

const BASE = { base: 100 };
const [T, H, D] = [12, 2, 16];
/** A method's initial weights, plus normal numbers times `noise`. */
function learned(method: RotateMethod, options: Options, noise = 0): Turning {
  const shape = { width: H * D, heads: H, headSize: D, depth: 1, trained: GRID };
  const initial = method.init!(shape, completeOptions(method, options), createRng(3));
  const weights = Object.fromEntries(
    Object.entries(initial).map(([name, { data, shape: size }]) => {
      const noises = normals(name, size).data;
      return [
        name,
        floats(
          Array.from(data, (v, i) => v + noise * noises[i]!),
          size,
        ),
      ];
    }),
  );
  return { options, weights };
}
const CASES: readonly (readonly [string, RotateMethod, Options, number])[] = [
  ['ComRoPE-AP', comrope, { form: 'ap', std: 0.1 }, 0],
  ['ComRoPE-LD', comrope, { form: 'ld', block: 4, std: 0.1 }, 0],
  ['ComRoPE of pairs', comrope, { form: 'ld', block: 2, std: 0.1 }, 0],
  ['GRAPE of frequencies', grape, BASE, 0.3],
  ['GRAPE of planes', grape, { ...BASE, learn: 'planes' }, 0.3],
  ['RoPE++', ropePp, BASE, 0.3],
  ['2D-TPE', tpe2d, BASE, 0.3],
];
/** exp(y A + x B) with matrices that do not commute (LieRE): no rotation by offsets. */
const free: RotateMethod = {
  hook: 'rotate',
  name: 'free',
  reducesTo: 'nothing',
  rotate({ coordinates, q, k, v }) {
    const skew = (name: string) => {
      const a = tf.tensor(normals(name, [4, 4, 4]).data as Float32Array, [4, 4, 4]).mul(0.1);
      return a.sub(a.transpose([0, 2, 1])); // [n, b, b]
    };
    const [ys, xs] = axesOf(coordinates).map((axis) => axis.reshape([-1, 1, 1, 1]));
    const rotation = matrixExp(ys!.mul(skew('a')).add(xs!.mul(skew('b')))); // [T, n, b, b]
    const turn = (x: Tensor) => {
      const parts = x.reshape([2, T, H, 4, 1, 4]);
      return tf.sum(parts.mul(tf.expandDims(rotation, 1)), -1).reshape(x.shape);
    };
    return { q: turn(q), k: turn(k), v };
  },
};
/** 1D RoPE of the index along rows. */
const byRows: RotateMethod = {
  ...free,
  name: 'by-rows',
  rotate({ coordinates, q, k, v }) {
    const [ys, xs] = axesOf(coordinates);
    const angles = ys
      .mul(4)
      .add(xs)
      .mul(tf.tensor1d(spectrum(100, D / 2)));
    const { cos, sin } = tablesOf(angles, 0);
    return { q: rope(q, cos, sin), k: rope(k, cos, sin), v };
  },
};

onBothEngines('learned rotations', (engine) => {
  const plain = (turning: Turning = {}) => attend(engine, axial, { options: BASE, ...turning });

  it.each(CASES)('%s: logits depend on offsets only', async (_, method, options, noise) =>
    expectOffsetsOnly(engine, method, learned(method, options, noise)),
  );

  it('ComRoPE: matrices that do not commute break this', () =>
    expect(expectOffsetsOnly(engine, free)).rejects.toThrow());

  it('ComRoPE: is axial RoPE, pairs in turn, with blocks of 2 at its frequencies', async () => {
    const f = spectrum(100, 4);
    const matrices = Float32Array.from({ length: H * 8 * 4 }, (_, i) =>
      i % 4 === 2 ? f[Math.floor((i / 8) % 4)]! : 0,
    );
    const weights = { 'blocks.0.matrices': floats(matrices, [H, 8, 2, 2]) };
    const ours = await attend(engine, comrope, { options: { block: 2 }, weights });
    // Pair i of ours is pair i/2 of axial RoPE's row half or column half.
    const from = (c: number) => (Math.floor(c / 2) % 2) * 8 + 2 * Math.floor(c / 4) + (c % 2);
    const spread = (data: ArrayLike<number>) =>
      Float32Array.from(data, (_, i) => data[i - (i % D) + from(i % D)]!);
    const { q, k, v } = tokensOf(T, H, D) as Required<HostTensors>;
    const tokens = {
      q: { ...q!, data: spread(q!.data) },
      k: { ...k!, data: spread(k!.data) },
      v: v!,
    };
    const moved = await attend(engine, comrope, { options: { block: 2 }, weights, tokens });
    expectClose(moved.q.data, spread((await plain()).q.data), { atol: 2e-6 });
    expectClose(moved.logits.data, (await plain()).logits.data, { atol: 2e-5 });
    expect(largestDifference(ours.q.data, moved.q.data)).toBeGreaterThan(0.1);
  });

  it('ComRoPE: blocks of 4 made of pairs are those pairs, with coordinates of each picture too', async () => {
    const { weights } = learned(comrope, { block: 2, form: 'ld' });
    const pairs = weights!['blocks.0.matrices']!.data; // [h, 8, 2, 2]
    const fours = new Float32Array(H * 4 * 16);
    for (let i = 0; i < pairs.length; i++) {
      const [block, half, row, column] = [i >> 3, (i >> 2) & 1, (i >> 1) & 1, i & 1];
      fours[16 * block + 4 * (2 * half + row) + 2 * half + column] = pairs[i]!;
    }
    // One factor for the two pairs of a block.
    const factors = Array.from({ length: 8 }, (_, i) => 0.2 + 0.1 * i);
    const narrow = floats(
      factors.flatMap((f) => [f, f]),
      [2, 8],
    );
    const own = floats([...indices().data, ...indices(GRID, [0.5, 2]).data], [2, T, 2]);
    for (const coordinates of [indices(), own]) {
      const small = {
        'blocks.0.matrices': weights!['blocks.0.matrices']!,
        'blocks.0.factors': narrow,
      };
      const large = {
        'blocks.0.matrices': floats(fours, [H, 4, 4, 4]),
        'blocks.0.factors': floats(factors, [2, 4]),
      };
      const a = await attend(engine, comrope, {
        options: { block: 2, form: 'ld' },
        weights: small,
        coordinates,
      });
      const b = await attend(engine, comrope, {
        options: { block: 4, form: 'ld' },
        weights: large,
        coordinates,
      });
      // Angles up to 20 radians, each off by 1e-6, times numbers of up to 4.
      expectClose(b.q.data, a.q.data, { atol: 2e-5 });
    }
  });

  it('exponentials of skew matrices are orthogonal, and equal the closed form of two channels', async () => {
    const given = normals('skew', [6, 8, 8]);
    const angles = floats([0, 0.3, -2, 9, 40], [5, 1, 1]);
    const { product, pairs } = await evaluate(
      engine,
      { given, angles },
      ({ given: g, angles: a }) => {
        const r = matrixExp(g!.sub(g!.transpose([0, 2, 1])));
        const unit = tf.tensor2d([0, -1, 1, 0], [2, 2]);
        return { product: tf.matMul(r, r, false, true), pairs: matrixExp(a!.mul(unit)) };
      },
    );
    expectClose(
      product!.data,
      Array.from({ length: 384 }, (_, i) => +((i % 64) % 9 === 0)),
      { atol: 1e-5 },
    );
    // 40 radians in float32 are known to 4e-6, ten squarings lose as much again.
    expectClose(
      pairs!.data,
      [...angles.data].flatMap((a) => [Math.cos(a), -Math.sin(a), Math.sin(a), Math.cos(a)]),
      { atol: 2e-5 },
    );
  });

  it('GRAPE: is axial RoPE at first, with frequencies and with planes of 2', async () => {
    const { q, logits } = await plain();
    for (const options of [BASE, { ...BASE, learn: 'planes', block: 2 }]) {
      const ours = await attend(engine, grape, learned(grape, options));
      expectClose(ours.q.data, q.data, { atol: 2e-6 });
      expectClose(ours.logits.data, logits.data, { atol: 2e-5 });
      const others = await attend(engine, grape, learned(grape, options, 0.3));
      expect(largestDifference(others.q.data, q.data)).toBeGreaterThan(0.1);
    }
  });

  it('GRAPE: the closed form is the exponential of n L, and keeps norms', async () => {
    const [a, b] = [normals('a', [1, 1, 4]), normals('b', [1, 1, 4])];
    const x = normals('x', [1, 5, 1, 4]);
    const { ours, series } = await evaluate(engine, { a, b, x }, (given) => {
      const angles = tf.tensor1d([0, 0.5, -1, 2, 3]);
      const [u, w] = [given.a!, given.b!].map((vector) => vector.reshape([4, 1]));
      const l = tf.matMul(u!, w!, false, true).sub(tf.matMul(w!, u!, false, true)); // [4, 4]
      const rotation = matrixExp(angles.reshape([5, 1, 1]).mul(l));
      return {
        ours: turnInPlanes(given.x!, given.a!, given.b!, angles.reshape([5, 1, 1])),
        series: tf.matMul(rotation, given.x!.reshape([5, 4, 1])),
      };
    });
    expectClose(ours!.data, series!.data, { atol: 1e-5 });
    const norm = (data: ArrayLike<number>, i: number) =>
      Math.hypot(...Array.from({ length: 4 }, (_, c) => data[4 * i + c]!));
    for (let i = 0; i < 5; i++) expect(norm(ours!.data, i)).toBeCloseTo(norm(x.data, i), 5);
  });

  it('RoPE++: real heads are axial RoPE to the bit, imaginary ones the other part of the product', async () => {
    const { q, logits, out } = await plain();
    const ours = await attend(engine, ropePp, learned(ropePp, BASE));
    const real = (data: ArrayLike<number>, size: number) =>
      Float32Array.from(
        { length: data.length / 2 },
        (_, i) => data[i + Math.floor(i / size) * size]!,
      );
    expect(real(ours.q.data, H * D)).toEqual(q.data);
    expect(ours.out.data).toEqual(out.data); // the matrix of imaginary heads is zero at first
    // Re^2 + Im^2 of one pair does not depend on the offset: one pair alone is not zero.
    const { q: a, k: b } = tokensOf(T, H, D);
    const pair = (x: typeof a) => ({
      ...x!,
      data: Float32Array.from(x!.data, (_, i) => (i % D < 2 ? 1 + (i % D) : 0)),
    });
    const same = await attend(engine, ropePp, {
      ...learned(ropePp, BASE),
      tokens: { q: pair(a), k: pair(b) },
    });
    const size = H * T * T;
    for (let i = 0; i < size; i++) {
      const at = i + Math.floor(i / size) * size;
      const [re, im] = [same.logits.data[at]!, same.logits.data[at + size]!];
      expect(Math.hypot(re, im)).toBeCloseTo(5, 4);
      if (i % (T + 1) === 0 && i < T * T) expect(Math.abs(im)).toBeLessThan(1e-5); // q = k, no offset
    }
    expect(largestDifference(real(ours.logits.data, size), logits.data)).toBe(0);
  });

  it("RoPE++: 'eh' projects half of the heads, 'ec' weighs imaginary ones in", async () => {
    expect(ropePp.projectedHeads!(4, { form: 'eh' })).toBe(2);
    expect(() => ropePp.projectedHeads!(3, { form: 'eh' })).toThrow(/even number of heads.* got 3/);
    const { out } = await plain();
    const mixed = await attend(engine, ropePp, learned(ropePp, BASE, 0.3));
    expect(largestDifference(mixed.out.data, out.data)).toBeGreaterThan(0.1);
  });

  it('2D-TPE: is raster RoPE with all weight on rows; weights sum to one', async () => {
    const all = (order: number): Turning => {
      const turning = learned(tpe2d, BASE);
      const bias = floats(
        [0, 1, 2, 3].map((i) => (i % 2 === order ? 50 : -50)),
        [4],
      );
      return { ...turning, weights: { ...turning.weights, 'blocks.0.fc2.bias': bias } };
    };
    const { out } = await attend(engine, byRows);
    expectClose((await attend(engine, tpe2d, all(0))).out.data, out.data, { atol: 2e-6 });
    expect(
      largestDifference((await attend(engine, tpe2d, all(1))).out.data, out.data),
    ).toBeGreaterThan(0.05);
    const v = floats(new Float32Array(2 * T * H * D).fill(1), [2, T, H, D]);
    const even = await attend(engine, tpe2d, { ...learned(tpe2d, BASE, 0.3), tokens: { v } });
    expectClose(even.out.data, v.data, { atol: 1e-5 });
  });
});

it.each(CASES)(
  '%s: gradients of weights agree between engines',
  async (_, method, options, noise) => {
    const turning = learned(method, options, noise);
    const { inputs, run } = attention(method, turning);
    const names = Object.keys(inputs).filter((name) => name.startsWith('w/'));
    const gradients = (engine: Engine) =>
      evaluate(engine, inputs, (given) => {
        const { grads } = tf.valueAndGrads((...values: Tensor[]) => {
          const own = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
          const { out } = run({ ...given, ...own });
          return tf.sum(out!.mul(given.q!)) as tf.Scalar;
        })(names.map((name) => given[name]!));
        return Object.fromEntries(names.map((name, i) => [name, grads[i]!]));
      });
    const onnx = await gradients(createEngine({ name: 'onnx', threads: 1 }));
    const reference = await gradients(createEngine({ name: 'reference' }));
    for (const name of names) {
      const { data } = reference[name]!;
      const largest = Math.max(...Array.from(data, Math.abs));
      expect(largest, name).toBeGreaterThan(1e-4);
      // Sums of 768 products in float32.
      expect(largestDifference(onnx[name]!.data, data), name).toBeLessThan(1e-4 * largest);
    }
  },
);
