import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CacheOptions, openPictures } from '../../../training/data/picture-cache.ts';
import { boxAverage, rasterise } from '../../../training/data/rasterise.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'pictures-'));
});
afterEach(() => rm(cache, { recursive: true }));

const SIZE = 2;
const COUNT = 600;
const picture = (i: number) =>
  Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, k) => (7 * i + k) % 256);

/** A made-up data set; `failAt` throws at that picture, `drawn` counts. */
function madeUp({ failAt = -1, configuration = 'a' as unknown } = {}) {
  const drawn: number[] = [];
  const options: CacheOptions = {
    cache,
    name: 'made-up',
    size: SIZE,
    vocabulary: ['a=0', 'a=1', 'a=2'],
    configuration,
    sources: () => ({
      pictures: Array.from({ length: COUNT }, (_, i) => ({
        words: [i % 3],
        draw: async () => {
          if (i === failAt) throw new Error('power cut');
          drawn.push(i);
          return picture(i);
        },
      })),
    }),
  };
  return { options, drawn };
}

describe('openPictures', () => {
  test('draws once, then reads', async () => {
    const first = madeUp();
    const data = await openPictures(first.options);
    expect(first.drawn).toHaveLength(COUNT);
    const second = madeUp();
    const again = await openPictures(second.options);
    expect(second.drawn).toEqual([]);
    for (const dataset of [data, again]) {
      expect(dataset).toMatchObject({ name: 'made-up', size: SIZE, length: COUNT, skipped: [] });
      for (const i of [0, 255, 256, 599]) {
        expect(dataset.pixels(i)).toEqual(picture(i));
        expect(dataset.words(i)).toEqual([i % 3]);
      }
    }
  });

  test('another configuration is another cache', async () => {
    await openPictures(madeUp().options);
    const other = madeUp({ configuration: 'b' });
    await openPictures(other.options);
    expect(other.drawn).toHaveLength(COUNT);
  });

  test('goes on where it was interrupted, with the same bytes', async () => {
    await expect(openPictures(madeUp({ failAt: 300 }).options)).rejects.toThrow('power cut');
    const [folder] = await readdir(cache);
    expect(await readdir(join(cache, folder!))).toEqual(['pixels.partial']);
    await truncate(join(cache, folder!, 'pixels.partial'), 100 * SIZE * SIZE * 3 + 5); // torn in picture 100

    const resumed = madeUp();
    const data = await openPictures(resumed.options);
    expect(Math.min(...resumed.drawn)).toBe(100);
    for (let i = 0; i < COUNT; i++) expect(data.pixels(i)).toEqual(picture(i));
  });

  test('of two at once one draws and the other waits', async () => {
    const [first, second] = [madeUp(), madeUp()];
    const data = await Promise.all([openPictures(first.options), openPictures(second.options)]);
    expect([first.drawn.length, second.drawn.length].sort()).toEqual([0, COUNT]);
    for (const dataset of data) expect(dataset.pixels(599)).toEqual(picture(599));
    const [folder] = await readdir(cache);
    expect((await readdir(join(cache, folder!))).sort()).toEqual(['header.json', 'pixels.u8']);
  });

  test('refuses a damaged cache and an index outside', async () => {
    const data = await openPictures(madeUp().options);
    expect(() => data.pixels(COUNT)).toThrow('expected an index from 0 to 599, got 600');
    expect(() => data.words(-1)).toThrow('expected an index from 0 to 599, got -1');
    const [folder] = await readdir(cache);
    const path = join(cache, folder!, 'pixels.u8');
    await writeFile(path, (await readFile(path)).subarray(0, 30));
    await expect(openPictures(madeUp().options)).rejects.toThrow(
      'expected 600 pictures of 7200 bytes in all, got 30 bytes',
    );
  });
});

describe('rasterise', () => {
  test('box averages are means rounded half up', () => {
    const pixels = Uint8Array.from([0, 10, 255, 1, 10, 255, 1, 10, 255, 0, 13, 254]); // 2 x 2
    expect([...boxAverage(pixels, 2, 2)]).toEqual([1, 11, 255]); // 0.5, 10.75, 254.75
  });

  test('blocks do not mix', () => {
    const side = 8;
    const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) =>
      Math.floor((i / 3) % side) < 4 ? 200 : 40,
    );
    expect([...boxAverage(pixels, side, 4)]).toEqual([
      200, 200, 200, 40, 40, 40, 200, 200, 200, 40, 40, 40,
    ]);
  });

  test('a half-covered pixel is half the colour over the background', async () => {
    const svg = (side: number) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 4 4"><rect width="1.5" height="4" fill="#f00"/></svg>`;
    const pixels = await rasterise(svg, 4, '#ffffff');
    expect([...pixels.subarray(0, 9)]).toEqual([255, 0, 0, 255, 128, 128, 255, 255, 255]);
  });
});
