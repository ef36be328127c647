import { describe, expect, test } from 'vitest';
import { decodePicture, type Picture } from '../../png.ts';
import { drawSheet } from '../../web/sheet.ts';
import { arrangeSheet, layOutSheet } from '../../web/sheet-layout.ts';

const axis = (name: string, ...values: string[]) => ({ name, values });
const axes = [axis('z', 'p', 'q'), axis('y', '1', '2', '3'), axis('x', 'a', 'b')];

function flat(
  width: number,
  height: number,
  [r, g, b]: readonly [number, number, number],
): Picture {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => [r, g, b][i % 3]!);
  return { data, width, height };
}
const pixel = ({ data, width }: Picture, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('arrangeSheet', () => {
  /** Cells of all sections, row by row. */
  const cellsOf = (choice: object) =>
    arrangeSheet(axes, choice).sections.map(({ cell, rows, columns }) =>
      rows.map((row) => columns.map((column) => cell + row.cell + column.cell)),
    );

  test('puts the last axis across, the one before down, a section for each value of the rest', () => {
    expect(cellsOf({})).toEqual([
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
      [
        [6, 7],
        [8, 9],
        [10, 11],
      ],
    ]);
    expect(arrangeSheet(axes, {})).toMatchObject({ subtitle: 'x across, y down' });
    expect(arrangeSheet(axes, {}).sections.map(({ text }) => text)).toEqual(['z: p', 'z: q']);
  });

  test('takes other axes where they are asked for', () => {
    expect(cellsOf({ x: 'y', y: 'z' })).toEqual([
      [
        [0, 2, 4],
        [6, 8, 10],
      ],
      [
        [1, 3, 5],
        [7, 9, 11],
      ],
    ]);
    const { sections } = arrangeSheet([axis('w', '5', '6'), ...axes], { z: 'z' });
    expect(sections.map(({ text }) => text)).toEqual([
      'z: p, w 5',
      'z: p, w 6',
      'z: q, w 5',
      'z: q, w 6',
    ]);
  });

  test('says what a number is of', () => {
    const [section] = arrangeSheet(
      [axis('prompt', 'red hair', '7'), axis('steps', '8', '1.5')],
      {},
    ).sections;
    expect(section!.columns.map(({ text }) => text)).toEqual(['steps 8', 'steps 1.5']);
    expect(section!.rows.map(({ text }) => text)).toEqual(['red hair', '7']);
  });

  test('breaks a single axis into rows', () => {
    const { sections } = arrangeSheet([axis('seed', ...Array.from({ length: 10 }, String))], {});
    expect(sections.map(({ columns }) => columns.length)).toEqual([8, 2]);
  });
});

describe('layOutSheet', () => {
  const long = 'a prompt of many words that goes on and on, far beyond what a label has room for';

  test('keeps cells apart, and labels inside, however long they are', () => {
    for (const values of [['1'], [long, 'b'], [long.replaceAll(' ', '')]])
      for (const side of [24, 64, 300]) {
        const { sections, subtitle } = arrangeSheet(
          [axis('y', ...values), axis('x', ...values)],
          {},
        );
        const cell = { width: side, height: side };
        const layout = layOutSheet(sections, cell, { title: long, subtitle });
        for (const { x, y } of layout.cells) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x + side).toBeLessThanOrEqual(layout.width);
          expect(y + side).toBeLessThanOrEqual(layout.height);
        }
        for (const [i, a] of layout.cells.entries())
          for (const b of layout.cells.slice(i + 1))
            expect(Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y))).toBeGreaterThanOrEqual(side);
        for (const { text, x, anchor = 'start' } of layout.labels) {
          const width = text.length * 7.8;
          const left = x - { start: 0, middle: width / 2, end: width }[anchor];
          expect(left, text).toBeGreaterThanOrEqual(-1);
          expect(left + width, text).toBeLessThanOrEqual(layout.width + 1);
        }
      }
  });
});

describe('drawSheet', () => {
  const colour = (cell: number) => [20 * cell, 255 - 20 * cell, 100] as const;

  test('shows each picture where its values meet, larger where it is small', async () => {
    const sheet = await decodePicture(
      await drawSheet({
        ...{ title: 'colours', axes, cell: { width: 64, height: 64 } },
        pictureAt: async (cell) => flat(64, 64, colour(cell)),
      }),
    );
    const { sections, subtitle } = arrangeSheet(axes, {});
    const layout = layOutSheet(
      sections,
      { width: 192, height: 192 },
      { title: 'colours', subtitle },
    );
    expect([sheet.width, sheet.height]).toEqual([layout.width, layout.height]);
    for (const { cell, x, y } of layout.cells)
      for (const [dx, dy] of [
        [0, 0],
        [191, 191],
        [96, 3],
      ] as const)
        expect(pixel(sheet, x + dx, y + dy)).toEqual(colour(cell));
  });

  test('writes why a picture is missing, and takes mark-up in labels for text', async () => {
    const evil = '<script>alert(1)</script>&"\u0007';
    const draw = (pictureAt: () => Promise<Picture | string>) =>
      drawSheet({
        title: evil,
        axes: [axis(evil, evil)],
        cell: { width: 32, height: 16 },
        pictureAt,
      });
    const sheet = await decodePicture(await draw(async () => evil));
    const grey = sheet.data.filter((byte) => byte === 0xdd).length;
    expect(grey).toBeGreaterThan(192 * 96); // three bytes a pixel, less the text
  });

  test('shrinks what would be too large, and refuses what nobody could see', async () => {
    const draw = (n: number, side: number) =>
      drawSheet({
        title: 'many',
        axes: [
          axis('y', ...Array.from({ length: n }, String)),
          axis('x', ...Array.from({ length: n }, String)),
        ],
        cell: { width: side, height: side },
        pixels: 2 ** 20,
        pictureAt: async () => flat(side, side, [9, 9, 9]),
      });
    const { width, height } = await decodePicture(await draw(3, 512));
    expect(width * height).toBeLessThanOrEqual(2 ** 20);
    expect(width).toBeGreaterThan(400);
    await expect(draw(50, 512)).rejects.toThrow('expected at most about 1274 cells, got 2500');
  });
});
