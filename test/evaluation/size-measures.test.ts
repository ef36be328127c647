/** What vector truth allows: a drawing at any size is the same drawing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareSizes } from '../../evaluation/consistency.ts';
import { compareDuplication, duplicationScore } from '../../evaluation/duplication.ts';
import { compareFigures, figurePlace } from '../../evaluation/figure-place.ts';
import { picturesOf } from '../../evaluation/reader-files.ts';
import { openAvatarDrawings } from '../../evaluation/resolution/reference.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';
import { openAvatars } from '../../training/data/avatars.ts';

const rng = createRng(1);
let folder: string;
let real: Picture[];
let half: Picture[];
let larger: Picture[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sizes-'));
  const drawings = async (size: number) =>
    picturesOf(await openAvatars({ size, count: 24, split: 'validation', cache: folder }));
  [real, half, larger] = [await drawings(64), await drawings(32), await drawings(96)];
}, 30_000);
afterAll(() => rm(folder, { recursive: true }));

/** A picture repeated down and across. */
function tiled({ data, width, height }: Picture, down: number, across: number): Picture {
  const out = {
    data: new Uint8Array(data.length * down * across),
    width: width * across,
    height: height * down,
  };
  for (let at = 0; at < out.data.length / 3; at++) {
    const [y, x] = [Math.floor(at / out.width) % height, (at % out.width) % width];
    out.data.set(data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3), 3 * at);
  }
  return out;
}

/** A picture on a larger white canvas. */
function placed(
  { data, width, height }: Picture,
  canvas: number,
  top: number,
  left: number,
): Picture {
  const out = {
    data: new Uint8Array(canvas * canvas * 3).fill(255),
    width: canvas,
    height: canvas,
  };
  for (let y = 0; y < height; y++)
    out.data.set(
      data.subarray(3 * y * width, 3 * (y + 1) * width),
      3 * ((top + y) * canvas + left),
    );
  return out;
}

describe('drawings of a comparison', () => {
  it('are made once, when they are asked for, and a few of a size that is only looked at', async () => {
    const sizes = [16, 24].map((side) => ({ width: side, height: side }));
    const wide = { width: 24, height: 16 };
    const options = { sizes, sheetSizes: [{ width: 32, height: 32 }], count: 9, cache: folder };
    const drawings = await openAvatarDrawings(options);
    const unmade = (all: Size[]) => Promise.all(all.map(drawings.unmade));
    expect(await unmade([...sizes, wide, options.sheetSizes[0]!])).toEqual([0, 9, 0, 4]);
    const [all, few] = [await drawings.at(sizes[1]!), await drawings.few(sizes[1]!, 3)];
    expect(all).toHaveLength(9);
    expect(few).toEqual(all.slice(0, 3));
    expect(await drawings.at(options.sheetSizes[0]!)).toHaveLength(4);
    expect(await unmade([...sizes, options.sheetSizes[0]!])).toEqual([0, 0, 0]);
    expect((await drawings.at(wide)).map(({ width, height }) => [width, height])).toContainEqual([
      24, 16,
    ]);
  });
});

describe('duplication', () => {
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

  it.each([
    [2, 2],
    [2, 1],
    [1, 2],
    [1, 3],
  ])('is high in drawings repeated %i times down and %i across', (down, across) => {
    const scores = half.map((picture) => duplicationScore(tiled(picture, down, across)));
    expect(Math.min(...scores)).toBeGreaterThan(0.7); // 1 but for the means at the border
  });

  it('is low in the drawings themselves, at every size', () => {
    const [at64, at96] = [real.map(duplicationScore), larger.map(duplicationScore)];
    expect(median(at64)).toBeLessThan(0.35);
    expect(median(at96)).toBeLessThan(0.35);
    expect(duplicationScore({ data: new Uint8Array(300).fill(9), width: 10, height: 10 })).toBe(0);
  });

  it('does not take a mirror image for a copy', () => {
    const mirrored = half.map((picture) => {
      const { data, width, height } = tiled(picture, 1, 2);
      const out = data.slice();
      for (let y = 0; y < height; y++)
        for (let x = 32; x < width; x++)
          out.set(
            data.subarray(3 * (y * width + 63 - x), 3 * (y * width + 64 - x)),
            3 * (y * width + x),
          );
      return duplicationScore({ data: out, width, height });
    });
    expect(median(mirrored)).toBeLessThan(0.7);
  });

  it('is compared with real drawings of the same conditions', () => {
    const copies = half.map((picture) => tiled(picture, 2, 2));
    const [repeated, once] = [copies, real].map((side) => side.map(duplicationScore));
    const { difference, generated } = compareDuplication(repeated!, once!, rng);
    expect(difference.low).toBeGreaterThan(0.5);
    expect(generated.value).toBeGreaterThan(0.9);
    expect(compareDuplication(once!, once!, rng).difference.value).toBe(0);
  });
});

describe('the figure of a picture', () => {
  it('is where it was put, and as large', () => {
    const square = { data: new Uint8Array(8 * 8 * 3), width: 8, height: 8 };
    const found = figurePlace(placed(square, 32, 4, 16))!;
    expect(found.y).toBeCloseTo((8 - 16) / 32, 12);
    expect(found.x).toBeCloseTo((20 - 16) / 32, 12);
    // Of 8 x 8 pixels: sqrt(2 (8^2 - 1) / 12) pixels.
    expect(found.spread).toBeCloseTo(Math.sqrt((2 * 63) / 12) / 32, 12);
    expect(
      figurePlace({ data: new Uint8Array(12).fill(255), width: 2, height: 2 }),
    ).toBeUndefined();
  });

  it('is the same in a drawing of any size, and found moved and shrunk', () => {
    const places = (pictures: readonly Picture[]) => pictures.map(figurePlace);
    const same = compareFigures(places(larger), places(real), rng);
    expect(same.apart.value).toBeLessThan(0.003);
    expect(same.spread.value).toBeCloseTo(1, 2);
    const corner = half.map((picture) => placed(picture, 64, 0, 0));
    const aside = compareFigures(places(corner), places(real), rng);
    expect(aside.apart.low).toBeGreaterThan(0.2);
    expect(aside.spread.high).toBeLessThan(0.6);
    expect(aside.otherwise.value).toBeLessThan(0.15);
  });
});

describe('consistency across sizes', () => {
  it('is near 0 for drawings and 1 for pictures that have nothing to do with each other', () => {
    expect(compareSizes(larger, real, rng).ratio.value).toBeLessThan(0.1);
    const others = [...larger.slice(7), ...larger.slice(0, 7)];
    const { ratio } = compareSizes(others, real, rng);
    expect(ratio.low).toBeLessThan(1);
    expect(ratio.high).toBeGreaterThan(0.9);
    expect(() => compareSizes(larger, real.slice(1), rng)).toThrow('expected as many pictures');
  });

  it('looks at the middle square of pictures of other proportions', () => {
    const framed = real.map(({ data, width, height }) => {
      const out = new Uint8Array(2 * data.length).fill(255);
      out.set(data, data.length / 2);
      return { data: out, width, height: 2 * height };
    });
    expect(compareSizes(framed, real, rng).same.value).toBe(0);
  });
});
