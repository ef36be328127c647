/** What an engine promises: state, weights, queues, errors, and that nothing is left behind. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import type { HostTensor, ProgramFunction } from '../../tensor/program.ts';
import { tf } from '../../tensor/tf.ts';
import { expectClose } from '../close.ts';

const tensor = (shape: number[], values: (i: number) => number): HostTensor => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => values(i)),
  shape,
});
const wave = (shape: number[], phase = 0) => tensor(shape, (i) => Math.sin(1.3 * i + phase));
const product: ProgramFunction = ({ inputs, weights }) => ({
  outputs: { y: tf.matMul(inputs.x!, weights.w!) },
});
const ROWS = 6;
const WIDTH = 2;
const spec = { seen: { shape: [1, ROWS, WIDTH], update: { append: 1 } } } as const;

/** Takes `count` new rows and gives the sum of all rows so far after each of them. */
const summing =
  (count: number): ProgramFunction =>
  ({ inputs, state }) => {
    const held = tf.less(tf.range(0, ROWS, 1, 'int32'), state.length!).reshape([1, ROWS, 1]);
    const before = tf.sum(state.seen!.mul(tf.cast(held, 'float32')), 1, true); // [1, 1, WIDTH]
    return {
      outputs: { sums: tf.cumsum(inputs.x!, 1).add(before) },
      state: { seen: inputs.x!.reshape([1, count, WIDTH]) },
    };
  };

