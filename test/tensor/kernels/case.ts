/** What a test of one kernel is: shapes and options drawn by fast-check, and the op to run on them. */
import fc from 'fast-check';
import type { HostTensor, HostTensors } from '../../../tensor/program.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import type { Tensor, Tensors } from '../../../tensor/tf.ts';

export type Drawn = {
  readonly inputs: HostTensors;
  /** The op on the inputs; the first result is differentiated. */
  readonly op: (inputs: Tensors) => Tensor | Tensor[];
  /** Names of the inputs to differentiate by. Default: all float32 ones. */
  readonly by?: readonly string[];
  /** Relative tolerance. Default 1e-5: one op in float32. */
  readonly rtol?: number;
};
export type Case = { readonly name: string; readonly draw: fc.Arbitrary<Drawn> };

export const shapeOf = (minRank: number, maxRank: number, maxSide = 4): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: maxSide }), { minLength: minRank, maxLength: maxRank });

/**
 * Distinct values evenly spread over (low, high) in a drawn order: no ties and nothing at 0, where
 * maxima, signs and rectifiers have no slope.
 */
export function spread(shape: readonly number[], seed: number, low = -2, high = 2): HostTensor {
  const count = sizeOf(shape);
  const data = Float32Array.from(
    { length: count },
    (_, i) => low + ((high - low) * (i + 0.37)) / count,
  );
  const random = generator(seed);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [data[i], data[j]] = [data[j]!, data[i]!];
  }
  return { data, shape };
}

export function integers(shape: readonly number[], seed: number, low: number, high: number) {
  const random = generator(seed);
  const draw = () => low + Math.floor(random() * (high - low));
  return { data: Int32Array.from({ length: sizeOf(shape) }, draw), shape };
}

/** A linear congruential generator (Numerical Recipes' constants): enough to shuffle test values. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export const seed = fc.integer({ min: 0, max: 1e6 });

/** An op of one float tensor of any small shape, with values in (low, high). */
export function unary(
  name: string,
  op: (x: Tensor) => Tensor | Tensor[],
  {
    low = -2,
    high = 2,
    minRank = 0,
    by,
    rtol,
  }: Partial<Drawn> & { low?: number; high?: number; minRank?: number } = {},
): Case {
  const draw = fc.tuple(shapeOf(minRank, 4), seed).map(
    ([shape, s]): Drawn => ({
      inputs: { x: spread(shape, s, low, high) },
      op: ({ x }) => op(x!),
      ...(by ? { by } : {}),
      ...(rtol === undefined ? {} : { rtol }),
    }),
  );
  return { name, draw };
}

/** An op of two float tensors whose shapes broadcast. */
export function binary(
  name: string,
  op: (a: Tensor, b: Tensor) => Tensor | Tensor[],
  { low = -2, high = 2, by }: { low?: number; high?: number; by?: string[] } = {},
): Case {
  const draw = fc
    .tuple(shapeOf(0, 4), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), fc.nat(2), seed)
    .map(([shape, ones, dropped, s]): Drawn => {
      const left = shape.map((side, i) => (ones[i] ? 1 : side));
      const right = shape.map((side, i) => (ones[4 + i] ? 1 : side)).slice(dropped);
      const inputs = { a: spread(left, s, low, high), b: spread(right, s + 1, low + 0.013, high) };
      return { inputs, op: ({ a, b }) => op(a!, b!), ...(by ? { by } : {}) };
    });
  return { name, draw };
}

/** An op of one tensor with options drawn from its shape. */
export function withOptions<Options>(
  name: string,
  shape: fc.Arbitrary<number[]>,
  options: (shape: number[]) => fc.Arbitrary<Options>,
  op: (x: Tensor, options: Options) => Tensor | Tensor[],
  values: { low?: number; high?: number; by?: string[]; rtol?: number } = {},
): Case {
  const { low = -2, high = 2, ...rest } = values;
  const draw = shape.chain((sides) =>
    fc.tuple(options(sides), seed).map(
      ([chosen, s]): Drawn => ({
        inputs: { x: spread(sides, s, low, high) },
        op: ({ x }) => op(x!, chosen),
        ...rest,
      }),
    ),
  );
  return { name, draw };
}

export const axisOf = (shape: readonly number[]): fc.Arbitrary<number> =>
  fc.integer({ min: -shape.length, max: shape.length - 1 });
