/**
 * A cell on disk: pictures in parts (sheets without gaps, named by the pictures that they hold), its features and its
 * numbers. Every file is written whole or not at all, and its name or folder holds a digest of everything that decides
 * what is in it, so a run that was killed, or is repeated with other options, uses what is there and makes the rest.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Told } from '../../encoders/conditioning/micro.ts';
import { contactSheet, decodePicture, encodePng, type Picture, readRecipe } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { replaceFile, writeFully } from '../../tensor/atomic-file.ts';
import { type Cell, sizeName } from './plan.ts';

/** How pictures are drawn, besides what a cell says. */
export type Drawing = {
  readonly solver: string;
  readonly steps: number;
  readonly guidance: number;
  readonly shift: number;
  /** What models that are told sizes are told in place of what their cards say. */
  readonly micro?: Told;
  readonly engine: string;
  readonly dtype: string;
};
/** Pictures `from` up to, not including, `to`. */
export type Range = { readonly from: number; readonly to: number };
/** A range's pictures, and what one of them took. */
export type Drawn = { readonly pictures: readonly Picture[]; readonly seconds: number };

/** Pictures of a part: what a kill can lose. */
export const PART = 32;
const COLUMNS = 8;

export const digestOf = (...decides: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(decides)).digest('hex').slice(0, 12);

export function partsOf(samples: number): Range[] {
  return Array.from({ length: Math.ceil(samples / PART) }, (_, i) => ({
    from: i * PART,
    to: Math.min((i + 1) * PART, samples),
  }));
}

/** Cells whose pictures are the same share a folder. */
export function cellFolder(out: string, cell: Cell, drawing: Drawing, conditions: string): string {
  const { model, positions, size, drawnBy, seeds, heldOut } = cell;
  const digest = digestOf(model.digest, positions, sizeName(size), drawing, conditions);
  const method = drawnBy.replaceAll(/[^\w.+-]/g, '_').slice(0, 60);
  const what = heldOut ? 'held-out-' : '';
  const name = `${sizeName(size)}-${method}-seeds-${seeds}-${what}${digest}`;
  return join(out, 'cells', model.id, name);
}

const partName = ({ from, to }: Range) => `pictures-${from}-${to}.png`;

/** The part, or nothing where it is missing or no part of this size. */
export async function readPart(
  folder: string,
  range: Range,
  size: Size,
): Promise<Drawn | undefined> {
  const file = await readFile(join(folder, partName(range))).catch(() => undefined);
  if (file === undefined) return undefined;
  const sheet = await decodePicture(file).catch(() => undefined);
  if (!sheet) return undefined;
  const { seconds } = (readRecipe(file) ?? {}) as { seconds?: unknown };
  const count = range.to - range.from;
  const columns = Math.min(COLUMNS, count);
  const fits =
    sheet.width === columns * size.width &&
    sheet.height === Math.ceil(count / columns) * size.height;
  if (!fits || typeof seconds !== 'number') return undefined;
  const pictures = Array.from({ length: count }, (_, i) =>
    cut(sheet, { x: (i % columns) * size.width, y: Math.floor(i / columns) * size.height }, size),
  );
  return { pictures, seconds };
}

function cut(sheet: Picture, at: { x: number; y: number }, { width, height }: Size): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((at.y + row) * sheet.width + at.x);
    data.set(sheet.data.subarray(from, from + 3 * width), 3 * row * width);
  }
  return { data, width, height };
}

export async function writePart(
  folder: string,
  range: Range,
  { pictures, seconds }: Drawn,
  about: unknown,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const columns = Math.min(COLUMNS, pictures.length);
  const sheet = await contactSheet(pictures, { columns, gap: 0 });
  const recipe = { ...range, seconds, about };
  await writeWhole(join(folder, partName(range)), await encodePng(sheet, { recipe }));
}

/** A value that was written under this name, or nothing. */
export async function readJson<Value>(path: string): Promise<Value | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Value);
}

export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);

export const writeWhole = (path: string, content: string | Uint8Array): Promise<void> =>
  replaceFile(path, (file) =>
    writeFully(file, typeof content === 'string' ? new TextEncoder().encode(content) : content),
  );