for (const name of ['onnx', 'reference'] as const) {
  describe(`${name}: programs`, () => {
    const engine = createEngine({ name, ...(name === 'onnx' ? { threads: 1 } : {}) });
    const backend = tf.getBackend();
    afterEach(() => {
      expect(engine.open, 'programs left open').toBe(0);
      expect(tf.memory().numTensors, 'tensors left').toBe(0);
      expect(tf.getBackend()).toBe(backend);
    });

    const compileSum = (count: number, state = engine.state(spec)) =>
      engine.compile(summing(count), { inputs: { x: { shape: [1, count, WIDTH] } }, state });

    it('share state: rows appended by one are seen by the other', async () => {
      const state = engine.state(spec);
      const [one, four] = await Promise.all([compileSum(1, state), compileSum(4, state)]);
      const rows = wave([1, 5, WIDTH]).data as Float32Array;
      const a = await four.run(
        { x: { data: rows.subarray(0, 8), shape: [1, 4, WIDTH] } },
        { state },
      );
      const b = await one.run({ x: { data: rows.subarray(8), shape: [1, 1, WIDTH] } }, { state });
      expect(state.length).toBe(5);
      const sums = (n: number) => rows.filter((_, i) => i % 2 === n).reduce((x, y) => x + y, 0);
      expectClose(b.sums!.data, [sums(0), sums(1)]);
      expectClose(a.sums!.data.subarray(0, 2), rows.subarray(0, 2));
      await one.dispose();
      await four.dispose();
    });

    it('roll state back by its length', async () => {
      const state = engine.state(spec);
      const one = await compileSum(1, state);
      const add = async (value: number) =>
        (await one.run({ x: tensor([1, 1, WIDTH], () => value) }, { state })).sums!.data[0];
      expect(await add(1)).toBe(1);
      expect(await add(10)).toBe(11);
      state.length = 1;
      expect(await add(100)).toBe(101);
      expect(state.length).toBe(2);
      await one.dispose();
    });

    it('refuse rows beyond the state, and leave it as it was', async () => {
      const state = engine.state(spec);
      const four = await compileSum(4, state);
      const x = wave([1, 4, WIDTH]);
      await four.run({ x }, { state });
      const before = state.values.seen!.data.slice();
      await expect(four.run({ x }, { state })).rejects.toThrow(
        "state 'seen': expected at most 6 rows on axis 1, got 4 + 4",
      );
      expect(state.length).toBe(4);
      expect(state.values.seen!.data).toEqual(before);
      await four.dispose();
    });

    it('write rows where an input says, for each row of the batch by itself', async () => {
      const state = engine.state({
        seen: { shape: [2, 2, 4, 1], update: { write: 2, at: 'places' } },
      });
      const program = await engine.compile(
        ({ inputs, state }) => ({
          outputs: { before: tf.sum(state.seen!) },
          state: { seen: inputs.x!.add(inputs.places!.reshape([2, 1, 2, 1]).mul(0)) },
        }),
        {
          inputs: { x: { shape: [2, 2, 2, 1] }, places: { shape: [2, 2], dtype: 'int32' } },
          state,
        },
      );
      const write = (...places: number[]) =>
        program.run(
          {
            x: tensor([2, 2, 2, 1], (i) => i + 1),
            places: { data: Int32Array.from(places), shape: [2, 2] },
          },
          { state },
        );
      await write(0, 3, 2, 1);
      expect([...state.values.seen!.data]).toEqual([
        1, 0, 0, 2, 3, 0, 0, 4, 0, 6, 5, 0, 0, 8, 7, 0,
      ]);
      expect((await write(0, 0, 0, 0)).before!.data[0]).toBe(36);
      expect(state.length).toBe(0);
      await expect(write(0, 4, 0, 0)).rejects.toThrow(
        "state 'seen': expected places from 0 to 3 on axis 2, got 4",
      );
      await program.dispose();
    });

    it('replace state of several types', async () => {
      const state = engine.state({
        total: { shape: [2], update: 'replace' },
        count: { shape: [1], dtype: 'int32', update: 'replace' },
      });
      const program = await engine.compile(
        ({ inputs, state }) => ({
          outputs: { mean: inputs.x!.add(state.total!).div(state.count!.add(1)) },
          state: {
            total: inputs.x!.add(state.total!),
            count: state.count!.add(tf.scalar(1, 'int32')),
          },
        }),
        { inputs: { x: { shape: [2] } }, state },
      );
      await program.run({ x: tensor([2], () => 3) }, { state });
      const { mean } = await program.run({ x: tensor([2], () => 5) }, { state });
      expect([...mean!.data]).toEqual([4, 4]);
      expect([...state.values.total!.data]).toEqual([8, 8]);
      expect(state.values.count!.data).toEqual(Int32Array.of(2));
      await program.dispose();
    });

    it('take state at every run: another object of the same shapes starts anew', async () => {
      const [mine, yours] = [engine.state(spec), engine.state(spec)];
      const one = await compileSum(1, mine);
      const run = async (state: typeof mine) =>
        (await one.run({ x: tensor([1, 1, WIDTH], () => 1) }, { state })).sums!.data[0];
      expect([await run(mine), await run(mine), await run(yours)]).toEqual([1, 2, 1]);
      await expect(one.run({ x: wave([1, 1, WIDTH]) })).rejects.toThrow(/expected the state/);
      const other = engine.state({ seen: { shape: [1, 9, WIDTH], update: { append: 1 } } });
      await expect(one.run({ x: wave([1, 1, WIDTH]) }, { state: other })).rejects.toThrow(
        "state: 'seen': expected shape [1, 6, 2], got [1, 9, 2]",
      );
      await one.dispose();
    });

    it('give the same with weights baked and live, and live ones may change', async () => {
      const weights = { w: wave([3, 2]) };
      const signature = { inputs: { x: { shape: [2, 3] } }, weights };
      const baked = await engine.compile(product, signature);
      const live = await engine.compile(product, signature, { weights: 'live' });
      const x = wave([2, 3], 0.5);
      const y = (await baked.run({ x })).y!.data;
      expectClose((await live.run({ x }, { weights })).y!.data, y);
      const twice = { w: tensor([3, 2], (i) => 2 * Math.sin(1.3 * i)) };
      expectClose(
        (await live.run({ x }, { weights: twice })).y!.data,
        y.map((v) => 2 * v),
      );
      await expect(live.run({ x })).rejects.toThrow(
        /live weights: expected a tensor 'w', got none/,
      );
      await baked.dispose();
      await live.dispose();
    });

    it('write into given buffers', async () => {
      const program = await engine.compile(product, {
        inputs: { x: { shape: [2, 3] } },
        weights: { w: wave([3, 2]) },
      });
      const y = new Float32Array(4);
      const x = wave([2, 3]);
      const found = await program.run({ x }, { into: { y } });
      expect(found.y!.data).toBe(y);
      expectClose(y, (await program.run({ x })).y!.data);
      await expect(program.run({ x }, { into: { y: new Float32Array(5) } })).rejects.toThrow(
        "expected a buffer of 4 values for 'y', got 5",
      );
      await program.dispose();
    });

    it('own their results: a later run leaves them as they were', async () => {
      const program = await engine.compile(product, {
        inputs: { x: { shape: [1, 3] } },
        weights: { w: wave([3, 2]) },
      });
      const first = (await program.run({ x: wave([1, 3]) })).y!.data;
      const copy = first.slice();
      await program.run({ x: wave([1, 3], 2) });
      expect(first).toEqual(copy);
      await program.dispose();
    });

    it('queue runs that are asked for at once', async () => {
      const program = await engine.compile(({ inputs }) => ({ outputs: { y: inputs.x!.mul(2) } }), {
        inputs: { x: { shape: [1] } },
      });
      const asked = Array.from({ length: 8 }, (_, i) => program.run({ x: tensor([1], () => i) }));
      const disposed = program.dispose();
      const found = await Promise.all(asked);
      expect(found.map(({ y }) => y!.data[0])).toEqual([0, 2, 4, 6, 8, 10, 12, 14]);
      await disposed;
    });

    it('give inputs, weights and constants back as outputs', async () => {
      const program = await engine.compile(
        ({ inputs, weights }) => ({
          outputs: { x: inputs.x!, w: weights.w!, c: tf.tensor1d([1, 2]), b: inputs.x!.greater(0) },
        }),
        { inputs: { x: { shape: [2] } }, weights: { w: wave([2]) } },
      );
      const x = wave([2], 4);
      const found = await program.run({ x });
      expect(found.x!.data).toEqual(x.data);
      expect(found.w!.data).toEqual(wave([2]).data);
      expect([...found.c!.data]).toEqual([1, 2]);
      expect(found.b!.data).toEqual(Int32Array.of(0, 0));
      await program.dispose();
    });

    it('say what is wrong with an input', async () => {
      const program = await engine.compile(
        product,
        { inputs: { x: { shape: [2, 3] } }, weights: { w: wave([3, 2]) } },
        { name: 'the product' },
      );
      const wrong = (inputs: Record<string, HostTensor>) => expect(program.run(inputs)).rejects;
      await wrong({}).toThrow("the product: expected a tensor 'x', got none");
      await wrong({ x: wave([3, 2]) }).toThrow(
        "the product: 'x': expected shape [2, 3], got [3, 2] with 6 values",
      );
      await wrong({ x: { data: new Float32Array(5), shape: [2, 3] } }).toThrow('with 5 values');
      await wrong({ x: { data: new Int32Array(6), shape: [2, 3] } }).toThrow(
        "the product: 'x': expected float32, got int32",
      );
      await wrong({ x: wave([2, 3]), z: wave([1]) }).toThrow("unexpected tensor 'z'");
      expect((await program.run({ x: wave([2, 3]) })).y!.data.length).toBe(4);
      await program.dispose();
    });

    it('do not run after they were disposed of, which may happen twice', async () => {
      const program = await engine.compile(product, {
        inputs: { x: { shape: [2, 3] } },
        weights: { w: wave([3, 2]) },
      });
      await program.dispose();
      await program.dispose();
      await expect(program.run({ x: wave([2, 3]) })).rejects.toThrow(/one that was disposed of/);
    });
  });
}

