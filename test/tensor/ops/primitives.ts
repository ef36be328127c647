/** Cases of the fused primitives in tensor/ops. */
import fc from 'fast-check';
import { attention } from '../../../tensor/ops/attention.ts';
import { gelu, geluTanh, silu, swiglu } from '../../../tensor/ops/gelu.ts';
import { linear } from '../../../tensor/ops/linear.ts';
import { layerNorm, rmsNorm } from '../../../tensor/ops/norm.ts';
import { learnedRope, rope, turn } from '../../../tensor/ops/rope.ts';
import type { Tensor } from '../../../tensor/tf.ts';
import { type Case, type Drawn, seed, shapeOf, spread, unary } from '../kernels/case.ts';

const RTOL = 2e-5; // several sums and quotients in another order
const side = (min: number, max: number) => fc.integer({ min, max });
const wide = fc.tuple(shapeOf(1, 3), side(4, 8)).map(([lead, width]) => [...lead, 2 * width]);
/** The optional tensors that were drawn. */
const given = <Name extends string>(tensors: Record<Name, Tensor | undefined>) =>
  Object.fromEntries(Object.entries(tensors).filter(([, tensor]) => tensor)) as Partial<
    Record<Name, Tensor>
  >;

const norms: Case[] = [
  {
    name: 'layerNorm',
    draw: fc.tuple(wide, fc.boolean(), seed).map(
      ([shape, affine, s]): Drawn => ({
        inputs: {
          x: spread(shape, s),
          ...(affine
            ? { g: spread(shape.slice(-1), s + 1), b: spread(shape.slice(-1), s + 2) }
            : {}),
        },
        op: ({ x, g, b }) => layerNorm(x!, 1e-5, g, b),
        rtol: RTOL,
      }),
    ),
  },
  {
    name: 'rmsNorm',
    draw: fc.tuple(wide, fc.boolean(), seed).map(
      ([shape, gain, s]): Drawn => ({
        inputs: { x: spread(shape, s), ...(gain ? { g: spread(shape.slice(-1), s + 1) } : {}) },
        op: ({ x, g }) => rmsNorm(x!, 1e-5, g),
        rtol: RTOL,
      }),
    ),
  },
];

const activations: Case[] = [
  // tfjs computes erf by a polynomial good to 1e-6 or so.
  unary('gelu', gelu, { rtol: 1e-4 }),
  unary('geluTanh', geluTanh, { low: -4, high: 4, minRank: 1, rtol: RTOL }),
  unary('silu', silu, { low: -4, high: 4, rtol: RTOL }),
  {
    name: 'swiglu',
    draw: fc.tuple(wide, seed).map(
      ([shape, s]): Drawn => ({
        inputs: { a: spread(shape, s), b: spread(shape, s + 1) },
        op: ({ a, b }) => swiglu(a!, b!),
        rtol: RTOL,
      }),
    ),
  },
];

const projections: Case[] = [
  {
    name: 'linear',
    draw: fc.tuple(wide, side(1, 6), fc.boolean(), seed).map(
      ([shape, outputs, biased, s]): Drawn => ({
        inputs: {
          x: spread(shape, s),
          w: spread([outputs, shape.at(-1)!], s + 1),
          ...(biased ? { b: spread([outputs], s + 2) } : {}),
        },
        op: ({ x, w, b }) => linear(x!, w!, b),
        rtol: RTOL,
      }),
    ),
  },
];

const heads = fc.record({
  B: side(1, 2),
  T: side(1, 5),
  S: side(1, 5),
  h: side(1, 3),
  half: side(1, 4),
});
/** Shapes of a bias that broadcast to [B, h, T, S]. */
const biasShape = fc.constantFrom('none', 'heads', 'all', 'keys', 'one head');

const attending: Case[] = [
  {
    name: 'attention',
    draw: fc
      .tuple(heads, biasShape, fc.constantFrom(undefined, 0.3), seed)
      .map(([{ B, T, S, h, half }, form, scale, s]): Drawn => {
        const d = 2 * half;
        const shapes = {
          heads: [h, T, S],
          all: [B, h, T, S],
          keys: [B, 1, 1, S],
          'one head': [1, T, S],
        };
        const shape = form === 'none' ? undefined : shapes[form as keyof typeof shapes];
        return {
          inputs: {
            q: spread([B, T, h, d], s),
            k: spread([B, S, h, d], s + 1),
            v: spread([B, S, h, d], s + 2),
            ...(shape ? { bias: spread(shape, s + 3) } : {}),
          },
          op: ({ q, k, v, bias }) =>
            attention(q!, k!, v!, {
              ...given({ bias }),
              ...(scale === undefined ? {} : { scale }),
            }),
          rtol: 5e-5,
        };
      }),
  },
  {
    name: 'rope, one angle for all heads',
    draw: fc.tuple(heads, fc.boolean(), seed).map(([{ B, T, h, half }, perPicture, s]): Drawn => {
      const table = perPicture ? [B, T, half] : [T, half];
      return {
        inputs: {
          x: spread([B, T, h, 2 * half], s),
          cos: spread(table, s + 1),
          sin: spread(table, s + 2),
        },
        op: ({ x, cos, sin }) => rope(x!, cos!, sin!),
        by: ['x'],
      };
    }),
  },
  {
    name: 'rope, angles of each head',
    draw: fc.tuple(heads, seed).map(
      ([{ B, T, h, half }, s]): Drawn => ({
        inputs: {
          x: spread([B, T, h, 2 * half], s),
          cos: spread([1, T, h, half], s + 1),
          sin: spread([1, T, h, half], s + 2),
        },
        op: ({ x, cos, sin }) => rope(x!, cos!, sin!),
        by: ['x'],
      }),
    ),
  },
  {
    name: 'learnedRope, with gradients to its tables',
    draw: fc
      .tuple(heads, fc.boolean(), fc.boolean(), seed)
      .map(([{ B, T, h, half }, perPicture, each, s]): Drawn => {
        const table = [perPicture ? B : 1, T, each ? h : 1, half];
        return {
          inputs: {
            x: spread([B, T, h, 2 * half], s),
            cos: spread(table, s + 1),
            sin: spread(table, s + 2),
          },
          op: ({ x, cos, sin }) => learnedRope(x!, cos!, sin!),
        };
      }),
  },
  {
    name: 'turn, with gradients to its tables',
    draw: fc.tuple(heads, seed).map(
      ([{ B, T, h, half }, s]): Drawn => ({
        inputs: {
          x: spread([B, T, h, 2 * half], s),
          cos: spread([T, 1, half], s + 1),
          sin: spread([T, 1, half], s + 2),
        },
        op: ({ x, cos, sin }) => turn(x!, cos!, sin!),
      }),
    ),
  },
];

export const primitives: Case[] = [...norms, ...activations, ...projections, ...attending];
