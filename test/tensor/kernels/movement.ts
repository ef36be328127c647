/** Cases of tensor/trace/kernels/shape.ts and gather.ts: values are moved, looked up or placed. */
import fc from 'fast-check';
import { sizeOf } from '../../../tensor/shape.ts';
import { tf } from '../../../tensor/tf.ts';
import {
  axisOf,
  type Case,
  type Drawn,
  integers,
  seed,
  shapeOf,
  spread,
  withOptions,
} from './case.ts';

const permutation = (shape: readonly number[]) =>
  fc.shuffledSubarray([...shape.keys()], { minLength: shape.length });
const pads = (shape: readonly number[], most = 2) =>
  fc.tuple(...shape.map(() => fc.tuple(fc.nat(most), fc.nat(most)))) as fc.Arbitrary<
    [number, number][]
  >;
const begins = (shape: readonly number[]) =>
  fc.tuple(
    ...shape.map((side) =>
      fc.nat(side - 1).chain((begin) => fc.tuple(fc.constant(begin), fc.nat(side - begin))),
    ),
  );

const moved: Case[] = [
  withOptions(
    'reshape',
    shapeOf(1, 4),
    (s) => fc.constant<number[]>([sizeOf(s)]),
    (x, s) => x.reshape(s),
  ),
  withOptions(
    'reshape with -1',
    shapeOf(1, 4),
    (s) => fc.constant<number[]>([s[0]!, -1]),
    (x, s) => x.reshape(s),
  ),
  withOptions('expandDims', shapeOf(1, 4), axisOf, (x, axis) => tf.expandDims(x, axis)),
  withOptions('transpose', shapeOf(1, 5, 3), permutation, (x, perm) => tf.transpose(x, perm)),
  withOptions(
    'two transposes',
    shapeOf(1, 4),
    (s) => fc.tuple(permutation(s), permutation(s)),
    (x, [one, two]) => tf.transpose(tf.transpose(x, one), two),
  ),
  withOptions('a transpose and its inverse', shapeOf(1, 4), permutation, (x, perm) =>
    tf.transpose(
      tf.transpose(x, perm),
      perm.map((_, i) => perm.indexOf(i)),
    ),
  ),
  withOptions('slice', shapeOf(1, 4), begins, (x, cuts) => {
    const size = cuts.map(([begin, length], i) =>
      Math.max(1, Math.min(length, x.shape[i]! - begin)),
    );
    return tf.slice(
      x,
      cuts.map(([begin]) => begin),
      size,
    );
  }),
  withOptions('concat', shapeOf(1, 4), axisOf, (x, axis) => tf.concat([x, tf.neg(x), x], axis)),
  withOptions(
    'concat with an empty part',
    shapeOf(1, 3),
    (s) => fc.constant(s),
    (x, s) => tf.concat([tf.zeros([0, ...s.slice(1)]), x], 0),
  ),
  withOptions(
    'stack',
    shapeOf(1, 3),
    (s) => fc.integer({ min: -s.length, max: s.length }),
    (x, axis) => tf.stack([x, tf.sin(x)], axis),
  ),
  withOptions('unstack', shapeOf(1, 4), axisOf, (x, axis) => {
    const parts = tf.unstack(x, axis);
    return [parts.at(-1)!.mul(2).add(parts[0]!), ...parts];
  }),
  withOptions('split', shapeOf(1, 3), axisOf, (x, axis) => {
    const doubled = tf.concat([x, tf.neg(x)], axis);
    const [a, b] = tf.split(doubled, 2, axis);
    return [a!.mul(b!), b!];
  }),
  withOptions('split in unequal parts', shapeOf(1, 3), axisOf, (x, axis) => {
    const side = x.shape.at(axis)!;
    const [a, b] = tf.split(tf.concat([x, tf.neg(x), x], axis), [side, -1], axis);
    return [a!, b!];
  }),
  withOptions('pad', shapeOf(1, 4), pads, (x, p) => tf.pad(x, p)),
  withOptions('pad with a value', shapeOf(1, 4), pads, (x, p) => tf.pad(x, p, 1.5)),
  withOptions(
    'mirrorPad',
    fc.array(fc.integer({ min: 3, max: 4 }), { minLength: 1, maxLength: 3 }),
    (s) => fc.tuple(pads(s), fc.constantFrom('reflect' as const, 'symmetric' as const)),
    (x, [p, mode]) => tf.mirrorPad(x, p, mode),
  ),
  withOptions(
    'tile',
    shapeOf(1, 4),
    (s) => fc.tuple(...s.map(() => fc.integer({ min: 1, max: 3 }))),
    (x, reps) => tf.tile(x, reps),
  ),
  withOptions(
    'broadcastTo',
    shapeOf(1, 3),
    (s) => fc.constant<number[]>([2, ...s]),
    (x, s) => tf.broadcastTo(x, s),
  ),
  withOptions(
    'reverse',
    shapeOf(1, 4),
    (s) => fc.subarray([...s.keys()]),
    (x, axes) => tf.reverse(x, axes),
  ),
  withOptions(
    'fill, range and constants',
    shapeOf(1, 3),
    (s) => fc.constant(s),
    (x, s) => [
      x.add(tf.fill(s, 0.5)).mul(tf.range(0, sizeOf(s), 1).reshape(s)),
      tf.fill(s, 3, 'int32'),
      tf.range(5, -4, -2, 'int32'),
      tf.linspace(0, 1, 5),
      tf.eye(3),
    ],
  ),
];

