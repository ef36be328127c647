/** Cases of tensor/trace/kernels/math.ts. */
import fc from 'fast-check';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import { binary, type Case, type Drawn, integers, seed, shapeOf, spread, unary } from './case.ts';

const NONE: string[] = [];

const smooth: Case[] = [
  unary('abs', tf.abs),
  unary('ceil', tf.ceil),
  unary('cos', tf.cos),
  unary('erf', tf.erf),
  unary('exp', tf.exp),
  unary('expm1', tf.expm1),
  unary('floor', tf.floor),
  unary('log', tf.log, { low: 0.1 }),
  unary('log1p', tf.log1p, { low: -0.9 }),
  unary('neg', tf.neg),
  unary('reciprocal', tf.reciprocal, { low: 0.3 }),
  unary('relu', tf.relu),
  unary('relu6', tf.relu6, { low: -8, high: 8.1 }),
  unary('elu', tf.elu),
  unary('selu', tf.selu),
  unary('round', tf.round),
  unary('rsqrt', tf.rsqrt, { low: 0.2 }),
  unary('sigmoid', tf.sigmoid),
  unary('sign', tf.sign),
  unary('sin', tf.sin),
  unary('softplus', tf.softplus),
  unary('sqrt', tf.sqrt, { low: 0.2 }),
  unary('square', tf.square),
  unary('tan', tf.tan, { low: -1.2, high: 1.2 }),
  unary('tanh', tf.tanh),
  unary('atan', tf.atan),
  unary('asin', tf.asin, { low: -0.9, high: 0.9 }),
  unary('acos', tf.acos, { low: -0.9, high: 0.9 }),
  unary('sinh', tf.sinh),
  unary('cosh', tf.cosh),
  unary('asinh', tf.asinh),
  unary('acosh', tf.acosh, { low: 1.1, high: 3 }),
  unary('atanh', tf.atanh, { low: -0.9, high: 0.9 }),
  unary('leakyRelu', (x) => tf.leakyRelu(x, 0.1)),
  unary('step', (x) => tf.step(x, 0.3)),
  unary('clipByValue', (x) => tf.clipByValue(x, -0.511, 0.777)),
  unary('clone', tf.clone),
  unary('cast', (x) => tf.cast(tf.cast(tf.mul(x, 3), 'int32'), 'float32'), { by: NONE }),
  unary('zerosLike', (x) => tf.add(x, tf.zerosLike(x))),
  unary('onesLike', (x) => tf.mul(x, tf.onesLike(x))),
];

/** A comparison, and a selection by it: its gradient passes by the condition. */
const choice = (name: string, op: (a: Tensor, b: Tensor) => Tensor): Case =>
  binary(name, (a, b) => {
    const condition = op(a, b);
    return [tf.where(condition, tf.mul(a, 2), b), condition];
  });

const operators: Case[] = [
  binary('add', tf.add),
  binary('sub', tf.sub),
  binary('mul', tf.mul),
  binary('div', tf.div, { low: 0.3 }),
  binary('pow', tf.pow, { low: 0.2 }),
  binary('maximum', tf.maximum),
  binary('minimum', tf.minimum),
  binary('squaredDifference', tf.squaredDifference),
  binary('mod', tf.mod, { low: 0.3, by: ['a'] }),
  binary('mod of negatives', (a, b) => tf.mod(tf.neg(a), b), { low: 0.3, by: NONE }),
  choice('greater', tf.greater),
  choice('greaterEqual', tf.greaterEqual),
  choice('less', tf.less),
  choice('lessEqual', tf.lessEqual),
  choice('equal', (a, b) => tf.equal(tf.sign(a), tf.sign(b))),
  choice('notEqual', (a, b) => tf.notEqual(tf.sign(a), tf.sign(b))),
  choice('logicalAnd', (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0))),
  choice('logicalOr', (a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0))),
  choice('logicalNot', (a, b) => tf.logicalNot(tf.greater(a, b))),
  binary('addN', (a, b) => {
    const wide = tf.add(a, tf.zerosLike(b));
    return tf.addN([wide, tf.sin(wide), wide]);
  }),
];

/** Integers: quotients round down, and every operator keeps the type. */
const onIntegers: Case = {
  name: 'int32 operators',
  draw: fc.tuple(shapeOf(1, 3), seed).map(
    ([shape, s]): Drawn => ({
      inputs: { a: integers(shape, s, -9, 10), b: integers(shape, s + 1, 1, 5) },
      op: ({ a, b }) => [
        tf.add(a!, b!),
        tf.sub(a!, b!),
        tf.mul(a!, b!),
        tf.div(a!, b!),
        tf.floorDiv(a!, b!),
        tf.mod(a!, b!),
        tf.maximum(a!, b!),
        tf.minimum(a!, b!),
        tf.squaredDifference(a!, b!),
        tf.abs(a!),
        tf.neg(a!),
        tf.relu(a!),
        tf.square(a!),
        tf.clipByValue(a!, -3, 3),
        tf.where(tf.greater(a!, b!), a!, b!),
        tf.equal(a!, b!),
        tf.mean(a!),
        tf.sum(a!),
        tf.max(a!),
        tf.min(a!),
        tf.cumsum(a!, 0),
        tf.argMax(a!, 0),
        tf.concat([a!, b!], 0),
        tf.tile(
          a!,
          shape.map(() => 2),
        ),
        tf.pad(
          a!,
          shape.map(() => [1, 0] as [number, number]),
          7,
        ),
        tf.oneHot(a!, 4, 5, -1),
        tf.zerosLike(a!),
      ],
    }),
  ),
};

const notNumbers: Case = {
  name: 'NaN and infinity',
  draw: fc.tuple(shapeOf(1, 3), seed).map(([shape, s]): Drawn => {
    const x = spread(shape, s);
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const data = (x.data as Float32Array).map((value, i) => bad[(i + s) % 7] ?? value);
    return {
      inputs: { x: { data, shape } },
      op: ({ x }) => [tf.isNaN(x!), tf.isInf(x!), tf.isFinite(x!)],
      by: NONE,
    };
  }),
};

const prelu: Case = {
  name: 'prelu',
  draw: fc.tuple(shapeOf(2, 4), seed).map(
    ([shape, s]): Drawn => ({
      inputs: { x: spread(shape, s), alpha: spread(shape.slice(-1), s + 1, 0.1, 0.4) },
      op: ({ x, alpha }) => tf.prelu(x!, alpha!),
    }),
  ),
};

export const elementwise: Case[] = [...smooth, ...operators, onIntegers, notNumbers, prelu];
