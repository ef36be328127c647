import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  contactSheet,
  decodePicture,
  encodePng,
  fromPicture,
  halfBlocks,
  type Picture,
  readRecipe,
  toPicture,
} from '../png.ts';
import { readText } from '../png-chunks.ts';
import { createRng } from '../tensor/rng.ts';

function randomPicture(width: number, height: number, seed = 1): Picture {
  const rng = createRng(seed);
  return {
    data: Uint8Array.from({ length: width * height * 3 }, () => rng.integer(256)),
    width,
    height,
  };
}

function flat(width: number, height: number, colour: readonly [number, number, number]): Picture {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]!);
  return { data, width, height };
}

const pixel = ({ data, width }: Picture, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

/** A chunk as the specification draws it, with a right or a given checksum. */
function chunk(
  type: string,
  data: Uint8Array,
  { sum, length = data.length }: { sum?: number; length?: number } = {},
) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [first, last] = [Buffer.alloc(4), Buffer.alloc(4)];
  first.writeUInt32BE(length);
  last.writeUInt32BE(sum ?? crc32(body));
  return Buffer.concat([first, body, last]);
}

const HEADER_END = 8 + 25;
const plain = encodePng(flat(2, 2, [1, 2, 3]));
const withChunks = async (...chunks: Buffer[]) => {
  const file = await plain;
  return Buffer.concat([file.subarray(0, HEADER_END), ...chunks, file.subarray(HEADER_END)]);
};
const latin = (text: string) => Buffer.from(text, 'latin1');

describe('toPicture and fromPicture', () => {
  test('map [-1, 1] to bytes, clip, and are inverse on bytes', () => {
    const values = Float32Array.of(-1, 0, 1, -7, 7, 1 / 255);
    expect([...toPicture(values, { width: 2, height: 1 }).data]).toEqual([
      0, 128, 255, 0, 255, 128,
    ]);
    const picture = { data: Uint8Array.from({ length: 768 }, (_, i) => i), width: 16, height: 16 };
    expect(toPicture(fromPicture(picture), picture)).toEqual(picture);
  });

  test('refuse NaN and a wrong length', () => {
    const size = { width: 1, height: 1 };
    expect(() => toPicture(Float32Array.of(0, Number.NaN, 0), size)).toThrow(/got NaN at index 1$/);
    expect(() => toPicture(new Float32Array(4), size)).toThrow(
      /expected 3 values for 1 x 1 pixels, got 4$/,
    );
  });
});

describe('encodePng', () => {
  const recipe = { seed: 7, text: 'größer\nthan “this”', nested: [1, { a: null }] };

  test('keeps every pixel, with and without a recipe, and the same input gives the same bytes', async () => {
    const picture = randomPicture(17, 9);
    expect(await decodePicture(await encodePng(picture))).toEqual(picture);
    const file = await encodePng(picture, { recipe, parameters: 'a\nSteps: 2' });
    expect(await decodePicture(file)).toEqual(picture);
    expect(await encodePng(picture, { recipe, parameters: 'a\nSteps: 2' })).toEqual(file);
  });

  test('carries recipe and parameters, which libvips finds too', async () => {
    const file = await encodePng(randomPicture(3, 3), {
      recipe,
      parameters: 'red hair\nSteps: 25',
    });
    expect(readRecipe(file)).toEqual(recipe);
    expect(readText(file)).toEqual({
      parameters: 'red hair\nSteps: 25',
      ropewalk: JSON.stringify(recipe),
    });
    const { comments } = await sharp(file).metadata();
    expect(comments).toContainEqual({ keyword: 'parameters', text: 'red hair\nSteps: 25' });
    expect(comments).toContainEqual({ keyword: 'ropewalk', text: JSON.stringify(recipe) });
  });

  test('has no recipe where none was given', async () => {
    expect(readRecipe(await plain)).toBeUndefined();
    expect(readText(await plain)).toEqual({});
  });

  test('any text survives, newlines and all of Unicode', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((t) => !t.includes('\0'));
    await fc.assert(
      fc.asyncProperty(text, async (parameters) => {
        expect(readText(await encodePng(flat(1, 1, [0, 0, 0]), { parameters }))).toEqual({
          parameters,
        });
      }),
      { numRuns: 50, examples: [['a\r\nb\tc'], ['é'], ['日本 🪢']] },
    );
  });

  test('refuses NUL in text', async () => {
    await expect(encodePng(flat(1, 1, [0, 0, 0]), { parameters: 'a\0b' })).rejects.toThrow(
      /without NUL/,
    );
  });
});

