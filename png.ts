/** Pictures: 8-bit RGB in memory, PNG files that carry their recipe, sheets, and a view for terminals. */
import sharp from 'sharp';
import { addText, isPng, readText } from './png-chunks.ts';

export type Picture = {
  /** Rows of RGB, height * width * 3 bytes. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
};

/** Keyword of the chunk that holds the recipe as JSON. */
const RECIPE = 'ropewalk';

/** From [H, W, 3] in [-1, 1], rounded and clipped to bytes. */
export function toPicture(
  values: Float32Array,
  { width, height }: { width: number; height: number },
): Picture {
  if (values.length !== width * height * 3)
    throw new RangeError(
      `toPicture: expected ${width * height * 3} values for ${width} x ${height} pixels, got ${values.length}`,
    );
  const broken = values.findIndex((value) => Number.isNaN(value));
  if (broken >= 0) throw new RangeError(`toPicture: expected numbers, got NaN at index ${broken}`);
  const data = new Uint8ClampedArray(values.length); // rounds and clips
  for (let i = 0; i < values.length; i++) data[i] = (values[i]! + 1) * 127.5;
  return { data: new Uint8Array(data.buffer), width, height };
}

/** To [H, W, 3] in [-1, 1]. */
export const fromPicture = ({ data }: Picture): Float32Array => toFloats(data);

/** Bytes of RGB -> [-1, 1]. */
export function toFloats(pixels: Uint8Array): Float32Array {
  const floats = new Float32Array(pixels.length);
  // Not `Float32Array.from`, which walks an iterator, nine times as long.
  for (let i = 0; i < pixels.length; i++) floats[i] = pixels[i]! / 127.5 - 1;
  return floats;
}

const raw = ({ data, width, height }: Picture) =>
  sharp(data, { raw: { width, height, channels: 3 } });

/** `recipe` is stored as JSON, `parameters` as the text that other tools look for. */
export async function encodePng(
  picture: Picture,
  { recipe, parameters }: { recipe?: unknown; parameters?: string } = {},
): Promise<Buffer> {
  return addText(await raw(picture).png().toBuffer(), {
    ...(parameters !== undefined && { parameters }),
    ...(recipe !== undefined && { [RECIPE]: JSON.stringify(recipe) }),
  });
}

/** A small file of a picture, at most `side` pixels a side: what it looks like so far. */
export const encodePreview = (picture: Picture, side = 128): Promise<Buffer> =>
  raw(picture)
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer();

/** An animated GIF that repeats; frames of one size, `delay` milliseconds each, the last one `rest`. */
export async function encodeGif(
  frames: readonly Picture[],
  { delay = 120, rest = 1500, scale = 1 }: { delay?: number; rest?: number; scale?: number } = {},
): Promise<Buffer> {
  const { width, height } = frames[0]!;
  const data = Buffer.concat(frames.map((frame) => frame.data));
  const pages = frames.length;
  const size = { width, height: height * pages, channels: 3 as const, pageHeight: height };
  return sharp(data, { raw: size, animated: true })
    .resize({ width: width * scale, height: height * scale, kernel: 'nearest' })
    .gif({ delay: frames.map((_, i) => (i === pages - 1 ? rest : delay)), loop: 0 })
    .toBuffer();
}

/** A drawing of our own making as a picture file; not for files of strangers, which may name other files. */
export const svgToPng = (svg: Buffer): Promise<Buffer> => sharp(svg).png().toBuffer();

/** The recipe inside a PNG file, not checked, or undefined where there is none. */
export function readRecipe(file: Uint8Array): unknown {
  const text = readText(file)[RECIPE];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError('picture: expected a recipe in JSON, got damaged text', { cause: error });
  }
}

/** Decodes PNG, JPEG or WebP; transparency shows `background`. Other formats (SVG reads files) are refused. */
export async function decodePicture(
  file: Uint8Array,
  { maxPixels = 2 ** 26, background = '#ffffff' }: { maxPixels?: number; background?: string } = {},
): Promise<Picture> {
  if (!isPng(file) && !isJpeg(file) && !isWebp(file)) throw otherFormat(file);
  try {
    const { data, info } = await sharp(file, { limitInputPixels: maxPixels })
      .autoOrient()
      .flatten({ background })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data: new Uint8Array(data), width: info.width, height: info.height };
  } catch (error) {
    const what = (error as Error).message.split('\n')[0];
    throw new RangeError(
      `picture: expected a whole picture of at most ${maxPixels} pixels, got: ${what}`,
      { cause: error },
    );
  }
}

