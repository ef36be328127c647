/** Extensions that change what attention sees of offsets, held to logits summed pair by pair in float64. */
import { expect, test } from 'vitest';
import { composePositions, type PositionConfig } from '../../../encoders/positions/compose.ts';
import type { Seen, SeenAxis } from '../../../encoders/positions/contract.ts';
import { lmInfinite } from '../../../encoders/positions/extend/lm-infinite.ts';
import { stringRope } from '../../../encoders/positions/extend/string.ts';
import { cellsOf, type Grid, raster, spansInTokens } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import { POSITION_METHODS, withMethods } from '../../../encoders/positions/registry.ts';
import { createEngine } from '../../../tensor/engine.ts';
import { createRng } from '../../../tensor/rng.ts';
import { tf } from '../../../tensor/tf.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { at, evaluate, normals, onBothEngines } from './evaluate.ts';

const HEADS = 2;
const SIZE = 8;
const PREFIX = 2;
const trained = raster(4, 4);
const sizes = (grid: Grid, from: Grid = trained) => ({
  ...{ grid, trained: from },
  spans: spansInTokens({ grid, trained: from }),
});
const ROTATE = { method: 'axial', base: 100 };
const compose = (config: PositionConfig) =>
  composePositions({ rotate: ROTATE, ...config }, { width: HEADS * SIZE, heads: HEADS, trained });

/** What a token at offset D is seen at. */
const seenAt = (D: number, axis: SeenAxis): number => {
  if (Math.abs(D) < axis.from) return D;
  return Math.sign(D) * ('closer' in axis ? Math.abs(D) - axis.closer : axis.fixed);
};
const offsetsOf = (side: number) => Array.from({ length: 2 * side - 1 }, (_, i) => i - side + 1);

/** Attention weights [1, h, S, S] of the config's positions, condition tokens first. */
async function weightsOf(
  engine: Parameters<typeof evaluate>[0],
  config: PositionConfig,
  grid: Grid,
) {
  const positions = compose(config);
  const T = PREFIX + cellsOf(grid).length;
  const { coordinates } = positions.place(grid, 'sample');
  const { frequencies } = positions.place(grid, 'sample');
  const shape = [1, T, HEADS, SIZE];
  const inputs = {
    q: normals('q', shape),
    k: normals('k', shape),
    coordinates,
    frequencies: frequencies!,
  };
  const { y } = await evaluate(engine, inputs, ({ q, k, coordinates: points, frequencies: f }) => {
    const placed = { coordinates: points!, frequencies: f! };
    const where = at(grid, { trained, heads: HEADS, headSize: SIZE, prefix: PREFIX });
    const x = tf.zeros([1, T, HEADS * SIZE]);
    const turned = positions.rotate({}, { q: q!, k: k!, v: q!, x }, placed, where);
    const { bias } = positions.bias({}, { q: q!, k: k!, x, heads: HEADS }, placed, where);
    const [a, b] = [turned.q, turned.k].map((t) => t.transpose([0, 2, 1, 3]));
    const plain = tf.matMul(a!, b!, false, true).div(Math.sqrt(SIZE));
    const logits = positions.score({}, { ...turned, x }, placed, where) ?? plain;
    return tf.softmax(bias ? logits.add(bias) : logits);
  });
  return y!.data as Float32Array;
}

/** The same from one rotation a pair: by the offset that is seen, hidden pairs left out. */
function direct(grid: Grid, { axes, window }: Seen): number[] {
  const cells = cellsOf(grid);
  const T = PREFIX + cells.length;
  const [q, k] = ['q', 'k'].map((name) => normals(name, [1, T, HEADS, SIZE]).data);
  const at = (data: ArrayLike<number>, t: number, h: number, c: number) =>
    data[(t * HEADS + h) * SIZE + c]!;
  const logit = (i: number, j: number, h: number): number => {
    const [from, to] = [cells[i - PREFIX], cells[j - PREFIX]];
    // A condition token is not turned, so the other is turned by its own place.
    const D = (axis: 'y' | 'x') => {
      const d = (from?.[axis] ?? 0) - (to?.[axis] ?? 0);
      return from && to && axes ? seenAt(d, axes[axis]) : d;
    };
    const [dy, dx] = [D('y'), D('x')];
    const apart = from && to ? [Math.abs(from.y - to.y), Math.abs(from.x - to.x)] : [0, 0];
    if (window && (apart[0]! > window.y || apart[1]! > window.x)) return Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let pair = 0; pair < SIZE / 2; pair++) {
      const own = pair % (SIZE / 4);
      const angle = (pair < SIZE / 4 ? dy : dx) * 100 ** (-own / (SIZE / 4));
      const [a, b] = [at(q!, i, h, 2 * pair), at(q!, i, h, 2 * pair + 1)];
      const [c, d] = [at(k!, j, h, 2 * pair), at(k!, j, h, 2 * pair + 1)];
      sum += Math.cos(angle) * (a * c + b * d) + Math.sin(angle) * (a * d - b * c);
    }
    return sum / Math.sqrt(SIZE);
  };
  const all = Array.from({ length: T }, (_, i) => i);
  return Array.from({ length: HEADS }, (_, h) => h).flatMap((h) =>
    all.flatMap((i) => {
      const powers = all.map((j) => Math.exp(logit(i, j, h)));
      const total = powers.reduce((sum, power) => sum + power, 0);
      return powers.map((power) => power / total);
    }),
  );
}

