/** Extensions over coordinates whose range is not the trained side, or whose unit is no token. */
import { describe, expect, test } from 'vitest';
import { composePositions, type PositionConfig } from '../../../encoders/positions/compose.ts';
import { ratiosOf } from '../../../encoders/positions/extend/bands.ts';
import { raster } from '../../../encoders/positions/grid.ts';
import { POSITION_METHODS } from '../../../encoders/positions/registry.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';

type Coordinates = NonNullable<PositionConfig['coordinates']>;
type Extend = NonNullable<PositionConfig['extend']>;
const compose = (coordinates: Coordinates, extend: Extend | undefined, side = 8) =>
  composePositions(
    { coordinates, rotate: { method: 'axial', base: 100 }, ...(extend ? { extend } : {}) },
    { width: 48, heads: 1, trained: raster(side, side) },
  );
type Sides = readonly [number, number];
/** At t = 0.8, where all that depend on t do something. */
const placed = (coordinates: Coordinates, extend: Extend | undefined, [h, w]: Sides, side = 8) =>
  compose(coordinates, extend, side).place(raster(h, w), 'sample', { t: 0.8 });
const turning = (...args: Parameters<typeof placed>) => {
  const { frequencies, logitScale } = placed(...args);
  return { frequencies, logitScale };
};
const none = (size: Sides) => turning('raw', undefined, size);

const factors = { y: Array(12).fill(2), x: Array(12).fill(2) };
/** Every extension of frequencies; LongRoPE's factors have no default. */
const FREQUENCIES: Extend[] = POSITION_METHODS.extend
  .filter(({ of }) => of === 'frequencies')
  .map(({ name }) => (name === 'longrope' ? { method: name, ...factors } : name));
const LARGER: Sides[] = [
  [12, 12],
  [16, 8],
  [10, 16],
];

describe.each(FREQUENCIES.map((extend) => [extend] as const))('%j', (extend) => {
  test('over raw coordinates extends by sides in tokens', () => {
    for (const size of LARGER) expect(turning('raw', extend, size)).not.toEqual(none(size));
  });

  test.each<[string, Coordinates]>([
    ['v2pe, which fits the grid in', 'v2pe'],
    ['rpe2d, whose range holds the grid', 'rpe2d'],
    ['rpe2d with neighbours 1 apart', { method: 'rpe2d', inference: 'contiguous' }],
    ['pose, which trained twice the side', 'pose'],
  ])('over %s changes nothing: all places were trained', (_, coordinates) => {
    for (const size of LARGER) expect(turning(coordinates, extend, size)).toEqual(none(size));
  });

  test.each<[string, Coordinates]>([
    ['v2pe with a delta of 1', { method: 'v2pe', delta: [1] }],
    ['pose with a factor of 1', { method: 'pose', factor: 1 }],
    ['tiles of one cell', { method: 'tiles', tile: 1 }],
    ['centred', 'centred'],
    [
      'rpe2d that trains neighbours 1 apart',
      { method: 'rpe2d', draw: 'contiguous', inference: 'contiguous' },
    ],
  ])('over %s is what it is over raw', (_, coordinates) => {
    for (const size of LARGER)
      expect(turning(coordinates, extend, size)).toEqual(turning('raw', extend, size));
  });

  test('over tiles is measured in tiles', () => {
    for (const [height, width] of LARGER)
      expect(turning({ method: 'tiles', tile: 4 }, extend, [height, width])).toEqual(
        turning('raw', extend, [Math.ceil(height / 4), Math.ceil(width / 4)], 2),
      );
  });

  test('over pose and over steps of 2 has the range that was trained', () => {
    for (const [height, width] of LARGER) {
      const size: Sides = [2 * height, 2 * width];
      const sixteen = turning('raw', extend, size, 16);
      expect(turning('pose', extend, size)).toEqual(sixteen);
      const steps = { method: 'v2pe', deltas: [2], delta: [2] };
      expect(turning(steps, extend, [height, width])).toEqual(sixteen);
    }
  });
});

test('bands of the side in tokens would be others', () => {
  // Twice the places that were trained, 32 of 16: s is 2 as that of 16 tokens of 8, but bands are not.
  for (const extend of ['vision-yarn', 'ntk-by-parts', 'dype-yarn', 'riflex', 'ultraflux']) {
    const tokens = turning('raw', extend, [16, 16]);
    expect(turning('pose', extend, [32, 32]).frequencies).not.toEqual(tokens.frequencies);
  }
  for (const extend of ['interpolation', 'vision-ntk', 'dype-pi'])
    expect(turning('pose', extend, [32, 32])).toEqual(turning('raw', extend, [16, 16]));
});

