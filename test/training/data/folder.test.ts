import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFolder } from '../../../training/data/folder.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'folder-'));
  await mkdir(join(root, 'pictures'));
});
afterEach(() => rm(root, { recursive: true }));

const at = (name: string) => join(root, 'pictures', name);
const open = () =>
  openFolder({ folder: join(root, 'pictures'), size: 8, cache: join(root, 'cache') });

async function paint(name: string, background: string, width = 8, height = 8): Promise<void> {
  await mkdir(join(at(name), '..'), { recursive: true });
  await sharp({ create: { width, height, channels: 4, background } }).toFile(at(name));
}

const colour = (pixels: Uint8Array) => [...pixels.subarray(0, 3)];

describe('class folders', () => {
  test('folder names are classes, in an order of their own', async () => {
    await paint('boats/2.png', '#00f');
    await paint('boats/1.webp', '#0f0');
    await paint('apples/x.png', '#f00');
    await writeFile(at('notes.txt'), 'not a picture');
    const data = await open();
    expect(data.vocabulary).toEqual(['class=apples', 'class=boats']);
    expect([0, 1, 2].map((i) => data.words(i))).toEqual([[0], [1], [1]]);
    expect(colour(data.pixels(0))).toEqual([255, 0, 0]);
    expect(colour(data.pixels(2))).toEqual([0, 0, 255]);
  });

  test('pictures are cut to the centre square; transparent is white; no folders, no words', async () => {
    const [left, middle, right] = await Promise.all(
      ['#f00', '#00f', '#0f0'].map((background) =>
        sharp({ create: { width: 8, height: 8, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    await sharp({ create: { width: 24, height: 8, channels: 3, background: '#000' } })
      .composite([left, middle, right].map((input, i) => ({ input: input!, left: 8 * i, top: 0 })))
      .toFile(at('wide.png'));
    await paint('clear.png', '#ff000000');
    const data = await open();
    expect(data.vocabulary).toEqual([]);
    expect([...new Set(data.pixels(0))]).toEqual([255]);
    expect(
      Array.from({ length: 64 }, (_, i) => [...data.pixels(1).subarray(3 * i, 3 * i + 3)].join()),
    ).toEqual(Array(64).fill('0,0,255'));
  });

  test('a changed picture is read again', async () => {
    await paint('a/1.png', '#f00');
    expect(colour((await open()).pixels(0))).toEqual([255, 0, 0]);
    await paint('a/1.png', '#00ff01', 9, 9);
    expect(colour((await open()).pixels(0))).toEqual([0, 255, 1]);
  });
});

describe('metadata.jsonl', () => {
  test('attributes are words; words of captions that occur twice are words', async () => {
    for (const name of ['1.png', 'deep/2.png', 'unlisted.png']) await paint(name, '#123');
    const lines = [
      {
        file: '1.png',
        caption: 'A red boat, a RED sail',
        attributes: { colour: 'red', wheels: 0 },
      },
      { file_name: 'deep/2.png', caption: 'red Häuser', attributes: { colour: ['blue', 'green'] } },
    ];
    await writeFile(
      at('metadata.jsonl'),
      `${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n`,
    );
    const data = await open();
    expect(data.length).toBe(2);
    const words = (i: number) => data.words(i).map((id) => data.vocabulary[id]);
    expect(words(0)).toEqual(['caption=red', 'colour=red', 'wheels=0']);
    expect(words(1)).toEqual(['caption=red', 'colour=blue', 'colour=green']);
  });

  test.each([
    ['{"file": "1.png"', 'metadata.jsonl line 2: expected {"file": "<picture in this folder>"'],
    ['[]', 'got []'],
    ['{"file": "../1.png"}', 'got file "../1.png", which is no picture here'],
    ['{"caption": "x"}', 'got file undefined'],
    ['{"file": "1.png", "caption": 3}', 'got caption 3'],
    ['{"file": "1.png", "attributes": "red"}', 'got attributes "red"'],
    ['{"file": "1.png", "attributes": {"a": {"b": 1}}}', 'got attribute a {"b":1}'],
  ])('refuses %s', async (line, message) => {
    await paint('1.png', '#123');
    await writeFile(at('metadata.jsonl'), `{"file": "1.png"}\n${line}\n`);
    await expect(open()).rejects.toThrow(message);
  });
});

describe('bad folders', () => {
  test('no folder', async () => {
    const folder = join(root, 'missing');
    await expect(openFolder({ folder, size: 8, cache: root })).rejects.toThrow(
      `expected a folder of pictures, got ${folder}`,
    );
  });

  test('no pictures', async () => {
    await writeFile(at('readme.md'), '');
    await expect(open()).rejects.toThrow(/^folder: expected pictures \(\.png .*\) in .*, got none/);
  });

  test('one unreadable picture in a hundred is named and skipped, also when opened again', async () => {
    const good = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#0f0' } })
      .png()
      .toBuffer();
    await Promise.all(Array.from({ length: 100 }, (_, i) => writeFile(at(`${i}.png`), good)));
    await writeFile(at('50.png'), good.subarray(0, 60)); // cut short
    for (const data of [await open(), await open()]) {
      expect(data.skipped).toEqual(['50.png']);
      expect(data.length).toBe(99);
      for (let i = 0; i < 99; i++) expect(colour(data.pixels(i))).toEqual([0, 255, 0]);
    }
  });

  test('more than one in a hundred stops, and nothing is opened later either', async () => {
    for (let i = 0; i < 20; i++) await paint(`${i}.png`, '#123');
    await writeFile(at('bad.png'), 'not a picture');
    const message =
      'expected at most 1 % unreadable pictures, got 1 of 21 (bad.png); repair or remove them';
    await expect(open()).rejects.toThrow(message);
    await expect(open()).rejects.toThrow(message);
  });
});