describe('readText', () => {
  test('reads the three kinds of chunk; the first of a keyword counts', async () => {
    const file = await withChunks(
      chunk('tEXt', latin('a\0caf\xe9')),
      chunk('zTXt', Buffer.concat([latin('b\0\0'), deflateSync(latin('packed\xe9'))])),
      chunk(
        'iTXt',
        Buffer.concat([
          latin('c\0\x01\0de\0'),
          Buffer.from('ü\0'),
          deflateSync(Buffer.from('日本')),
        ]),
      ),
      chunk('iTXt', Buffer.concat([latin('d\0\0\0\0\0'), Buffer.from('🪢')])),
      chunk('tEXt', latin('a\0again')),
      chunk('tEXt', latin('__proto__\0x')),
      chunk('quIt', latin('no text')),
    );
    const texts = readText(file);
    expect(Object.entries(texts)).toEqual([
      ['a', 'café'],
      ['b', 'packedé'],
      ['c', '日本'],
      ['d', '🪢'],
      ['__proto__', 'x'],
    ]);
  });

  const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024)); // 64 MB in 64 kB

  test.each([
    ['a zTXt that unpacks to 64 MB', [chunk('zTXt', Buffer.concat([latin('a\0\0'), bomb]))]],
    ['an iTXt that does', [chunk('iTXt', Buffer.concat([latin('a\0\x01\0\0\0'), bomb]))]],
    [
      'ten that unpack to 1 MB each',
      Array.from({ length: 10 }, (_, i) =>
        chunk('zTXt', Buffer.concat([latin(`k${i}\0\0`), deflateSync(Buffer.alloc(2 ** 20))])),
      ),
    ],
    [
      '9 MB without compression',
      [chunk('tEXt', Buffer.concat([latin('a\0'), Buffer.alloc(9e6, 'x')]))],
    ],
  ])('stops at %s', async (_, chunks) => {
    const file = await withChunks(...chunks);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => readText(file)).toThrow(
      /^picture: expected at most 8388608 bytes of text .* once unpacked$/,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40e6);
  });

  test.each([
    [
      'a wrong checksum',
      chunk('tEXt', latin('a\0b'), { sum: 1 }),
      /"tEXt" at byte 33 to match its CRC/,
    ],
    [
      'a length beyond the file',
      chunk('tEXt', latin('a\0b'), { length: 2 ** 31 }),
      /expected 2147483648 bytes .* truncated$/,
    ],
    [
      'no NUL after the keyword',
      chunk('tEXt', latin('ab')),
      /keyword, NUL and text in PNG chunk tEXt/,
    ],
    [
      'no NUL in an iTXt',
      chunk('iTXt', latin('a\0\0\0de')),
      /keyword, NUL and text in PNG chunk iTXt/,
    ],
    ['an empty zTXt', chunk('zTXt', latin('a\0')), /compressed text .* damaged data$/],
    [
      'damaged compressed text',
      chunk('zTXt', latin('a\0\0not zlib')),
      /compressed text .* damaged data$/,
    ],
    [
      'a name that is no text',
      chunk('\x1b[2J', latin(''), { sum: 5 }),
      /chunk "\\u001b\[2J" at byte 33/,
    ],
  ])('one sentence for %s', async (_, damaged, message) => {
    const file = await withChunks(damaged);
    expect(() => readText(file)).toThrow(message);
  });

  test('a file cut anywhere, and one that is no PNG', async () => {
    const file = await encodePng(flat(2, 2, [1, 2, 3]), { recipe: { a: 1 } });
    for (let end = 0; end < file.length; end++)
      expect(() => readText(file.subarray(0, end))).toThrow(/^picture: expected/);
    expect(() => readText(latin('GIF89a'))).toThrow(
      'picture: expected a PNG file, got other bytes',
    );
  });

  test('a recipe that is no JSON', async () => {
    const file = await withChunks(chunk('iTXt', latin('ropewalk\0\0\0\0\0{"a":')));
    expect(() => readRecipe(file)).toThrow('picture: expected a recipe in JSON, got damaged text');
  });

  test('reads a view into a larger buffer', async () => {
    const file = await encodePng(flat(1, 1, [0, 0, 0]), { parameters: 'x' });
    const view = new Uint8Array(Buffer.concat([latin('junk'), file, latin('junk')])).subarray(4);
    expect(readText(view)).toEqual({ parameters: 'x' });
  });
});

