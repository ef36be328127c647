/** What methods of a later day need of the contract: the progress of training (PINs), and frequencies of each head (DoPE). */
import { expect, test } from 'vitest';
import type { EmbedMethod, RotateMethod } from '../../../encoders/positions/contract.ts';
import { sincos2d } from '../../../encoders/positions/embed/sincos2d.ts';
import { raster } from '../../../encoders/positions/grid.ts';
import { axial } from '../../../encoders/positions/rotate/axial.ts';
import { axesOf, headTablesOf } from '../../../encoders/positions/rotate/tables.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { learnedRope } from '../../../tensor/ops/rope.ts';
import { createRng } from '../../../tensor/rng.ts';
import { tf } from '../../../tensor/tf.ts';
import type { Optimiser } from '../../../training/optimisers/optimiser.ts';
import { sgd } from '../../../training/optimisers/sgd.ts';
import { createUpdate } from '../../../training/update.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { at, evaluate, floats, inside, normals } from './evaluate.ts';
import { attend, indices } from './rotations.ts';

const engine = createEngine({ name: 'reference' });
const C = 16;
const BANDS = C / 4;

/** PINs: bands come in one after the other, by a weight that training sets and does not learn. */
const progressive: EmbedMethod = {
  hook: 'embed',
  name: 'progressive',
  after: 0,
  reducesTo: 'sincos2d once all bands are in',
  init: () => ({ exposed: floats([0], [1]) }),
  embed(args) {
    // The lowest band first; bands lie as sines and cosines of the column, then of the row.
    const band = tf.tensor1d(Array.from({ length: C }, (_, c) => BANDS - 1 - (c % BANDS)));
    const into = tf.clipByValue(args.weights.exposed!.sub(band).add(1), 0, 1);
    const shares = tf.cos(into.mul(Math.PI)).neg().add(1).div(2);
    return sincos2d.embed({ ...args, options: { base: 100, scale: 1 } }).mul(shares);
  },
};
/** An optimiser around the optimiser, as that of a codebook: after `over` steps all bands are in. */
const exposing = (inner: Optimiser, name: string, over: number): Optimiser => ({
  ...inner,
  async update(weights, gradients, moments, step) {
    await inner.update(weights, gradients, moments, step);
    weights[name]!.data[0] = ((BANDS - 1) * Math.min(step.step, over)) / over;
  },
});

test('progress of training reaches a method as a weight that an optimiser sets', async () => {
  const grid = raster(3, 4);
  const points = floats(normals('places', [12, 2]).data, [12, 2]);
  const embed = async (exposed: number) => {
    const given = { points, x: normals('x', [1, 12, C]), exposed: floats([exposed], [1]) };
    const { y } = await evaluate(engine, given, ({ points: p, x, exposed: own }) =>
      progressive.embed({ ...inside(p!, at(grid), {}, { exposed: own! }), x: x! }),
    );
    return y!.data as Float32Array;
  };
  const { y: full } = await evaluate(
    engine,
    { points, x: normals('x', [1, 12, C]) },
    ({ points: p, x }) =>
      sincos2d.embed({ ...inside(p!, at(grid), { base: 100, scale: 1 }), x: x! }),
  );
  expectClose(await embed(BANDS - 1), full!.data);
  const lowest = await embed(0);
  for (const [i, value] of lowest.entries())
    expect(value).toBeCloseTo(i % BANDS === BANDS - 1 ? full!.data[i]! : 0, 6);
  expect(largestDifference(await embed(1.5), full!.data)).toBeGreaterThan(0.1);

  const weights = {
    'positions.progressive.exposed': progressive.init!(
      { width: C, heads: 1, headSize: C, depth: 1, trained: grid },
      {},
      createRng(1),
    ).exposed!,
  };
  const update = await createUpdate(
    ({ weights: w }) => tf.sum(w['positions.progressive.exposed']!.square()) as tf.Scalar,
    exposing(sgd({ rate: 1 }), 'positions.progressive.exposed', 4),
    { engine: createEngine({ threads: 1 }), inputs: {}, weights },
  );
  const seen: number[] = [];
  for (let step = 0; step < 5; step++) {
    await update.step([{}], 1);
    seen.push(update.state().weights['positions.progressive.exposed']!.data[0]!);
  }
  await update.dispose();
  expect(seen).toEqual([0.75, 1.5, 2.25, 3, 3]);
});

/** DoPE by parts: what an analysis found, heads x frequencies of 0 or 1, are options, as LongRoPE's factors are. */
const outliers: RotateMethod = {
  ...axial,
  name: 'outliers-still',
  reducesTo: 'axial RoPE where no head has any',
  options: { base: 10000, keep: [] },
  rotate({ coordinates, frequencies, q, k, v, where, options }) {
    const keep = options.keep as readonly number[];
    const mask = tf.tensor2d([...keep], [where.heads, keep.length / where.heads]); // [h, F]
    const [fy, fx] = tf.unstack(frequencies!).map((f) => mask.mul(f)); // [h, F] each
    const [ys, xs] = axesOf(coordinates).map((axis) => tf.expandDims(axis, -2)); // [.., T, 1, 1]
    const angles = tf.concat([ys!.mul(fy!), xs!.mul(fx!)], -1); // [.., T, h, d/2]
    const { cos, sin } = headTablesOf(angles, where.prefix);
    return { q: learnedRope(q, cos, sin), k: learnedRope(k, cos, sin), v };
  },
};

test('heads have frequencies of their own in a rotation, from options that an analysis finds', async () => {
  const turned = async (keep: number[]) =>
    (await attend(engine, outliers, { options: { keep } })).logits.data;
  const plain = (await attend(engine, axial, {})).logits.data;
  expectClose(await turned(Array(8).fill(1)), plain);
  // The second head stands still, in each picture; the first is as it was.
  const one = await turned([1, 1, 1, 1, 0, 0, 0, 0]);
  const origin = indices().data.map(() => 0);
  const unturned = (await attend(engine, axial, { coordinates: floats(origin, [12, 2]) })).logits
    .data;
  const head = 12 * 12;
  for (const picture of [0, 1]) {
    const from = 2 * picture * head;
    expectClose(one.subarray(from, from + head), plain.subarray(from, from + head));
    expectClose(
      one.subarray(from + head, from + 2 * head),
      unturned.subarray(from + head, from + 2 * head),
    );
  }
  expect(largestDifference(one, plain)).toBeGreaterThan(0.1);
});
