import { createHash } from 'node:crypto';
import { existsSync, openSync, readSync } from 'node:fs';
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FolderInUse, lockFolder } from '../../folder-lock.ts';
import type { Dataset, Shape } from './dataset.ts';

/** One picture to be made: its words' ids, its shape where it has its own, and a function that draws it. */
export type Source = {
  readonly words: readonly number[];
  readonly shape?: Shape;
  draw(): Promise<Uint8Array>;
};

export type Sources = {
  readonly pictures: readonly Source[];
  readonly skipped?: readonly string[];
};
/** A data set and the names of what could not be read when it was drawn. */
export type CachedDataset = Dataset & { readonly skipped: readonly string[] };

export type CacheOptions = {
  /** Folder that holds caches; each configuration has its own folder inside. */
  readonly cache: string;
  readonly name: string;
  readonly size: number;
  readonly vocabulary: readonly string[];
  /** All that decides the pixels: another configuration is another cache. */
  readonly configuration: unknown;
  /** The pictures in order; called only when something is left to be drawn. */
  readonly sources: () => Sources | Promise<Sources>;
  readonly onProgress?: ((done: number) => void) | undefined;
};

type Header = {
  readonly format: 1;
  readonly digest: string;
  readonly length: number;
  readonly words: readonly (readonly number[])[];
  readonly skipped: readonly string[];
  /** Of pictures that have their own. */
  readonly shapes?: readonly Shape[];
};

/** Pictures drawn between two writes; what a kill can lose. */
const CHUNK = 256;
/** Pictures in flight: enough to keep the rasteriser's threads busy. */
const IN_FLIGHT = 8;
/** How long to wait for another process that draws the same, in ms. */
const LOOK_AGAIN = 500;

/**
 * Opens the pictures of a configuration, drawing them first if this cache does not have them yet.
 * Pixels are appended to a partial file that a later call goes on from; the header is written last and its
 * presence says that the cache is whole. Of several processes one draws, and the others wait for it.
 */
export async function openPictures(options: CacheOptions): Promise<CachedDataset> {
  const { name, size, vocabulary } = options;
  const place = placeOf(options);
  const { folder, headerPath, digest } = place;
  while (!existsSync(headerPath)) await drawAlone(options, place);

  const header = JSON.parse(await readFile(headerPath, 'utf8')) as Header;
  const pixelsPath = join(folder, 'pixels.u8');
  const { size: found } = await stat(pixelsPath);
  const expected = startsOf(header, size)[header.length];
  if (header.digest !== digest || found !== expected) {
    throw new Error(
      `${folder}: expected ${header.length} pictures of ${expected} bytes in all, got ${found} bytes; remove the folder to draw it again`,
    );
  }
  return readPictures(pixelsPath, header, { name, size, vocabulary });
}

/** Whether opening draws nothing. */
export const isDrawn = (options: Place): boolean => existsSync(placeOf(options).headerPath);

type Place = Pick<CacheOptions, 'cache' | 'name' | 'size' | 'vocabulary' | 'configuration'>;

function placeOf({ cache, name, size, vocabulary, configuration }: Place) {
  const digest = createHash('sha256')
    .update(JSON.stringify([configuration, name, size, vocabulary]))
    .digest('hex');
  const folder = join(cache, `${name}-${size}px-${digest.slice(0, 12)}`);
  return { folder, headerPath: join(folder, 'header.json'), digest };
}

/** Where each picture begins in the file, in bytes, and last where the file ends. */
function startsOf(
  { length, shapes }: Pick<Header, 'length' | 'shapes'>,
  side: number,
): Float64Array {
  const starts = new Float64Array(length + 1);
  for (let i = 0; i < length; i++) {
    const [height, width] = shapes ? shapes[i]!.size : [side, side];
    starts[i + 1] = starts[i]! + 3 * height * width;
  }
  return starts;
}

function readPictures(
  path: string,
  header: Header,
  about: Pick<Dataset, 'name' | 'size' | 'vocabulary'>,
): CachedDataset {
  const { length, shapes } = header;
  const starts = startsOf(header, about.size);
  const file = openSync(path, 'r');
  return {
    ...about,
    length,
    skipped: header.skipped,
    ...(shapes ? { shape: (index: number) => shapes[checked(index, length)]! } : {}),
    pixels(index) {
      const start = starts[checked(index, length)]!;
      const bytes = starts[index + 1]! - start;
      const picture = new Uint8Array(bytes);
      let read = 0;
      while (read < bytes) {
        const got = readSync(file, picture, read, bytes - read, start + read);
        if (got === 0)
          throw new Error(`${path}: expected ${bytes} bytes of picture ${index}, got ${read}`);
        read += got;
      }
      return picture;
    },
    words: (index) => header.words[checked(index, length)]!,
  };
}

/** Draws, or lets some time pass where another process does. */
async function drawAlone(
  options: CacheOptions,
  { folder, headerPath, digest }: ReturnType<typeof placeOf>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lock = await lockFolder(folder).catch((error) => {
    if (!(error instanceof FolderInUse)) throw error;
  });
  if (!lock) return sleep(LOOK_AGAIN);
  try {
    if (!existsSync(headerPath)) await draw(options, folder, digest);
  } finally {
    await lock.release();
  }
}

/** Draws what is missing; chunks are written in order, so the partial file's length says how far it came. */
async function draw(options: CacheOptions, folder: string, digest: string): Promise<void> {
  const partial = join(folder, 'pixels.partial');
  const { pictures, skipped = [] } = await options.sources();
  const { length } = pictures;
  const shapes = pictures.flatMap(({ shape }) => shape ?? []);
  const own = shapes.length > 0 ? { shapes } : {};
  const starts = startsOf({ length, ...own }, options.size);
  const file = await open(partial, existsSync(partial) ? 'r+' : 'w+');
  try {
    const { size: kept } = await file.stat();
    let done = starts.findLastIndex((start) => start <= kept);
    await file.truncate(starts[done]);
    while (done < length) {
      const chunk = await drawAll(pictures.slice(done, done + CHUNK));
      const bytes = starts[done + chunk.length]! - starts[done]!;
      const { bytesWritten } = await file.writev(chunk, starts[done]);
      if (bytesWritten !== bytes) {
        throw new Error(
          `${partial}: expected to write ${bytes} bytes, got ${bytesWritten}; free some space and run again`,
        );
      }
      done += chunk.length;
      options.onProgress?.(done);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, join(folder, 'pixels.u8'));
  const header: Header = {
    format: 1,
    digest,
    length,
    ...own,
    words: pictures.map((picture) => picture.words),
    skipped,
  };
  await writeFile(join(folder, 'header.json.tmp'), JSON.stringify(header), { flush: true });
  await rename(join(folder, 'header.json.tmp'), join(folder, 'header.json'));
}

async function drawAll(sources: readonly Source[]): Promise<Uint8Array[]> {
  const pictures = new Array<Uint8Array>(sources.length);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < sources.length; i = next++) pictures[i] = await sources[i]!.draw();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return pictures;
}

function checked(index: number, length: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= length) {
    throw new RangeError(`dataset: expected an index from 0 to ${length - 1}, got ${index}`);
  }
  return index;
}