describe('decodePicture', () => {
  const source = sharp({ create: { width: 6, height: 4, channels: 4, background: '#ff000080' } });

  test('reads PNG, JPEG and WebP; transparency shows the background', async () => {
    const png = await decodePicture(await source.clone().png().toBuffer());
    expect(pixel(png, 0, 0)).toEqual([255, 127, 127].map((v) => expect.closeTo(v, -0.5)));
    const black = await decodePicture(await source.clone().png().toBuffer(), {
      background: '#000000',
    });
    expect(pixel(black, 0, 0)).toEqual([128, 0, 0].map((v) => expect.closeTo(v, -0.5)));
    for (const file of [source.clone().jpeg(), source.clone().webp()])
      expect(await decodePicture(await file.toBuffer())).toMatchObject({ width: 6, height: 4 });
  });

  test('greyscale and 16-bit files become 8-bit RGB', async () => {
    const grey = await sharp(Buffer.from([0, 128, 255, 64]), {
      raw: { width: 2, height: 2, channels: 1 },
    })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect([...(await decodePicture(grey)).data]).toEqual([
      0, 0, 0, 128, 128, 128, 255, 255, 255, 64, 64, 64,
    ]);
    const deep = await sharp(await plain)
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    expect(await decodePicture(deep)).toEqual(flat(2, 2, [1, 2, 3]));
  });

  test('a picture turned by EXIF stands upright', async () => {
    const turned = await sharp(randomPicture(6, 4).data, {
      raw: { width: 6, height: 4, channels: 3 },
    })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    expect(await decodePicture(turned)).toMatchObject({ width: 4, height: 6 });
  });

  test('refuses too many pixels before it unpacks them', async () => {
    const file = await sharp({
      create: { width: 3000, height: 3000, channels: 3, background: '#fff' },
    })
      .png()
      .toBuffer();
    await expect(decodePicture(file, { maxPixels: 8_999_999 })).rejects.toThrow(
      /^picture: expected a whole picture of at most 8999999 pixels, got: .*pixel limit/,
    );
    expect(await decodePicture(file, { maxPixels: 9_000_000 })).toMatchObject({ width: 3000 });
  });

  test.each(['<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>', 'GIF89a', ''])(
    'refuses %j',
    async (text) => {
      await expect(decodePicture(latin(text))).rejects.toThrow(/expected a PNG, JPEG or WebP file/);
    },
  );

  test('refuses half a picture', async () => {
    const file = await encodePng(randomPicture(40, 40));
    await expect(decodePicture(file.subarray(0, file.length >> 1))).rejects.toThrow(
      /^picture: expected a whole picture/,
    );
  });
});

