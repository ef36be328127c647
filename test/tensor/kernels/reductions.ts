/** Cases of tensor/trace/kernels/reduce.ts. */
import fc from 'fast-check';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import { axisOf, type Case, type Drawn, seed, shapeOf, spread, withOptions } from './case.ts';

const NONE: string[] = [];
const axes = (shape: number[]) => fc.tuple(fc.subarray([...shape.keys()]), fc.boolean());
type Reduce = (x: Tensor, axis: number[], keepDims: boolean) => Tensor;
const reducer = (name: string, op: Reduce, values: { low?: number; by?: string[] } = {}): Case =>
  withOptions(name, shapeOf(1, 4), axes, (x, [axis, keep]) => op(x, axis, keep), values);

const reduced: Case[] = [
  reducer('sum', (x, axis, keep) => tf.sum(x, axis, keep)),
  reducer('mean', (x, axis, keep) => tf.mean(x, axis, keep)),
  reducer('max', (x, axis, keep) => tf.max(x, axis, keep)),
  reducer('min', (x, axis, keep) => tf.min(x, axis, keep)),
  reducer('prod', (x, axis, keep) => tf.prod(x, axis, keep)),
  reducer('all', (x, axis, keep) => tf.all(tf.greater(x, -1), axis, keep), { by: NONE }),
  reducer('any', (x, axis, keep) => tf.any(tf.greater(x, 1), axis, keep), { by: NONE }),
  reducer('moments', (x, axis, keep) => tf.moments(x, axis, keep).variance),
  reducer('logSumExp', (x, axis, keep) => tf.logSumExp(x, axis, keep)),
  reducer('euclidean norm', (x) => tf.norm(x), {}),
  withOptions('argMax', shapeOf(1, 4), axisOf, (x, axis) => tf.argMax(x, axis), { by: NONE }),
  withOptions('argMin', shapeOf(1, 4), axisOf, (x, axis) => tf.argMin(x, axis), { by: NONE }),
  withOptions(
    'cumsum',
    shapeOf(1, 4),
    (s) => fc.tuple(axisOf(s), fc.boolean(), fc.boolean()),
    (x, [axis, exclusive, reverse]) => tf.cumsum(x, axis, exclusive, reverse),
  ),
  withOptions(
    'topk',
    shapeOf(1, 3, 5),
    (s) => fc.integer({ min: 1, max: s.at(-1)! }),
    (x, k) => {
      const { values, indices } = tf.topk(x, k);
      return [values, indices];
    },
  ),
  withOptions(
    'softmax',
    shapeOf(1, 4),
    () => fc.constant(-1),
    (x, axis) => tf.softmax(x, axis),
  ),
  withOptions(
    'logSoftmax',
    shapeOf(1, 4),
    () => fc.constant(-1),
    (x, axis) => tf.logSoftmax(x, axis),
  ),
];

const side = fc.integer({ min: 1, max: 5 });
const sides = fc.tuple(side, side, side);
const flags = fc.tuple(fc.boolean(), fc.boolean());
const matrix = (rows: number, columns: number, turned: boolean) =>
  turned ? [columns, rows] : [rows, columns];

const products: Case[] = [
  {
    name: 'matMul of matrices',
    draw: fc.tuple(sides, flags, seed).map(
      ([[m, k, n], [ta, tb], s]): Drawn => ({
        inputs: { a: spread(matrix(m, k, ta), s), b: spread(matrix(k, n, tb), s + 1) },
        op: ({ a, b }) => tf.matMul(a!, b!, ta, tb),
      }),
    ),
  },
  {
    name: 'matMul with batches that broadcast',
    draw: fc
      .tuple(
        sides,
        flags,
        shapeOf(0, 3, 3),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        fc.nat(3),
        seed,
      )
      .map(([[m, k, n], [ta, tb], batch, ones, dropped, s]): Drawn => {
        const left = batch.map((side, i) => (ones[i] ? 1 : side));
        const right = batch.map((side, i) => (ones[3 + i] ? 1 : side)).slice(dropped);
        return {
          inputs: {
            a: spread([...left, ...matrix(m, k, ta)], s),
            b: spread([...right, ...matrix(k, n, tb)], s + 1),
          },
          op: ({ a, b }) => tf.matMul(a!, b!, ta, tb),
        };
      }),
  },
];

export const reductions: Case[] = [...reduced, ...products];
