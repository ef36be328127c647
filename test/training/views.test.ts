import { describe, expect, test } from 'vitest';
import { raster } from '../../encoders/positions/grid.ts';
import { createRng } from '../../tensor/rng.ts';
import {
  chooseView,
  coordinatesOf,
  see,
  sidesOf,
  sizesOf,
  type View,
  viewsOf,
} from '../../training/views.ts';
import { tinyConfig } from './tiny.ts';

const SIDE = 16;
const PATCH = 4;
/** Every pixel tells where it is: red its row, green its column. */
const picture = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
  const pixel = Math.floor(i / 3);
  return [Math.floor(pixel / SIDE), pixel % SIDE, 7][i % 3]!;
});
const view = (how: View['how'], size: readonly [number, number], of = SIDE): View => ({
  ...{ how, size, of, placed: size, share: 1, batch: 1, from: 1, until: 9 },
});
const seen = (v: View, seed = 1, mirrored = false) =>
  see(v, picture, PATCH, { rng: createRng(seed), mirrored });
/** [row, column] of the larger picture that a pixel of a view came from. */
const origin = (pixels: Uint8Array, width: number, y: number, x: number) => [
  ...pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 2),
];

describe('views', () => {
  test('a full view is the picture itself; mirrored twice too', () => {
    const whole = seen(view('full', [SIDE, SIDE]));
    expect(whole.pixels).toEqual(picture);
    const turned = seen(view('full', [SIDE, SIDE]), 1, true).pixels;
    expect(turned).not.toEqual(picture);
    const again = see(view('full', [SIDE, SIDE]), turned, PATCH, {
      rng: createRng(1),
      mirrored: true,
    });
    expect(again.pixels).toEqual(picture);
    expect(whole.size).toEqual({ original: [16, 16], crop: [0, 0], target: [16, 16] });
  });

  test('a full view that is no square has the picture in the middle of white', () => {
    const { pixels } = seen(view('full', [SIDE, 2 * SIDE]));
    expect(pixels.length).toBe(3 * SIDE * 2 * SIDE);
    expect(origin(pixels, 2 * SIDE, 3, SIDE / 2)).toEqual([3, 0]);
    expect(origin(pixels, 2 * SIDE, 3, SIDE / 2 - 1)).toEqual([255, 255]);
    expect(origin(pixels, 2 * SIDE, 3, SIDE / 2 + SIDE)).toEqual([255, 255]);
  });

  test('a crop says where it was cut, at any pixel, all equally often', () => {
    const places = new Map<string, number>();
    for (let seed = 0; seed < 500; seed++) {
      const { pixels, size, tokens } = seen(view('crop', [12, 12]), seed);
      expect(tokens).toBeUndefined();
      expect(origin(pixels, 12, 0, 0)).toEqual([...size.crop]);
      expect(size).toMatchObject({ original: [16, 16], target: [12, 12] });
      places.set(size.crop.join(), (places.get(size.crop.join()) ?? 0) + 1);
    }
    expect(places.size).toBe(25);
    // 500 draws in 25 places: chi-square with 24 degrees of freedom is below 51 with p = 0.999.
    const chiSquare = [...places.values()].reduce((sum, n) => sum + (n - 20) ** 2 / 20, 0);
    expect(chiSquare).toBeLessThan(51);
  });

  test.each(['window', 'rows'] as const)('%s: positions are those of the content', (how) => {
    const grid = raster(4, 4);
    const all = Array.from({ length: 16 }, (_, i) => [Math.floor(i / 4), i % 4]).flat();
    expect(grid).toMatchObject({ height: 4, width: 4 });
    const patterns = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { pixels, tokens, size } = seen(view(how, [8, 8]), seed);
      const places = coordinatesOf(all, 4, tokens!);
      for (let token = 0; token < 4; token++) {
        const [row, column] = [Math.floor(token / 2), token % 2];
        const [y, x] = [places[2 * token]!, places[2 * token + 1]!];
        expect(origin(pixels, 8, row * PATCH + 1, column * PATCH + 2)).toEqual([
          y * PATCH + 1,
          x * PATCH + 2,
        ]);
      }
      expect(tokens!.rows[1]! > tokens!.rows[0]!).toBe(true);
      if (how === 'window') expect(tokens!.rows[1]! - tokens!.rows[0]!).toBe(1);
      expect(size).toEqual({ original: [16, 16], crop: [0, 0], target: [16, 16] });
      patterns.add(`${tokens!.rows}`);
    }
    expect(patterns.size).toBe(how === 'window' ? 3 : 6); // all there are: 3 windows, 4 choose 2
  });

  test('steps fall to views by their shares', () => {
    const views = [
      { ...view('full', [8, 8]), share: 3 },
      { ...view('rows', [8, 8]), share: 1 },
    ];
    expect(chooseView(views, 1, 0).how).toBe('full');
    expect(chooseView(views, 1, 0.7499).how).toBe('full');
    expect(chooseView(views, 1, 0.75).how).toBe('rows');
    expect(chooseView(views, 1, 0.9999).how).toBe('rows');
  });
});

test('stages: a view is shown from a step until another', () => {
  const views = [
    { ...view('full', [8, 8]), until: 4 },
    { ...view('rows', [8, 8]), from: 5, until: 9 },
  ];
  const at = (step: number) => [0, 0.5, 0.99].map((x) => chooseView(views, step, x).how);
  expect([1, 4, 5, 9].map(at)).toEqual([
    ['full', 'full', 'full'],
    ['full', 'full', 'full'],
    ['rows', 'rows', 'rows'],
    ['rows', 'rows', 'rows'],
  ]);
});

describe('views of a configuration', () => {
  const config = (views: object[]) => tinyConfig({ views });

  test('without any, pictures are seen whole', () => {
    expect(viewsOf(tinyConfig(), PATCH)).toEqual([
      {
        how: 'full',
        size: [16, 16],
        of: 16,
        placed: [16, 16],
        share: 1,
        from: 1,
        until: 12,
        batch: 8,
      },
    ]);
  });

  test('sides that must be drawn, and sizes that are shown', () => {
    const mixed = config([
      { how: 'full', share: 2 },
      { how: 'full', size: [16, 32], share: 1, batch: 4 },
      { how: 'window', of: 32, share: 1 },
    ]);
    expect(sidesOf(mixed)).toEqual([32]);
    expect(sizesOf(mixed)).toEqual([
      [16, 16],
      [16, 32],
      [32, 32],
    ]);
  });

  test.each([
    [
      { how: 'full', of: 32, share: 1 },
      'views[0].of: expected none of a full view, got 32; leave it out',
    ],
    [
      { how: 'full', size: 18, share: 1 },
      'views[0]: expected sides that are multiples of the patch (4), got 18',
    ],
    [
      { how: 'rows', size: 32, of: 16, share: 1 },
      'views[0].of: expected a side of at least 32 to take the view from, got 16',
    ],
    [{ how: 'full', share: 1, batch: 9 }, "views[0].batch: expected at most the run's (8), got 9"],
  ])('%j is refused', (one, sentence) => {
    expect(() => viewsOf(config([one]), PATCH)).toThrow(sentence);
  });

  test('steps without a view are refused', () => {
    const stages = [
      { how: 'full', share: 1, until: 4 },
      { how: 'full', size: 32, share: 1, from: 6 },
    ];
    expect(() => viewsOf(config(stages), PATCH)).toThrow(
      "views: expected one for every step, got none for step 5; change 'from' and 'until'",
    );
  });

  test('an unknown way to see is refused by the schema', () => {
    expect(() => config([{ how: 'zoom', share: 1 }])).toThrow(/views/);
  });
});