/** The EXIF block of a JPEG or WebP file, as it is there; only the header is read. */
export async function exifOf(file: Uint8Array): Promise<Uint8Array | undefined> {
  if (!isJpeg(file) && !isWebp(file)) throw otherFormat(file);
  try {
    return (await sharp(file).metadata()).exif;
  } catch (error) {
    throw new RangeError('picture: expected a JPEG or WebP file, got a damaged one', {
      cause: error,
    });
  }
}

/** A small WebP that fits into a square of `size` pixels. The file is one of our own. */
export const encodeThumbnail = (file: Uint8Array, size: number): Promise<Buffer> =>
  sharp(file)
    .resize({ width: size, height: size, fit: 'inside', kernel: 'lanczos3' })
    .webp({ quality: 82 })
    .toBuffer();

/** `nearest` keeps pixels sharp when a picture grows by a whole factor. */
export async function resizePicture(
  picture: Picture,
  {
    width,
    height,
    kernel = 'lanczos3',
  }: { width: number; height: number; kernel?: 'nearest' | 'lanczos3' },
): Promise<Picture> {
  const data = await raw(picture).resize({ width, height, fit: 'fill', kernel }).raw().toBuffer();
  return { data: new Uint8Array(data), width, height };
}

/** A picture file of our own in another format; `quality` from 1 to 100. */
export async function convertPicture(
  file: Uint8Array,
  format: 'jpeg' | 'webp',
  quality: number,
): Promise<Buffer> {
  const picture = sharp(file);
  return (format === 'jpeg' ? picture.jpeg({ quality }) : picture.webp({ quality })).toBuffer();
}

const startsWith = (file: Uint8Array, text: string, at = 0) =>
  Buffer.from(text, 'latin1').equals(file.subarray(at, at + text.length));
const isJpeg = (file: Uint8Array) => startsWith(file, '\xff\xd8\xff');
const isWebp = (file: Uint8Array) => startsWith(file, 'RIFF') && startsWith(file, 'WEBP', 8);

/** What some programs write is named; it is not read, to give strangers' files one decoder less. */
function otherFormat(file: Uint8Array): TypeError {
  const isAvif = startsWith(file, 'ftypavif', 4) || startsWith(file, 'ftypavis', 4);
  const got = isAvif ? 'an AVIF file; convert it first' : 'other bytes';
  return new TypeError(`picture: expected a PNG, JPEG or WebP file, got ${got}`);
}

export type SheetOptions = {
  readonly columns: number;
  /** Pixels between and around the cells. */
  readonly gap?: number;
  /** `#rrggbb`. */
  readonly background?: string;
  readonly rowLabels?: readonly string[];
  readonly columnLabels?: readonly string[];
};

/** Pictures row by row in cells of the largest one's size, each in the middle of its cell. */
export async function contactSheet(
  pictures: readonly Picture[],
  { columns, gap = 2, background = '#ffffff', rowLabels = [], columnLabels = [] }: SheetOptions,
): Promise<Picture> {
  if (pictures.length === 0 || !Number.isInteger(columns) || columns < 1)
    throw new RangeError(
      `contactSheet: expected pictures and at least 1 column, got ${pictures.length} and ${columns}`,
    );
  const width = Math.max(...pictures.map((picture) => picture.width));
  const height = Math.max(...pictures.map((picture) => picture.height));
  const font = Math.max(10, Math.min(18, Math.round(height / 6)));
  const longest = Math.max(0, ...rowLabels.map((label) => label.length));
  const left = gap + (longest > 0 ? Math.ceil(longest * font * GLYPH) + 2 * PAD : 0);
  const top = gap + (columnLabels.length > 0 ? font + 2 * PAD : 0);
  const x = (column: number) => left + column * (width + gap);
  const y = (row: number) => top + row * (height + gap);

  const sheet = blank(x(columns), y(Math.ceil(pictures.length / columns)), background);
  pictures.forEach((picture, i) => {
    const dx = (width - picture.width) >> 1;
    const dy = (height - picture.height) >> 1;
    paste(sheet, picture, x(i % columns) + dx, y(Math.floor(i / columns)) + dy);
  });
  const fits = Math.floor(width / (font * GLYPH));
  const labels = [
    ...rowLabels.map((text, row) => ({ text, x: PAD, y: y(row) + height / 2 + font * 0.35 })),
    ...columnLabels.map((text, column) => ({ text: cut(text, fits), x: x(column), y: PAD + font })),
  ];
  return labels.length > 0 ? drawLabels(sheet, font, background, labels) : sheet;
}

