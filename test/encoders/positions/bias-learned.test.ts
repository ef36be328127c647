/** Learned biases, and the causal mask that stands in for positions. */
import { describe, expect, it, test } from 'vitest';
import { alibi, alibiSlopes } from '../../../encoders/positions/bias/alibi.ts';
import { causal } from '../../../encoders/positions/bias/causal.ts';
import { fire, fireInputs } from '../../../encoders/positions/bias/fire.ts';
import { ggdBam } from '../../../encoders/positions/bias/ggd-bam.ts';
import type { BiasMethod, Options, Where } from '../../../encoders/positions/contract.ts';
import { cellsOf, type Grid, raster } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import type { HostTensor, HostTensors } from '../../../tensor/program.ts';
import { createRng } from '../../../tensor/rng.ts';
import { tf } from '../../../tensor/tf.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { at, evaluate, floats, inside, onBothEngines, tokens } from './evaluate.ts';

const H = 4;
const grid = raster(3, 4);
const T = 12;
const shape = { width: 32, heads: H, headSize: 8, depth: 2, trained: grid };
const indices = (of: Grid, [y, x]: readonly [number, number] = [0, 0]) =>
  floats(
    cellsOf(of).flatMap((cell) => [cell.y + y, cell.x + x]),
    [cellsOf(of).length, 2],
  );
const filled = (value: number, size: readonly number[]) =>
  floats(new Float32Array(size.reduce((a, b) => a * b)).fill(value), size);

