/** Where pictures are kept: files in a folder, written whole or not at all, or a bucket (store-s3.ts). */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export type Store = {
  /** Afterwards the whole file is there, also if the machine stops. */
  put(id: string, file: Uint8Array): Promise<void>;
  read(id: string): Promise<Buffer | undefined>;
  stream(id: string): Promise<Readable | undefined>;
  remove(id: string): Promise<void>;
  /** Throws one sentence where nothing can be kept. */
  check(): Promise<void>;
  close(): void;
};

/** The store cannot be reached or has no room: what needed it waits and tries again. */
export class StoreUnavailable extends Error {}

/** `file:` with a folder's address, or `s3://bucket/prefix?endpoint=...&region=...`. */
export async function openStore(address: string): Promise<Store> {
  if (address.startsWith('file:')) return openFolder(fileURLToPath(address));
  if (address.startsWith('s3:')) return (await import('./store-s3.ts')).openBucket(address);
  throw new RangeError(
    `storage: expected an address like file:///folder or s3://bucket/prefix, got '${address}'`,
  );
}

const ID = /^[a-z0-9][a-z0-9-]{0,79}$/;

/** Of an id as the store makes names of it: nothing else than letters, digits and dashes leads to a file. */
export function checkStoredId(id: string): void {
  if (!ID.test(id)) throw new RangeError(`storage: expected the id of a picture, got '${id}'`);
}

/** The last two characters before the picture's number spread pictures over folders. */
const shelf = (id: string) => id.replace(/-\d+$/, '').slice(-2);

async function openFolder(folder: string): Promise<Store> {
  const unfinished = join(folder, '.unfinished');
  await mkdir(unfinished, { recursive: true });
  await sweep(unfinished);
  const write = (path: string, file: Uint8Array) =>
    writeWhole(join(unfinished, randomUUID()), path, file).catch((error) => {
      throw new StoreUnavailable(`storage: ${describe(error)}`, { cause: error });
    });
  const pathOf = (id: string) => {
    checkStoredId(id);
    return join(folder, shelf(id), `${id}.png`);
  };
  return {
    put: (id, file) => write(pathOf(id), file),
    read: (id) => readFile(pathOf(id)).catch(absent),
    async stream(id) {
      const path = pathOf(id);
      const found = await stat(path).catch(absent);
      return found && createReadStream(path);
    },
    remove: (id) => rm(pathOf(id), { force: true }),
    async check() {
      const path = join(unfinished, `check-${randomUUID()}`);
      await write(path, Buffer.from('ropewalk'));
      await rm(path, { force: true });
    },
    close() {},
  };
}

/** Into a file beside it, then by one step to its place. */
async function writeWhole(temporary: string, path: string, file: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(file);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error says more
    throw error;
  }
}

/** Removes what processes left that ended while they wrote. */
async function sweep(unfinished: string): Promise<void> {
  const dayAgo = Date.now() - 86_400_000; // another process may be writing at this moment
  for (const name of await readdir(unfinished)) {
    const path = join(unfinished, name);
    const found = await stat(path).catch(absent);
    if (found && found.mtimeMs < dayAgo) await rm(path, { force: true });
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function describe(error: unknown): string {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'no space is left on the disk';
  if (code === 'EACCES' || code === 'EROFS') return 'the folder of pictures cannot be written to';
  return message.split(`, ${syscall}`)[0]!; // without the path
}