describe('contactSheet', () => {
  const red = flat(4, 4, [255, 0, 0]);
  const small = flat(2, 2, [0, 0, 255]);

  test('places pictures row by row, in the middle of equal cells', async () => {
    const sheet = await contactSheet([red, small, red], {
      columns: 2,
      gap: 1,
      background: '#00ff00',
    });
    expect(sheet).toMatchObject({ width: 1 + 2 * 5, height: 1 + 2 * 5 });
    expect(pixel(sheet, 0, 0)).toEqual([0, 255, 0]);
    expect(pixel(sheet, 1, 1)).toEqual([255, 0, 0]);
    expect(pixel(sheet, 6, 1)).toEqual([0, 255, 0]);
    expect(pixel(sheet, 7, 2)).toEqual([0, 0, 255]);
    expect(pixel(sheet, 9, 2)).toEqual([0, 255, 0]);
    expect(pixel(sheet, 1, 6)).toEqual([255, 0, 0]);
    expect(pixel(sheet, 6, 6)).toEqual([0, 255, 0]);
  });

  test('draws labels beside and above, on light and dark ground', async () => {
    const tile = flat(64, 64, [200, 0, 0]);
    const labels = {
      rowLabels: ['a <b> & "c"', 'Größe\u0000'],
      columnLabels: ['seed 1', 'a very long label indeed'],
    };
    const plainSheet = await contactSheet([tile, tile, tile, tile], { columns: 2 });
    for (const background of ['#ffffff', '#101010']) {
      const sheet = await contactSheet([tile, tile, tile, tile], {
        columns: 2,
        background,
        ...labels,
      });
      const [dx, dy] = [sheet.width - plainSheet.width, sheet.height - plainSheet.height];
      expect(dx).toBeGreaterThan(40);
      expect(dy).toBeGreaterThan(10);
      const inked = (x0: number, y0: number, x1: number, y1: number) => {
        let count = 0;
        for (let y = y0; y < y1; y++)
          for (let x = x0; x < x1; x++)
            if (Math.abs(pixel(sheet, x, y)[0]! - Number.parseInt(background.slice(1, 3), 16)) > 60)
              count++;
        return count;
      };
      expect(inked(0, dy, dx, sheet.height)).toBeGreaterThan(50);
      expect(inked(dx, 0, sheet.width, dy)).toBeGreaterThan(50);
      expect(inked(0, 0, dx, dy)).toBe(0);
      expect(pixel(sheet, dx + 2, dy + 2)).toEqual([200, 0, 0]); // labels do not cover pictures
    }
  });

  test('refuses nothing, no columns and an unknown colour', async () => {
    await expect(contactSheet([], { columns: 1 })).rejects.toThrow(/got 0 and 1$/);
    await expect(contactSheet([red], { columns: 0 })).rejects.toThrow(/got 1 and 0$/);
    await expect(contactSheet([red], { columns: 1, background: 'red"/><script>' })).rejects.toThrow(
      /colour like/,
    );
  });
});

describe('halfBlocks', () => {
  test('shows two pixels a character', () => {
    const picture = {
      data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
      width: 2,
      height: 2,
    };
    expect(halfBlocks(picture, 80)).toBe(
      '\u001b[38;2;1;2;3;48;2;7;8;9m▀\u001b[38;2;4;5;6;48;2;10;11;12m▀\u001b[0m\n',
    );
  });

  test('takes means when it must shrink', () => {
    const picture = { ...flat(4, 4, [0, 0, 0]) };
    picture.data.fill(200, 0, 6); // two pixels of the upper left quarter
    expect(halfBlocks(picture, 2)).toContain('38;2;100;100;100');
    expect(halfBlocks(picture, 2).split('\n')).toHaveLength(2);
  });

  test.each([
    [7, 5, 3],
    [1, 9, 4],
    [64, 64, 31],
    [3, 1, 80],
  ])('%d x %d in %d columns', (width, height, columns) => {
    const text = halfBlocks(flat(width, height, [9, 8, 7]), columns);
    const lines = text.trimEnd().split('\n');
    for (const line of lines) expect(line.match(/▀/g)).toHaveLength(Math.min(width, columns));
    expect(new Set(text.match(/\d+;\d+;\d+(?=;48|m)/g))).toEqual(new Set(['9;8;7']));
  });
});