describe('onnx: compiling', () => {
  const engine = createEngine({ name: 'onnx', threads: 1 });
  const before = tf.getBackend();
  afterAll(() => expect(engine.open).toBe(0));

  it('goes on at once, and one that throws leaves the others and the backend alone', async () => {
    const inputs = { x: { shape: [2, 3] } };
    const signature = { inputs, weights: { w: wave([3, 2]) } };
    const failing: ProgramFunction = ({ inputs }) => {
      inputs.x!.add(1);
      throw new Error('half way');
    };
    const [one, broken, two] = await Promise.allSettled([
      engine.compile(product, signature),
      engine.compile(failing, signature),
      engine.compile(({ inputs }) => ({ outputs: { y: inputs.x!.mul(3) } }), { inputs }),
    ]);
    expect(tf.getBackend()).toBe(before);
    expect(tf.memory().numTensors).toBe(0);
    expect(broken).toMatchObject({ status: 'rejected', reason: { message: 'half way' } });
    expect(engine.open).toBe(2);
    for (const result of [one!, two!]) {
      if (result.status === 'rejected') throw result.reason;
      expect((await result.value.run({ x: wave([2, 3]) })).y!.data.length).toBeGreaterThan(0);
      await result.value.dispose();
    }
  });

  it('knows the outputs before a run', async () => {
    const program = await engine.compile(product, {
      inputs: { x: { shape: [2, 3] } },
      weights: { w: wave([3, 2]) },
    });
    expect(program.outputs).toEqual({ y: [2, 2] });
    await program.dispose();
  });

  it('keeps large constants outside of the model, with the same results', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ropewalk-test-'));
    const usual = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    try {
      const side = 600; // 1.4 MB a matrix
      const weights = { w: wave([side, side]), v: wave([side, side], 1), small: wave([side]) };
      const fn: ProgramFunction = ({ inputs, weights: { w, v, small } }) => ({
        outputs: { y: tf.matMul(tf.matMul(inputs.x!, w!).add(small!), v!) },
      });
      const signature = { inputs: { x: { shape: [2, side] } }, weights };
      const inside = await engine.compile(fn, signature);
      const outside = await engine.compile(fn, signature, { externalDataThreshold: 1 << 20 });
      const x = wave([2, side], 2);
      expect((await outside.run({ x })).y!.data).toEqual((await inside.run({ x })).y!.data);
      await inside.dispose();
      await outside.dispose();
      expect(await readdir(folder), 'files left').toEqual([]);
    } finally {
      if (usual === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = usual;
      await rm(folder, { recursive: true });
    }
  });
});
