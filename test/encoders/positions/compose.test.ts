import { describe, expect, test } from 'vitest';
import { composePositions, type PositionConfig } from '../../../encoders/positions/compose.ts';
import type { BiasMethod, RotateMethod } from '../../../encoders/positions/contract.ts';
import { raster } from '../../../encoders/positions/grid.ts';
import { POSITION_METHODS, withMethods } from '../../../encoders/positions/registry.ts';
import { AXIAL_PRESETS } from '../../../encoders/positions/rotate/axial.ts';
import { createRng } from '../../../tensor/rng.ts';

const shape = { width: 32, heads: 2, trained: raster(4, 4) };
const compose = (config: PositionConfig, changes: Partial<typeof shape> = {}) =>
  composePositions(config, { ...shape, ...changes });

const still: RotateMethod = {
  hook: 'rotate',
  name: 'still',
  reducesTo: 'no positions',
  rotate: ({ q, k, v }) => ({ q, k, v }),
};
const gentle: BiasMethod = {
  hook: 'bias',
  name: 'gentle',
  reducesTo: 'no positions',
  options: { by: 1 },
  logitScale: ({ options }) => Number(options.by),
};

describe('what cannot be joined is said in one sentence', () => {
  const cases: [string, () => unknown, RegExp][] = [
    [
      'an unknown method',
      () => compose({ rotate: 'axail' }),
      /positions\.rotate: expected one of 'axial'.* got 'axail'/,
    ],
    [
      'no method of a hook',
      () => compose({ score: 'tape' }),
      /positions\.score: expected one of \(none\), got 'tape'/,
    ],
    [
      'an extension without a rotation',
      () => compose({ embed: 'sincos2d', extend: 'dype-pi' }),
      /'dype-pi' changes the frequencies of a rotation, but there is no rotation; take/,
    ],
    [
      'an extension of a rotation without frequencies',
      () =>
        composePositions(
          { rotate: 'still', extend: 'dype-pi' },
          shape,
          withMethods(POSITION_METHODS, still),
        ),
      /but 'still' has no frequencies; take/,
    ],
    [
      'an extension of coordinates that end where they always end',
      () => compose({ coordinates: 'end-point', rotate: 'axial', extend: 'dype-ntk' }),
      /'end-point' spans the same range on every grid; take/,
    ],
    [
      'a head size that cannot be turned',
      () => compose({ rotate: 'axial' }, { width: 12 }),
      /multiple of 4, got 6/,
    ],
    ['heads of a broken size', () => compose({}, { width: 33 }), /got width 33 and 2 heads/],
    [
      'a method twice',
      () => compose({ bias: ['alibi', 'alibi'] }),
      /each method once, got 'alibi' twice/,
    ],
    [
      'an unknown option',
      () => compose({ rotate: { method: 'axial', bsae: 100 } }),
      /'axial': expected options among base, first, layout, prefix, still, got 'bsae'; did you mean 'base'\?/,
    ],
    [
      'an option of a method without any',
      () => compose({ coordinates: { method: 'raw', span: 3 } }),
      /expected no options, got 'span'/,
    ],
    [
      'another choice',
      () => compose({ bias: { method: 'alibi', distance: 'taxi' } }),
      /distance: expected one of manhattan, euclidean, got "taxi"/,
    ],
    [
      'another type',
      () => compose({ rotate: { method: 'axial', base: 'high' } }),
      /base: expected a number, got "high"/,
    ],
    [
      'a list that is none',
      () => compose({ rotate: 'axial', extend: { method: 'dype-yarn', beta: 'wide' } }),
      /beta: expected a list of numbers, got "wide"/,
    ],
  ];
  test.each(cases)('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

test("a registry of one's own adds methods and refuses names that are taken", () => {
  const registry = withMethods(POSITION_METHODS, still, gentle);
  const positions = composePositions(
    { rotate: 'still', bias: ['alibi', { method: 'gentle', by: 3 }] },
    shape,
    registry,
  );
  expect(positions.timed).toBe(false);
  expect(POSITION_METHODS.rotate.map(({ name }) => name)).not.toContain('still');
  expect(() => compose({ rotate: 'still' })).toThrow(/got 'still'/);
  expect(() => withMethods(registry, still)).toThrow(/expected a new name, got 'still'/);
});

test('every method that ships says what it reduces to, under a name of its own', () => {
  for (const methods of Object.values(POSITION_METHODS)) {
    expect(new Set(methods.map(({ name }) => name)).size).toBe(methods.length);
    for (const { reducesTo } of methods) expect(reducesTo.length).toBeGreaterThan(10);
  }
});

test('every preset of axial RoPE is a configuration', () => {
  for (const preset of Object.values(AXIAL_PRESETS))
    expect(() => compose({ rotate: { method: 'axial', ...preset } }, { width: 64 })).not.toThrow();
});

test('weights are named by method, and drawn from a stream of each', () => {
  const names = (config: PositionConfig) => Object.keys(compose(config).init(createRng(1)));
  expect(names({ embed: ['sincos2d', 'learned', 'peg'], rotate: 'axial' })).toEqual([
    'positions.learned.table',
    'positions.peg.proj.weight',
    'positions.peg.proj.bias',
  ]);
  const both = compose({ embed: ['learned', 'peg'] }).init(createRng(1));
  const one = compose({ embed: 'peg' }).init(createRng(1));
  expect(both['positions.peg.proj.weight']).toEqual(one['positions.peg.proj.weight']);
});

test('a placement holds float32 of what was computed in float64', () => {
  const positions = compose({ rotate: { method: 'axial', base: 100 }, extend: 'dype-yarn' });
  expect(positions.timed).toBe(true);
  const place = positions.place(raster(8, 4), 'sample', { t: 1 });
  expect(place.coordinates.shape).toEqual([32, 2]);
  expect(place.frequencies?.shape).toEqual([2, 4]);
  expect(place.logitScale).toBeCloseTo((0.1 * Math.log(2) + 1) ** 2, 12);
  const { random, place: draw } = compose({ coordinates: 'pose' });
  expect(random).toBe(true);
  expect(draw(raster(4, 4), 'train', { rng: createRng(2) })).toEqual(
    draw(raster(4, 4), 'train', { rng: createRng(2) }),
  );
});