/** Weights of at most 1 from float32 logits of about 5: 1e-5 is 20 roundings of them. */
const TOLERANCE = { rtol: 0, atol: 1e-5 };

onBothEngines('offsets seen otherwise', (engine) => {
  test.each([
    ['string', stringRope, raster(7, 6), { from: 0.5, local: 1 }],
    ['string', stringRope, raster(4, 7), { from: 0.4, local: 2 }],
    ['lm-infinite', lmInfinite, raster(7, 6), { reach: 0.5, clip: 1 }],
    ['lm-infinite', lmInfinite, raster(7, 4), { reach: 1.5, clip: 0.7 }],
  ] as const)(
    '%s has the attention of the offsets that it names',
    async (name, method, grid, given) => {
      const seen = method.seen!(sizes(grid), completeOptions(method, given))!;
      const got = await weightsOf(engine, { extend: { method: name, ...given } }, grid);
      expectClose(got, direct(grid, seen), TOLERANCE);
      // Plain attention, and offsets seen one token further, are others.
      expect(largestDifference(got, direct(grid, {}))).toBeGreaterThan(0.01);
      const wrong = (axis: SeenAxis): SeenAxis => ({ ...axis, from: axis.from - 1 });
      const off = seen.axes
        ? { ...seen, axes: { y: wrong(seen.axes.y), x: wrong(seen.axes.x) } }
        : { ...seen, window: { y: seen.window!.y - 1, x: seen.window!.x - 1 } };
      expect(largestDifference(got, direct(grid, off))).toBeGreaterThan(0.01);
    },
  );

  test.each<[string, PositionConfig, Grid]>([
    ['string on the trained grid', { extend: 'string' }, raster(4, 4)],
    ['string on a smaller one', { extend: 'string' }, raster(3, 2)],
    ['string from the side on', { extend: { method: 'string', from: 1 } }, raster(7, 6)],
    ['lm-infinite on the trained grid', { extend: 'lm-infinite' }, raster(4, 4)],
    [
      'lm-infinite with a window and a clip that span the grid',
      { extend: { method: 'lm-infinite', reach: 2, clip: 3 } },
      raster(7, 6),
    ],
  ])('%s is the rotation itself, to the bit', async (_, config, grid) => {
    expect(await weightsOf(engine, config, grid)).toEqual(await weightsOf(engine, {}, grid));
  });

  test('the path through far offsets with none of them far is plain attention', async () => {
    const given = { method: 'lm-infinite', reach: 2, clip: 1.7 }; // 5 of a side of 6 and 7
    const got = await weightsOf(engine, { extend: given }, raster(4, 6));
    expect(compose({ extend: given }).score).toBeTypeOf('function');
    expectClose(got, await weightsOf(engine, {}, raster(4, 6)), TOLERANCE);
  });
});

/** Rotations whose offsets can be seen otherwise: what is turned may be turned on. */
const turning = POSITION_METHODS.rotate.filter(
  ({ frequencies, restore }) => frequencies !== undefined && restore === undefined,
);

test.each(turning.map(({ name }) => name))('%s turned twice is turned by the sum', async (name) => {
  const [grid, heads] = [raster(2, 3), 4];
  const positions = composePositions({ rotate: name }, { width: 16 * heads, heads, trained });
  const { coordinates, frequencies } = positions.place(grid, 'sample');
  const shape = [1, PREFIX + 6, heads, 16];
  const weights = Object.fromEntries(
    Object.entries(positions.init(createRng(1))).map(([key, { data, shape: size }]) => {
      const noise = normals(key, size).data;
      return [key, { data: Float32Array.from(data, (v, i) => v + 0.1 * noise[i]!), shape: size }];
    }),
  );
  const by = normals('by', coordinates.shape);
  const inputs = { ...weights, q: normals('q', shape), coordinates, by, frequencies: frequencies! };
  const engine = createEngine({ name: 'reference' });
  const { once, twice } = await evaluate(
    engine,
    inputs,
    ({ q, coordinates: points, by: more, ...w }) => {
      const where = at(grid, { trained, heads, headSize: 16, prefix: PREFIX });
      const x = tf.zeros([1, PREFIX + 6, 16 * heads]);
      const turn = (tokens: typeof q, places: typeof points) =>
        positions.rotate(
          w,
          { q: tokens!, k: tokens!, v: tokens!, x },
          { coordinates: places!, frequencies: w.frequencies! },
          where,
        ).q;
      return { once: turn(q, points!.add(more!)), twice: turn(turn(q, points), more) };
    },
  );
  expectClose(twice!.data, once!.data, { atol: 1e-5 });
  expect(largestDifference(once!.data, inputs.q.data)).toBeGreaterThan(0.1);
});