test('v2pe with interpolation has the angles of one of the two, not of both', () => {
  const angles = (coordinates: Coordinates, extend: Extend | undefined) => {
    const { coordinates: points, frequencies } = placed(coordinates, extend, [16, 16]);
    const [last] = points.data.slice(-1);
    return Array.from(frequencies!.data.slice(12), (f) => last! * f);
  };
  const once = angles('raw', 'interpolation');
  expectClose(angles('v2pe', 'interpolation'), once);
  expectClose(angles('v2pe', undefined), once);
  expectClose(angles({ method: 'v2pe', delta: [1] }, 'interpolation'), once);
});

test('v2pe fits any grid in: no side is a rounding longer than trained', () => {
  const { spans } = compose('v2pe', undefined);
  for (let side = 8; side <= 512; side++)
    expect(ratiosOf(spans(raster(side, 7)))).toEqual({ y: 1, x: 1 });
  const { spans: kept } = compose({ method: 'v2pe', delta: [1] }, undefined);
  expect(ratiosOf(kept(raster(9, 7)))).toEqual({ y: 9 / 8, x: 1 });
});

test('places of sampling lie within the span that coordinates declare', () => {
  for (const method of POSITION_METHODS.coordinates.filter(({ bounded }) => !bounded))
    for (const [height, width] of [...LARGER, [8, 8], [5, 3]] as const) {
      const positions = compose(method.name, undefined);
      const { now } = positions.spans(raster(height, width));
      const { data } = positions.place(raster(height, width), 'sample').coordinates;
      const reach = (axis: number) => {
        const places = data.filter((_, i) => i % 2 === axis);
        return Math.max(...places) - Math.min(...places);
      };
      expect(reach(0), method.name).toBeLessThan(now.height);
      expect(reach(1), method.name).toBeLessThan(now.width);
    }
});

test('and those of training within the one that is trained, which they reach', () => {
  for (const name of ['rpe2d', 'pose', 'v2pe', 'coupled', 'shifted', 'raw', 'tiles']) {
    const positions = compose(name, undefined);
    const rng = createRng(8);
    let largest = 0;
    for (let i = 0; i < 200; i++) {
      const { data } = positions.place(raster(8, 8), 'train', { rng }).coordinates;
      const rows = data.filter((_, k) => k % 2 === 0);
      largest = Math.max(largest, Math.max(...rows) - Math.min(...rows));
    }
    const { trained } = positions.spans(raster(8, 8));
    expect(largest, name).toBeLessThanOrEqual(trained.height - 1 + 1e-4);
    expect(largest, name).toBeGreaterThan(0.9 * (trained.height - 1));
  }
});

describe('offsets', () => {
  test.each(['rpe2d', 'v2pe', 'tiles'])('are refused over %s, which are no tokens', (name) => {
    for (const extend of ['string', 'lm-infinite'])
      expect(() => compose(name, extend)).toThrow(
        `positions.extend: '${extend}' counts tokens by coordinates 1 apart, but neighbours of '${name}' lie otherwise; take other coordinates or leave the extension out`,
      );
  });

  test('over pose are left alone as far as they were trained, and shortened beyond', () => {
    const seen = (coordinates: Coordinates, extend: Extend, side: number, trained = 8) =>
      compose(coordinates, extend, trained).seen(raster(side, side));
    for (const extend of ['string', 'lm-infinite']) {
      expect(seen('raw', extend, 16)).toBeDefined();
      expect(seen('pose', extend, 16)).toBeUndefined();
    }
    expect(seen('pose', 'string', 24)).toEqual(seen('raw', 'string', 24, 16));
    // As many tokens are seen as were trained with, at the offsets that were.
    const wide = { method: 'lm-infinite', reach: 2.5 };
    expect(seen('pose', wide, 24)).toEqual({
      axes: { y: { from: 15, fixed: 15 }, x: { from: 15, fixed: 15 } },
      window: { y: 20, x: 20 },
    });
  });
});

test('coordinates that count rows by the width reach as far as the width', () => {
  const { y, x } = {
    y: turning('nit', 'vision-yarn', [8, 16]).frequencies!.data.slice(0, 12),
    x: turning('nit', 'vision-yarn', [8, 16]).frequencies!.data.slice(12),
  };
  const plain = none([8, 16]).frequencies!.data;
  expect(x).toEqual(plain.slice(12));
  expect(y).not.toEqual(plain.slice(0, 12));
});