/** Width of a character in a sans-serif font, in font sizes: on the large side. */
const GLYPH = 0.66;
const PAD = 4;

const cut = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, Math.max(1, length - 1))}…` : text;

function rgbOf(colour: string): [number, number, number] {
  if (!/^#[0-9a-f]{6}$/i.test(colour))
    throw new RangeError(`contactSheet: expected a colour like #ffffff, got ${colour}`);
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [
    number,
    number,
    number,
  ];
}

export function blank(width: number, height: number, colour: string): Picture {
  const [r, g, b] = rgbOf(colour);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set([r, g, b], i);
  return { data, width, height };
}

/** Copies a picture onto a larger one, its left upper corner at (x, y). */
export function paste(onto: Picture, { data, width, height }: Picture, x: number, y: number): void {
  for (let row = 0; row < height; row++)
    onto.data.set(
      data.subarray(row * width * 3, (row + 1) * width * 3),
      ((y + row) * onto.width + x) * 3,
    );
}

async function drawLabels(
  sheet: Picture,
  font: number,
  background: string,
  labels: readonly { text: string; x: number; y: number }[],
): Promise<Picture> {
  const [r, g, b] = rgbOf(background);
  const ink = 0.3 * r + 0.59 * g + 0.11 * b > 128 ? '#222222' : '#eeeeee';
  const texts = labels.map(({ text, x, y }) => `<text x="${x}" y="${y}">${escapeXml(text)}</text>`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${sheet.width}" height="${sheet.height}" font-family="sans-serif" font-size="${font}" fill="${ink}">${texts.join('')}</svg>`;
  const data = await drawnOver(sheet, svg).removeAlpha().raw().toBuffer();
  return { ...sheet, data: new Uint8Array(data) };
}

const drawnOver = (picture: Picture, svg: string) =>
  raw(picture).composite([{ input: Buffer.from(svg) }]);

/** The picture with an SVG of our own making and of its size over it, as a PNG file. */
export const encodeDrawnOver = (picture: Picture, svg: string): Promise<Buffer> =>
  drawnOver(picture, svg).removeAlpha().png().toBuffer();

/** Text for an SVG: no mark-up in it counts, and what XML cannot hold is a space. */
export const escapeXml = (text: string) =>
  text
    .replace(/[^\x20-\ud7ff\ue000-\ufffd]/g, ' ')
    .replace(/[<>&"']/g, (mark) => `&#${mark.charCodeAt(0)};`);

/**
 * Text for a terminal with 24-bit colour: each character is two pixels, the upper half block in its
 * own colour over a background of the lower one. Each pixel shown is the mean of those it covers.
 */
export function halfBlocks(picture: Picture, columns: number): string {
  if (!Number.isInteger(columns) || columns < 1)
    throw new RangeError(`halfBlocks: expected at least 1 column, got ${columns}`);
  const width = Math.min(columns, picture.width);
  const lines = Math.max(1, Math.round((picture.height * width) / picture.width / 2));
  const small = shrink(picture, width, lines * 2);
  const colour = (x: number, y: number) =>
    small.subarray((y * width + x) * 3, (y * width + x) * 3 + 3).join(';');
  const text: string[] = [];
  for (let line = 0; line < lines; line++) {
    for (let x = 0; x < width; x++)
      text.push(`\u001b[38;2;${colour(x, 2 * line)};48;2;${colour(x, 2 * line + 1)}m▀`);
    text.push('\u001b[0m\n');
  }
  return text.join('');
}

/** Box mean over whole source pixels; every target pixel covers at least one. */
function shrink({ data, width, height }: Picture, toWidth: number, toHeight: number): Uint8Array {
  const out = new Uint8Array(toWidth * toHeight * 3);
  const range = (i: number, to: number, from: number) => {
    const start = Math.min(from - 1, Math.floor((i * from) / to));
    return [start, Math.max(start + 1, Math.floor(((i + 1) * from) / to))] as const;
  };
  for (let y = 0; y < toHeight; y++)
    for (let x = 0; x < toWidth; x++) {
      const [top, bottom] = range(y, toHeight, height);
      const [left, right] = range(x, toWidth, width);
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let row = top; row < bottom; row++)
          for (let column = left; column < right; column++)
            sum += data[(row * width + column) * 3 + c]!;
        out[(y * toWidth + x) * 3 + c] = Math.round(sum / ((bottom - top) * (right - left)));
      }
    }
  return out;
}
