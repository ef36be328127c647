/** Decoders side by side as a picture: a row each, with passes and seconds as bars in the colour of what it promises. */
import type { Property } from '../sampling/tokens/decoder.ts';
import { escapeText, PRINT } from './charts.ts';
import type { DecoderRow } from './decoding.ts';

const ROW = 20;
const NAMES = 250;
const BAR = 220;
const GAP = 70;
const TOP = 52;
const COLOR: Record<Property, string> = {
  identical: PRINT.series[0]!,
  lossless: PRINT.series[2]!,
  approximate: PRINT.series[3]!,
};

/** Bars are as long as their share of the largest; `about` stands above them. */
export function decodingChart(rows: readonly DecoderRow[], about: string): string {
  const columns = [
    { title: 'passes', of: (row: DecoderRow) => row.passes, digits: 0 },
    { title: 'seconds', of: (row: DecoderRow) => row.seconds, digits: 2 },
  ];
  const [width, height] = [NAMES + columns.length * (BAR + GAP), TOP + rows.length * ROW + 12];
  const text = (x: number, y: number, content: string, more = '') =>
    `<text x="${x}" y="${y}" ${more}>${escapeText(content)}</text>`;
  const bars = columns.flatMap(({ title, of, digits }, column) => {
    const left = NAMES + column * (BAR + GAP);
    const most = Math.max(...rows.map(of));
    return [
      text(left, TOP - 8, title, 'font-weight="bold"'),
      ...rows.flatMap((row, i) => {
        const [value, y] = [of(row), TOP + i * ROW];
        const length = (BAR * value) / most;
        return [
          `<rect x="${left}" y="${y + 3}" width="${length.toFixed(1)}" height="${ROW - 6}" fill="${COLOR[row.property]}"/>`,
          text(left + length + 5, y + 14, value.toFixed(digits)),
        ];
      }),
    ];
  });
  const names = rows.map((row, i) =>
    text(NAMES - 8, TOP + i * ROW + 14, row.decoder, 'text-anchor="end"'),
  );
  const key = Object.entries(COLOR).map(([property, color], i) => {
    const x = NAMES + i * 110;
    return `<rect x="${x}" y="10" width="10" height="10" fill="${color}"/>${text(x + 15, 19, property)}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${PRINT.ink}">`,
    `<rect width="${width}" height="${height}" fill="${PRINT.paper}"/>`,
    text(8, 19, about),
    ...[...key, ...names, ...bars],
    '</svg>',
    '',
  ].join('\n');
}
