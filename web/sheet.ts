/**
 * The pictures of a grid beside the values of its axes, as one PNG: one axis across, one down, a section
 * for each combination of the others. A cell without a picture says why.
 */
import { blank, encodeDrawnOver, escapeXml, type Picture, paste, resizePicture } from '../png.ts';
import {
  arrangeSheet,
  cut,
  FONT,
  type Label,
  layOutSheet,
  type Section,
  type SheetAxis,
  type SheetChoice,
  type Size,
} from './sheet-layout.ts';

export type SheetOptions = SheetChoice & {
  readonly title: string;
  /** In the order of the grid, the last one turning fastest. */
  readonly axes: readonly SheetAxis[];
  /** Of the largest picture. */
  readonly cell: Size;
  /** Of the sheet, at most about this many. Default: 16 million. */
  readonly pixels?: number;
  /** The picture of a combination by its number, or in a word why there is none. */
  readonly pictureAt: (cell: number) => Promise<Picture | string>;
};

/** Not white, which pictures often are at their edges. */
const BACKGROUND = '#f1f1f1';
/** Small pictures are shown larger, up to this side. */
const SHOWN = 192;
const SMALLEST = 24;

export async function drawSheet(options: SheetOptions): Promise<Buffer> {
  const { title, axes, cell, pictureAt, pixels = 2 ** 24 } = options;
  const { sections, subtitle } = arrangeSheet(axes, options);
  const scale = scaleOf(sections, cell, pixels);
  const scaled = ({ width, height }: Size): Size => ({
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  });
  const shown = scaled(cell);
  const layout = layOutSheet(sections, shown, { title, subtitle });
  const sheet = blank(layout.width, layout.height, BACKGROUND);
  const drawings = layout.labels.map(drawLabel);
  for (const { cell, x, y } of layout.cells) {
    const found = await pictureAt(cell);
    if (typeof found === 'string') {
      drawings.push(drawEmpty(found, { ...shown, x, y }));
      continue;
    }
    const kernel = scale < 1 ? 'lanczos3' : 'nearest';
    const size = scaled(found);
    const picture = scale === 1 ? found : await resizePicture(found, { ...size, kernel });
    paste(
      sheet,
      picture,
      x + ((shown.width - size.width) >> 1),
      y + ((shown.height - size.height) >> 1),
    );
  }
  const { width, height } = layout;
  return encodeDrawnOver(
    sheet,
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="${FONT}" fill="#222222">${drawings.join('')}</svg>`,
  );
}

/** A whole factor for small pictures; below 1 where the sheet would be too large. */
function scaleOf(sections: readonly Section[], { width, height }: Size, pixels: number): number {
  const side = Math.max(width, height);
  const wanted = Math.max(1, Math.floor(SHOWN / side));
  const cells = sections.reduce((n, { columns, rows }) => n + columns.length * rows.length, 0);
  const room = Math.sqrt((pixels * 0.7) / (cells * width * height)); // the rest is for labels
  const scale = room >= 1 ? Math.min(wanted, Math.floor(room)) : room;
  if (side * scale >= SMALLEST) return scale;
  const most = Math.floor((pixels * 0.7) / SMALLEST ** 2);
  throw new RangeError(`sheet: expected at most about ${most} cells, got ${cells}; take the zip`);
}

const drawLabel = ({ text, x, y, anchor = 'start', bold = false }: Label) =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}"${bold ? ' font-weight="bold"' : ''}>${escapeXml(text)}</text>`;

const drawEmpty = (why: string, { x, y, width, height }: Size & { x: number; y: number }) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="#dddddd"/>${drawLabel({
    text: cut(why, width / (0.6 * FONT)),
    x: x + width / 2,
    y: y + height / 2 + FONT * 0.35,
    anchor: 'middle',
  })}`;