onBothEngines('learned biases', (engine) => {
  type Call = {
    options?: Options;
    weights?: HostTensors;
    coordinates?: HostTensor;
    where?: Partial<Where>;
  };
  const bias = async (method: BiasMethod, call: Call = {}, of: Grid = grid) => {
    const options = completeOptions(method, call.options ?? {});
    const weights = { ...method.init?.(shape, options, createRng(1)), ...call.weights };
    const coordinates = call.coordinates ?? indices(of);
    const named = Object.fromEntries(Object.entries(weights).map(([name, w]) => [`w/${name}`, w]));
    const where = at(of, { heads: H, trained: grid, layer: 1, ...call.where });
    const { y } = await evaluate(engine, { coordinates, ...named }, (given) => {
      const own = Object.keys(weights).map((name) => [name, given[`w/${name}`]!]);
      const all = inside(given.coordinates!, where, options, Object.fromEntries(own));
      return method.bias!({ ...all, ...tokens(given.coordinates!) })!;
    });
    return y!;
  };
  const noise = (name: string, size: readonly number[], by = 0.3) => ({
    data: createRng(9)
      .stream(name)
      .normals(size.reduce((a, b) => a * b))
      .map((value) => by * value),
    shape: size,
  });
  /** A prior that is none of its special cases. */
  const learned = () => ({
    alpha: noise('alpha', [2, H]),
    beta: noise('beta', [2, H]),
    mu: noise('mu', [2, H, 2]),
  });

  it('ggd-bam starts as ALiBi, on axes and by distance', async () => {
    // sqrt(D^2 + 1e-8) is 1e-4 where D is 0.
    const close = { rtol: 1e-4, atol: 2e-4 };
    const plain = (distance: string) => bias(alibi, { options: { distance } });
    expectClose((await bias(ggdBam)).data, (await plain('manhattan')).data, close);
    const radial = await bias(ggdBam, { options: { norm: 'radial' } });
    expectClose(radial.data, (await plain('euclidean')).data, close);
    expect(
      largestDifference((await bias(ggdBam, { weights: learned() })).data, radial.data),
    ).toBeGreaterThan(0.1);
  });

  it('ggd-bam is -(|D - mu| / alpha)^beta of its own block', async () => {
    const weights = learned();
    const { data, shape: size } = await bias(ggdBam, { weights });
    expect(size).toEqual([H, T, T]);
    const cells = cellsOf(grid);
    const own = (tensor: HostTensor, head: number) => tensor.data[H + head]!; // block 1
    const expected = Array.from({ length: H * T * T }, (_, i) => {
      const [h, a, b] = [Math.floor(i / (T * T)), Math.floor(i / T) % T, i % T];
      const [dy, dx] = [cells[a]!.y - cells[b]!.y, cells[a]!.x - cells[b]!.x];
      const [alpha, beta] = [Math.exp(own(weights.alpha, h)), Math.exp(own(weights.beta, h))];
      const term = (D: number, axis: number) =>
        (Math.abs(D - weights.mu.data[2 * (H + h) + axis]!) / alpha) ** beta;
      return -(term(dy, 0) + term(dx, 1));
    });
    expectClose(data, expected, { rtol: 1e-4, atol: 2e-4 });
  });

  it('ggd-bam sees offsets only, and nothing as alpha grows', async () => {
    const weights = learned();
    for (const norm of ['axes', 'radial']) {
      const call = { options: { norm }, weights };
      const moved = await bias(ggdBam, { ...call, coordinates: indices(grid, [5, -3]) });
      expectClose(moved.data, (await bias(ggdBam, call)).data, { rtol: 1e-4, atol: 1e-5 });
      const far = { ...weights, alpha: filled(40, [2, H]) };
      const none = await bias(ggdBam, { ...call, weights: far });
      expect(Math.max(...none.data.map(Math.abs))).toBeLessThan(1e-6);
    }
    const prefixed = await bias(ggdBam, { weights, where: { prefix: 2 } });
    expect(prefixed.shape).toEqual([H, T + 2, T + 2]);
    expect(prefixed.data.subarray(0, 2 * (T + 2)).every((value) => value === 0)).toBe(true);
  });

  it('ggd-bam has finite gradients where D is mu, with any beta', async () => {
    const options = completeOptions(ggdBam, {});
    const weights = {
      alpha: filled(0, [2, H]),
      beta: filled(Math.log(0.3), [2, H]),
      mu: filled(0, [2, H, 2]),
    };
    const names = Object.keys(weights) as (keyof typeof weights)[];
    const given = { coordinates: indices(grid), ...weights };
    const gradients = await evaluate(engine, given, ({ coordinates, ...own }) => {
      const { grads } = tf.valueAndGrads((...values) => {
        const named = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
        const all = inside(coordinates!, at(grid, { heads: H }), options, named);
        return tf.mean(ggdBam.bias!({ ...all, ...tokens(coordinates!) })!) as tf.Scalar;
      })(names.map((name) => own[name]!));
      return Object.fromEntries(names.map((name, i) => [name, grads[i]!]));
    });
    for (const name of names) {
      expect(gradients[name]!.data.every(Number.isFinite)).toBe(true);
      if (name !== 'mu') expect(gradients[name]!.data.some((value) => value !== 0)).toBe(true);
    }
  });

  it('scalable softmax is 1 on the trained grid, and grows with ln N', async () => {
    const options = completeOptions(ggdBam, { scalable: true });
    const weights = ggdBam.init!(shape, options, createRng(1));
    const scale = async (of: Grid, own: HostTensors) => {
      const { y } = await evaluate(engine, { scale: own.scale! }, (given) => {
        const all = inside(given.scale!, at(of, { heads: H, layer: 1 }), options, given);
        return tf.zeros([H, 1, 1]).add(ggdBam.logitScale!(all));
      });
      return y!.data;
    };
    expectClose(await scale(grid, weights), Array(H).fill(1));
    expectClose(await scale(raster(6, 8), weights), Array(H).fill(Math.log(48) / Math.log(12)));
    const plain = completeOptions(ggdBam, {});
    expect(ggdBam.init!(shape, plain, createRng(1)).scale).toBeUndefined();
  });

  it('fire looks at distances in [0, 1], 1 at the far corner beyond its threshold', async () => {
    const inputs = async (of: Grid, threshold: number) => {
      const c = floats([0.3], []);
      const given = { coordinates: indices(of), c, threshold: floats([threshold], []) };
      const { y } = await evaluate(engine, given, (tensors) =>
        fireInputs(tensors.coordinates!, tensors.c!, tensors.threshold!),
      );
      return y!;
    };
    for (const of of [grid, raster(9, 7), raster(1, 5)]) {
      const { data, shape: size } = await inputs(of, 4);
      const tokens = cellsOf(of).length;
      expect(size).toEqual([tokens, tokens, 4]);
      const distances = data.filter((_, i) => i % 4 < 2);
      expect(Math.min(...distances)).toBe(0);
      expect(Math.max(...distances)).toBeLessThanOrEqual(1);
    }
    // 8 rows down and 6 columns across; a short grid does not reach 1.
    const far = (await inputs(raster(9, 7), 4)).data.subarray(4 * 62, 4 * 63);
    expectClose(far, [1, 1, -1, -1]);
    const near = (await inputs(grid, 4)).data.subarray(4 * 11, 4 * 12);
    expectClose(near, [Math.log(1.6), Math.log(1.9)].map((v) => v / Math.log(2.2)).concat(-1, -1));
  });

  it('fire bends to ALiBi on a grid, and sees offsets only', async () => {
    // A hidden unit turns on at every distance 0, 1 ... n - 2 of an axis: the sum of bends is a line in |D|.
    const [c, L] = [0.1, 4];
    const psi = (distance: number) => Math.log(c * distance + 1) / Math.log(c * L + 1);
    const slopes = alibiSlopes(H);
    const [first, biases, last] = [[] as number[], [] as number[], [] as number[]];
    for (const [axis, side] of [3, 4].entries()) {
      let before = 0;
      for (let k = 0; k < side - 1; k++) {
        const slope = 1 / (psi(k + 1) - psi(k));
        first.push(...[0, 1, 2, 3].map((input) => (input === axis ? 1 : 0)));
        biases.push(-psi(k));
        last.push(slope - before);
        before = slope;
      }
    }
    const hidden = biases.length;
    const twice = (values: number[], size: number[]) =>
      floats([...values, ...values], [2, ...size]);
    const weights = {
      c: filled(Math.log(c), [2]),
      threshold: filled(Math.log(L), [2]),
      'mlp.0.weight': twice(first, [hidden, 4]),
      'mlp.0.bias': twice(biases, [hidden]),
      'mlp.2.weight': twice(
        slopes.flatMap((slope) => last.map((bend) => -slope * bend)),
        [H, hidden],
      ),
      'mlp.2.bias': filled(0, [2, H]),
    };
    const options = { hidden };
    const { data, shape: size } = await bias(fire, { options, weights });
    expect(size).toEqual([H, T, T]);
    const line = await bias(alibi);
    expectClose(data, line.data, { rtol: 1e-4, atol: 1e-3 });
    const wrong = { ...weights, 'mlp.0.bias': filled(0, [2, hidden]) };
    const bent = await bias(fire, { options, weights: wrong });
    expect(largestDifference(bent.data, line.data)).toBeGreaterThan(0.05);

    const moved = await bias(fire, { coordinates: indices(grid, [7, -2]) });
    expectClose(moved.data, (await bias(fire)).data, { rtol: 1e-4, atol: 1e-5 });
    const pairs = floats([...indices(grid).data, ...indices(grid, [3, 3]).data], [2, T, 2]);
    const both = await bias(fire, { coordinates: pairs, where: { prefix: 1 } });
    expect(both.shape).toEqual([2, H, T + 1, T + 1]);
    const one = await bias(fire, { where: { prefix: 1 } });
    expectClose(both.data, [...one.data, ...one.data], { rtol: 1e-4, atol: 1e-5 });
    const none = { 'mlp.2.weight': filled(0, [2, H, 32]) };
    expect((await bias(fire, { weights: none })).data.every((value) => value === 0)).toBe(true);
  });

  it('causal hides the lower right corner of each raster, but not condition tokens', async () => {
    const { data, shape: size } = await bias(causal, { where: { prefix: 1 } });
    expect(size).toEqual([1, T + 1, T + 1]);
    const cells = cellsOf(grid);
    for (let a = 0; a < T; a++) {
      for (let b = 0; b < T; b++) {
        const corner = a !== b && cells[b]!.y >= cells[a]!.y && cells[b]!.x >= cells[a]!.x;
        expect(data[(a + 1) * (T + 1) + b + 1]).toBe(corner ? -1e9 : 0);
      }
    }
    const [row, column] = [data.subarray(0, T + 1), data.filter((_, i) => i % (T + 1) === 0)];
    expect([...row, ...column].every((value) => value === 0)).toBe(true);
    const scales = [1, 2].map((side) => ({ height: side, width: side }));
    const pyramid = await bias(causal, {}, { kind: 'pyramid', scales });
    const alone = await bias(causal, {}, raster(2, 2));
    expect(pyramid.data.subarray(0, 5).every((value) => value === 0)).toBe(true);
    for (let a = 0; a < 4; a++)
      for (let b = 0; b < 4; b++)
        expect(pyramid.data[(a + 1) * 5 + b + 1]).toBe(alone.data[a * 4 + b]);
  });

  it('causal is the mask of one dimension on one row, and by raster order', async () => {
    const lower = (tokens: number) =>
      Array.from({ length: tokens ** 2 }, (_, i) =>
        i % tokens > Math.floor(i / tokens) ? -1e9 : 0,
      );
    const line = raster(1, 6);
    expect(Array.from((await bias(causal, {}, line)).data)).toEqual(lower(6));
    const scan = { options: { scan: 'raster' } };
    expect(Array.from((await bias(causal, scan)).data)).toEqual(lower(T));
  });
});

describe('causal', () => {
  const mask = (layer: number, options: Options) => {
    const all = completeOptions(causal, options);
    const where = at(grid, { layer });
    return tf.tidy(() => {
      const coordinates = tf.zeros([T, 2]);
      return (
        causal.bias!({ ...inside(coordinates, where, all), ...tokens(coordinates) }) !== undefined
      );
    });
  };
  test('leaves every second block alone, beginning with the first', () => {
    expect([0, 1, 2, 3].map((layer) => mask(layer, {}))).toEqual([false, true, false, true]);
    expect([0, 1].map((layer) => mask(layer, { blocks: 'all' }))).toEqual([true, true]);
  });
});
