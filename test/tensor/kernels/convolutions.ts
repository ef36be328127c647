/** Cases of tensor/trace/kernels/conv.ts, and of the ops built on it. */
import fc from 'fast-check';
import { conv2d, convTranspose2d, type Padding } from '../../../tensor/ops/conv.ts';
import { groupNorm } from '../../../tensor/ops/group-norm.ts';
import { type ResizeOptions, resize } from '../../../tensor/ops/resize.ts';
import { tf } from '../../../tensor/tf.ts';
import { type Case, type Drawn, seed, spread, withOptions } from './case.ts';

const side = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number) => fc.tuple(side(min, max), side(min, max));
const picture = fc.tuple(side(1, 2), side(3, 6), side(3, 6), side(1, 4));
const RTOL = 2e-5; // sums of up to 100 products in another order

const tfjsPadding = (least: number) =>
  fc.oneof(
    fc.constantFrom('valid' as const, 'same' as const),
    fc
      .tuple(pair(0, least), pair(0, least))
      .map(([rows, columns]): Explicit => [[0, 0], rows, columns, [0, 0]]),
  );
type Explicit = [[number, number], [number, number], [number, number], [number, number]];

const plain: Case[] = [
  {
    name: 'tf.conv2d',
    draw: fc.tuple(picture, pair(1, 3), pair(1, 3), tfjsPadding(2), side(1, 4), seed).map(
      ([x, kernel, stride, padding, O, s]): Drawn => ({
        inputs: { x: spread(x, s), w: spread([...kernel, x[3], O], s + 1) },
        op: ({ x, w }) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, padding),
        rtol: RTOL,
      }),
    ),
  },
  {
    name: 'tf.conv2d of channels first',
    draw: fc.tuple(picture, pair(1, 3), seed).map(
      ([x, kernel, s]): Drawn => ({
        inputs: { x: spread(x, s), w: spread([...kernel, x[1], 2], s + 1) },
        op: ({ x, w }) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same', 'NCHW'),
        by: [],
        rtol: RTOL,
      }),
    ),
  },
  {
    name: 'tf.conv2d, dilated',
    draw: fc.tuple(picture, pair(1, 2), seed).map(
      ([x, kernel, s]): Drawn => ({
        inputs: { x: spread(x, s), w: spread([...kernel, x[3], 2], s + 1) },
        op: ({ x, w }) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same', 'NHWC', 2),
        by: [],
        rtol: RTOL,
      }),
    ),
  },
  {
    name: 'tf.depthwiseConv2d',
    draw: fc.tuple(picture, pair(1, 3), side(1, 2), tfjsPadding(2), side(1, 3), seed).map(
      ([x, kernel, stride, padding, times, s]): Drawn => ({
        inputs: { x: spread(x, s), w: spread([...kernel, x[3], times], s + 1) },
        op: ({ x, w }) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, padding),
        rtol: RTOL,
      }),
    ),
  },
  {
    name: 'tf.conv2dTranspose',
    draw: fc
      .tuple(picture, side(2, 4), side(1, 2), side(1, 3), seed)
      .map(([x, kernel, stride, O, s]): Drawn => {
        const [B, H, W, C] = x;
        const shape = [B, H * stride, W * stride, O] as [number, number, number, number];
        return {
          inputs: { x: spread(x, s), w: spread([kernel, kernel, O, C], s + 1) },
          op: ({ x, w }) =>
            tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, shape, stride, 'same'),
          rtol: RTOL,
        };
      }),
  },
];

const pooling = (name: string, op: typeof tf.maxPool): Case => ({
  name,
  draw: fc.tuple(picture, pair(2, 3), pair(1, 3), tfjsPadding(1), seed).map(
    ([x, window, stride, padding, s]): Drawn => ({
      inputs: { x: spread(x, s) },
      op: ({ x }) => op(x as tf.Tensor4D, window, stride, padding),
    }),
  ),
});

const ours: Case[] = [
  {
    name: 'conv2d, with groups',
    draw: fc
      .tuple(picture, fc.constantFrom([1, 1], [2, 1], [2, 2], [3, 1]), side(1, 2), pair(0, 1), seed)
      .map(([[B, H, W], [groups, perGroup], stride, pads, s]): Drawn => {
        const padding: Padding = [pads, [0, 1]];
        const C = groups! * perGroup!;
        return {
          inputs: {
            x: spread([B, H, W, C], s),
            w: spread([2 * groups!, perGroup!, 3, 2], s + 1),
            b: spread([2 * groups!], s + 2),
          },
          op: ({ x, w, b }) =>
            conv2d(x!, w!, { stride, padding, groups: groups!, ...(b ? { bias: b } : {}) }),
          rtol: RTOL,
        };
      }),
  },
  {
    name: 'convTranspose2d',
    draw: fc.tuple(picture, pair(2, 4), side(0, 1), seed).map(
      ([x, kernel, outputPadding, s]): Drawn => ({
        inputs: { x: spread(x, s), w: spread([x[3], 2, ...kernel], s + 1) },
        op: ({ x, w }) => convTranspose2d(x!, w!, { stride: 2, padding: 1, outputPadding }),
        rtol: RTOL,
      }),
    ),
  },
  {
    name: 'groupNorm',
    draw: fc.tuple(picture, side(1, 3), seed).map(
      ([[B, H, W], groups, s]): Drawn => ({
        inputs: {
          x: spread([B, H, W, 2 * groups], s),
          gain: spread([2 * groups], s + 1),
          bias: spread([2 * groups], s + 2),
        },
        op: ({ x, gain, bias }) =>
          groupNorm(x!, groups, { ...(gain ? { gain } : {}), ...(bias ? { bias } : {}) }),
        rtol: RTOL,
      }),
    ),
  },
  withOptions(
    'resize',
    picture.map((sides): number[] => sides),
    () =>
      fc.record({
        mode: fc.constantFrom('nearest', 'nearest-exact', 'bilinear', 'bicubic', 'area'),
        antialias: fc.boolean(),
        sides: pair(1, 7),
      }) as fc.Arbitrary<ResizeOptions & { sides: [number, number] }>,
    (x, { sides, ...options }) => resize(x, ...sides, options),
    { rtol: RTOL },
  ),
];

export const convolutions: Case[] = [
  ...plain,
  pooling('tf.maxPool', tf.maxPool),
  pooling('tf.avgPool', tf.avgPool),
  ...ours,
];