test('string keeps near offsets, and none is larger than length - 1 - S + W', () => {
  const grid = raster(32, 16);
  const options = { from: 10 / 32, local: 4 };
  const { axes } = stringRope.seen!(sizes(grid, raster(16, 16)), options)!;
  const seen = offsetsOf(32).map((D) => seenAt(D, axes!.y));
  expect(Math.max(...seen)).toBe(25);
  expect(Math.min(...seen)).toBe(-25);
  expect(offsetsOf(10).map((D) => seenAt(D, axes!.y))).toEqual(offsetsOf(10));
  expect(seenAt(10, axes!.y)).toBe(4);
  // The side that is not longer is seen as it is.
  expect(offsetsOf(16).map((D) => seenAt(D, axes!.x))).toEqual(offsetsOf(16));
});

test('with its defaults string sees trained offsets only, up to 1.5 times the side', () => {
  const largest = (side: number) => {
    const where = sizes(raster(side, side), raster(16, 16));
    const { axes } = stringRope.seen!(where, completeOptions(stringRope, {}))!;
    return Math.max(...offsetsOf(side).map((D) => seenAt(D, axes!.y)));
  };
  expect(largest(20)).toBeLessThan(16);
  expect(largest(24)).toBeLessThanOrEqual(17);
  expect(largest(32)).toBeGreaterThan(16);
});

test.each([[{}], [{ reach: 1.5 }], [{ reach: 2, clip: 0.5 }]])(
  'lm-infinite %j shows no offset beyond those trained',
  (given) => {
    const where = sizes(raster(32, 40), raster(16, 16));
    const { axes, window } = lmInfinite.seen!(where, completeOptions(lmInfinite, given))!;
    for (const D of offsetsOf(32).filter((offset) => Math.abs(offset) <= window!.y))
      expect(Math.abs(axes ? seenAt(D, axes.y) : D)).toBeLessThanOrEqual(15);
  },
);

test('a pyramid shows its smallest scale to all', async () => {
  const grid: Grid = {
    kind: 'pyramid',
    scales: [
      { height: 1, width: 1 },
      { height: 8, width: 8 },
    ],
  };
  const { axes, window } = lmInfinite.seen!(sizes(grid), completeOptions(lmInfinite, {}))!;
  expect(window).toEqual({ y: 2, x: 2 });
  expect(axes!.y).toEqual({ from: 3, fixed: 3 });
});

test('options that mean nothing are named', () => {
  const where = sizes(raster(8, 8));
  expect(() => stringRope.seen!(where, { from: 0.25, local: 3 })).toThrow(
    /'string': expected a local of 0 to from x side = 2 tokens, got local 3 and from 0.25/,
  );
  expect(() => lmInfinite.seen!(where, { reach: 0, clip: 1 })).toThrow(/above 0, got 0 and 1/);
});

test('what changes offsets says what it cannot be joined with', () => {
  const refused =
    (config: PositionConfig, extra: Parameters<typeof withMethods>[1][] = []) =>
    () =>
      composePositions(
        config,
        { width: 16, heads: 2, trained },
        withMethods(POSITION_METHODS, ...extra),
      );
  const scored = {
    hook: 'score',
    name: 'scored',
    reducesTo: 'plain attention',
    score: ({ q }: { q: unknown }) => q,
  } as unknown as Parameters<typeof withMethods>[1];
  const back = {
    ...POSITION_METHODS.rotate.find(({ name }) => name === 'axial')!,
    name: 'back',
    restore: ({ out }: { out: unknown }) => out,
  } as unknown as Parameters<typeof withMethods>[1];
  expect(refused({ extend: 'string' })).toThrow(
    /'string' changes the offsets of a rotation, but there is no rotation; take/,
  );
  expect(refused({ rotate: 'axial', score: 'scored', extend: 'string' }, [scored])).toThrow(
    /'string' makes the logits .* 'scored' makes them otherwise; leave one/,
  );
  expect(refused({ rotate: 'back', extend: 'lm-infinite' }, [back])).toThrow(/'back' makes them/);
  expect(refused({ rotate: 'axial', coordinates: 'cell-centre', extend: 'lm-infinite' })).toThrow(
    /'cell-centre' spans the same range on every grid/,
  );
  expect(refused({ rotate: 'axial', extend: ['string', 'lm-infinite'] })).toThrow(
    /got 'string' and 'lm-infinite', which both change the offsets; leave one out/,
  );
  expect(refused({ rotate: 'axial', extend: ['ntk', 'string', 'time-shift'] })).not.toThrow();
});