const strides = fc.constantFrom(-3, -2, -1, 1, 2, 3);
const strided: Case = withOptions(
  'stridedSlice',
  fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 3 }),
  (shape) =>
    fc.record({
      steps: fc.tuple(...shape.map(() => strides)),
      ends: fc.tuple(...shape.map((side) => fc.tuple(fc.nat(side - 1), fc.nat(side - 1)))),
      beginMask: fc.nat(2 ** shape.length - 1),
      endMask: fc.nat(2 ** shape.length - 1),
    }),
  (x, { steps, ends, beginMask, endMask }) => {
    // Whole rows at least: from the lower to the upper place, in the direction of the step.
    const from = ends.map(([a, b], i) => (steps[i]! > 0 ? Math.min(a, b) : Math.max(a, b)));
    const to = ends.map(([a, b], i) => (steps[i]! > 0 ? Math.max(a, b) + 1 : Math.min(a, b) - 1));
    const open = to.reduce((mask, end, i) => (end < 0 ? mask | (1 << i) : mask), endMask);
    return tf.stridedSlice(x, from, to, steps, beginMask, open);
  },
);
const shrunk: Case = withOptions(
  'stridedSlice that drops and adds axes',
  shapeOf(3, 3),
  (s) => fc.nat(s[0]! - 1),
  (x, at) => [
    tf.stridedSlice(x, [at, 0, 0], [at + 1, 9, 9], [1, 1, 1], 6, 6, 0, 0, 1),
    tf.stridedSlice(x, [0, 0], [0, 1], [1, 1], 0, 0, 1, 2, 0),
  ],
);

const lookups: Case[] = [
  withOptions(
    'gather along any axis',
    shapeOf(1, 4),
    (s) => fc.tuple(axisOf(s), shapeOf(0, 2), seed),
    (x, [axis, shape, s]) => {
      const { data } = integers(shape, s, 0, x.shape.at(axis)!);
      return tf.gather(x, tf.tensor(data, shape, 'int32'), axis);
    },
  ),
  withOptions(
    'gather in a batch',
    shapeOf(2, 4),
    (s) => fc.tuple(fc.integer({ min: 1, max: 3 }), seed, fc.constant(s)),
    (x, [count, s, [batch, side]]) => {
      const { data } = integers([batch!, count], s, 0, side!);
      return tf.gather(x, tf.tensor(data, [batch!, count], 'int32'), 1, 1);
    },
  ),
  withOptions(
    'gatherND',
    shapeOf(2, 4),
    (s) => fc.tuple(fc.integer({ min: 1, max: s.length }), fc.integer({ min: 1, max: 4 }), seed),
    (x, [depth, count, s]) => {
      const places = Array.from({ length: count }, (_, i) =>
        x.shape.slice(0, depth).map((side, axis) => (s + 7 * i + 3 * axis) % side),
      );
      return tf.gatherND(x, tf.tensor2d(places, [count, depth], 'int32'));
    },
  ),
];

const rows = fc.tuple(fc.integer({ min: 1, max: 6 }), shapeOf(0, 2), seed);
const placed: Case[] = [
  {
    name: 'scatterND, with places named twice',
    draw: rows.map(
      ([count, inner, s]): Drawn => ({
        inputs: { x: spread([count, ...inner], s), i: integers([count, 1], s, 0, 3) },
        op: ({ x, i }) => tf.scatterND(i!, x!, [4, ...inner]),
      }),
    ),
  },
  {
    name: 'scatterND of integers',
    draw: rows.map(
      ([count, inner, s]): Drawn => ({
        inputs: { x: integers([count, ...inner], s, -5, 5), i: integers([count, 1], s, 0, 3) },
        op: ({ x, i }) => tf.scatterND(i!, x!, [4, ...inner]),
      }),
    ),
  },
  {
    name: 'tensorScatterUpdate',
    draw: fc.tuple(fc.integer({ min: 1, max: 4 }), shapeOf(0, 2), seed).map(
      ([count, inner, s]): Drawn => ({
        inputs: { x: spread([4, ...inner], s), u: spread([count, ...inner], s + 1) },
        op: ({ x, u }) => {
          const places = Array.from({ length: count }, (_, i) => [(s + i) % 4]);
          return tf.tensorScatterUpdate(x!, tf.tensor2d(places, [count, 1], 'int32'), u!);
        },
        by: [],
      }),
    ),
  },
  {
    name: 'unsortedSegmentSum',
    draw: rows.map(
      ([count, inner, s]): Drawn => ({
        inputs: { x: spread([count, ...inner], s), i: integers([count], s, 0, 3) },
        op: ({ x, i }) => tf.unsortedSegmentSum(x!, i! as tf.Tensor1D, 4),
      }),
    ),
  },
  {
    name: 'oneHot, with indices outside of the classes',
    draw: fc.tuple(shapeOf(1, 3), fc.integer({ min: 2, max: 5 }), seed).map(
      ([shape, depth, s]): Drawn => ({
        inputs: { i: integers(shape, s, -1, depth + 1) },
        op: ({ i }) => [
          tf.oneHot(i!, depth),
          tf.oneHot(i!, depth, 0.9, 0.1, 'float32'),
          tf.oneHot(i!, depth, 1, 0, 'float32'),
        ],
      }),
    ),
  },
];

export const movement: Case[] = [...moved, strided, shrunk, ...lookups, ...placed];
