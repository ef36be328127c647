/**
 * A folder of pictures: class folders (class=<folder>), or metadata.jsonl with a line per picture,
 * {"file": "a.png", "caption": "a red boat", "attributes": {"colour": "red"}}; captions become words
 * that occur at least twice (caption=red), attributes become attribute=value.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, resolve, sep } from 'node:path';
import sharp from 'sharp';
import type { Sides } from './dataset.ts';
import { type OwnShapes, shapeRuleOf } from './own-shapes.ts';
import { type CachedDataset, openPictures, type Source } from './picture-cache.ts';

const EXTENSIONS = new Set(['.png', '.jpg', '.jpeg', '.webp', '.gif', '.avif', '.tif', '.tiff']);
/** More unreadable pictures than this share is a broken folder, not bad luck. */
const TOLERATED = 0.01;
const IN_FLIGHT = 8;

export type FolderOptions = OwnShapes & {
  readonly folder: string;
  readonly cache: string;
  readonly onProgress?: (done: number) => void;
};

type Labelled = { readonly file: string; readonly words: readonly string[] };

/** Opens a folder's pictures, as squares or in their own shapes; `skipped` names those that could not be read (at most 1 %). */
export async function openFolder({
  folder,
  cache,
  onProgress,
  ...shapes
}: FolderOptions): Promise<CachedDataset> {
  const files = await picturesIn(folder);
  const labelled = await label(folder, files);
  if (labelled.length === 0) {
    throw new Error(
      `folder: expected pictures (${[...EXTENSIONS].join(' ')}) in ${folder}, got none; name a folder that has some`,
    );
  }
  const vocabulary = [...new Set(labelled.flatMap(({ words }) => words))].sort();
  const ids = new Map(vocabulary.map((word, id) => [word, id]));
  const stamps = await Promise.all(labelled.map(({ file }) => stat(join(folder, file))));
  const { size, buckets, native } = shapes;
  const rule = shapeRuleOf(shapes);
  const draw = (file: string, sides: Sides = [size, size]) => pixelsOf(join(folder, file), sides);
  return openPictures({
    cache,
    name: 'folder',
    size,
    vocabulary,
    configuration: {
      version: 1,
      folder: resolve(folder),
      files: labelled.map((item, i) => [item, stamps[i]!.size, stamps[i]!.mtimeMs]),
      ...(rule ? { shapes: { buckets, native } } : {}),
    },
    sources: async () => {
      const skipped = await unreadable(labelled, draw);
      const readable = labelled.filter(({ file }) => !skipped.includes(file));
      const pictures: Source[] = [];
      for (const { file, words } of readable) {
        const shape = rule?.(await sidesOf(join(folder, file)));
        pictures.push({
          words: words.map((word) => ids.get(word)!).sort((a, b) => a - b),
          ...(shape ? { shape } : {}),
          draw: () => draw(file, shape?.size),
        });
      }
      return { pictures, skipped };
    },
    onProgress,
  });
}

/** Paths below `folder` of all pictures, sorted, so that the order does not depend on the file system. */
async function picturesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (cause: unknown) => {
      throw new Error(
        `folder: expected a folder of pictures, got ${folder}, which cannot be read; check the path`,
        { cause },
      );
    },
  );
  return entries
    .filter(
      (entry) =>
        entry.isFile() &&
        !entry.name.startsWith('.') &&
        EXTENSIONS.has(extname(entry.name).toLowerCase()),
    )
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

async function label(folder: string, files: readonly string[]): Promise<readonly Labelled[]> {
  const metadata = await readFile(join(folder, 'metadata.jsonl'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  if (metadata !== undefined) return readMetadata(metadata, files);
  return files.map((file) => ({
    file,
    words: file.includes('/') ? [`class=${file.slice(0, file.lastIndexOf('/'))}`] : [],
  }));
}

type Line = {
  readonly file: string;
  readonly caption: readonly string[];
  readonly words: readonly string[];
};

function readMetadata(text: string, files: readonly string[]): readonly Labelled[] {
  const known = new Set(files);
  const lines = text
    .split('\n')
    .map((line, i) => ({ line, where: `metadata.jsonl line ${i + 1}` }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, where }) => readLine(line, where, known));
  const counts = new Map<string, number>();
  for (const word of lines.flatMap(({ caption }) => caption))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return lines.map(({ file, caption, words }) => ({
    file,
    words: [
      ...new Set([
        ...words,
        ...caption.filter((word) => counts.get(word)! > 1).map((word) => `caption=${word}`),
      ]),
    ].sort(),
  }));
}

function readLine(line: string, where: string, known: ReadonlySet<string>): Line {
  const fail = (got: string): never => {
    throw new Error(
      `${where}: expected {"file": "<picture in this folder>", "caption"?: text, "attributes"?: {name: value}}, got ${got}; correct the line`,
    );
  };
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return fail(line.slice(0, 80));
  }
  if (!isRecord(entry)) return fail(line.slice(0, 80));
  const file = entry.file ?? entry.file_name; // the second is how other data sets call it
  if (typeof file !== 'string' || !known.has(file))
    return fail(`file ${JSON.stringify(file)}, which is no picture here`);
  const { caption = '', attributes = {} } = entry;
  if (typeof caption !== 'string') return fail(`caption ${JSON.stringify(caption)}`);
  if (!isRecord(attributes)) return fail(`attributes ${JSON.stringify(attributes)}`);
  const words = Object.entries(attributes).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one: unknown) =>
      typeof one === 'object' || one === undefined
        ? fail(`attribute ${name} ${JSON.stringify(one)}`)
        : `${name}=${one}`,
    ),
  );
  return {
    file,
    caption: [...new Set(caption.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])],
    words,
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** [height, width] of a picture, upright. */
async function sidesOf(path: string): Promise<Sides> {
  const { height, width, orientation = 1 } = await sharp(path).metadata();
  return orientation < 5 ? [height, width] : [width, height]; // from 5 on it lies on its side
}

/** The largest centred part of these proportions, upright, scaled to them, on white where transparent. */
async function pixelsOf(path: string, [height, width]: Sides): Promise<Uint8Array> {
  return sharp(path, { failOn: 'error' })
    .autoOrient()
    .resize(width, height, { fit: 'cover' })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer();
}

/** Names of pictures that do not decode; throws when they are more than bad luck. */
async function unreadable(
  items: readonly Labelled[],
  draw: (file: string) => Promise<Uint8Array>,
): Promise<readonly string[]> {
  const bad: string[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++)
      await draw(items[i]!.file).catch(() => bad.push(items[i]!.file));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  bad.sort();
  if (bad.length > items.length * TOLERATED) {
    const named = bad.slice(0, 5).join(', ') + (bad.length > 5 ? ', ...' : '');
    throw new Error(
      `folder: expected at most 1 % unreadable pictures, got ${bad.length} of ${items.length} (${named}); repair or remove them`,
    );
  }
  return bad;
}
