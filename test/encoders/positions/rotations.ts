/** One attention under a rotation on an engine, for the tests of rotations. */
import { expect } from 'vitest';
import type { Options, RotateMethod, Where } from '../../../encoders/positions/contract.ts';
import { raw } from '../../../encoders/positions/coordinates/raw.ts';
import { type Grid, raster } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import type { Engine, HostTensor, HostTensors } from '../../../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../../../tensor/tf.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { at, evaluate, floats, inside, normals, shifted } from './evaluate.ts';

export type Turning = {
  readonly options?: Options;
  readonly weights?: HostTensors;
  readonly where?: Partial<Where>;
  readonly grid?: Grid;
  /** Default: the indices of `grid`. */
  readonly coordinates?: HostTensor;
  readonly heads?: number;
  readonly headSize?: number;
  /** q, k, v, x in place of normal numbers. */
  readonly tokens?: HostTensors;
};
export const GRID = raster(3, 4);

export const indices = (grid: Grid = GRID, by: readonly [number, number] = [0, 0]): HostTensor =>
  shifted(raw.coordinates({ grid, trained: grid, mode: 'sample', options: {} }), by);

/** q, k, v [B, T, h, d] and x [B, T, C] of normal numbers. */
export const tokensOf = (length: number, heads: number, headSize: number): HostTensors => ({
  ...Object.fromEntries(
    ['q', 'k', 'v'].map((name) => [name, normals(name, [2, length, heads, headSize])]),
  ),
  x: normals('x', [2, length, heads * headSize]),
});

/**
 * q, k and v as the method turns them, the logits q k^T [B, h, T, T], and the attention's output
 * after `restore`.
 */
export async function attend(engine: Engine, method: RotateMethod, turning: Turning = {}) {
  const { inputs, run } = attention(method, turning);
  return evaluate(engine, inputs, run) as Promise<
    Record<'q' | 'k' | 'v' | 'logits' | 'out', HostTensor>
  >;
}

/** Logits stay where all tokens move alike, and change where one of them moves alone. */
export async function expectOffsetsOnly(
  engine: Engine,
  method: RotateMethod,
  turning: Turning = {},
): Promise<void> {
  const grid = turning.grid ?? GRID;
  const logits = async (coordinates: HostTensor) =>
    (await attend(engine, method, { ...turning, coordinates })).logits.data;
  const still = await logits(indices(grid));
  // Angles up to 10 radians in float32: 1e-6 each, times |q| |k| of about 20.
  expectClose(await logits(indices(grid, [5, -3])), still, { atol: 5e-5 });
  const one = indices(grid);
  one.data[0] = 1.5;
  expect(largestDifference(await logits(one), still)).toBeGreaterThan(0.05);
}

/** Inputs of such an attention, and the function of them. */
export function attention(method: RotateMethod, turning: Turning) {
  const { grid = GRID, weights = {}, heads = 2, headSize = 16 } = turning;
  const options = completeOptions(method, turning.options ?? {});
  const where = at(grid, { trained: grid, heads, headSize, ...turning.where });
  const coordinates = turning.coordinates ?? indices(grid);
  const length = where.prefix + coordinates.shape.at(-2)!;
  const frequencies = method.frequencies?.(headSize, options);
  const inputs: HostTensors = {
    ...tokensOf(length, heads, headSize),
    ...turning.tokens,
    coordinates,
    ...Object.fromEntries(Object.entries(weights).map(([name, w]) => [`w/${name}`, w])),
    ...(frequencies
      ? {
          frequencies: floats([...frequencies.y, ...frequencies.x], [2, frequencies.y.length]),
        }
      : {}),
  };
  const run = (given: Tensors): Tensors => {
    const own = Object.fromEntries(Object.keys(weights).map((name) => [name, given[`w/${name}`]!]));
    const args = {
      ...inside(given.coordinates!, where, options, own),
      x: given.x!,
      ...(given.frequencies ? { frequencies: given.frequencies } : {}),
    };
    const { q, k, v } = method.rotate({ ...args, q: given.q!, k: given.k!, v: given.v! });
    const [a, b, c] = [q, k, v].map((x) => x.transpose([0, 2, 1, 3])) as [Tensor, Tensor, Tensor];
    const logits = tf.matMul(a, b, false, true);
    const mixed = tf.matMul(tf.softmax(logits.div(Math.sqrt(headSize))), c).transpose([0, 2, 1, 3]);
    return { q, k, v, logits, out: method.restore?.({ ...args, out: mixed }) ?? mixed };
  };
  return { inputs, run };
}
