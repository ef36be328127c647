/** Replacing a file so that a crash, a full disk or an error leaves either the old one or the new one, whole. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * `write` fills a temporary file in the folder of `path`; it is flushed to the disk, then takes the
 * place of `path`. On an error the temporary file is removed and `path` is as it was.
 */
export async function replaceFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {}); // it may never have been made; the first error is the one to tell
    throw explain(path, error);
  }
  await syncFolder(folder);
}

/** Writes all of `bytes` at the file's current position; a single `write` may stop short. */
export async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, 2 ** 26); // one call takes less than 2 GB
    at += (await file.write(bytes, at, length)).bytesWritten;
  }
}

/** A rename is on the disk only when its folder is; some systems cannot open a folder, and need not. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync().catch(() => {});
  } finally {
    await handle.close();
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'the folder may not be written',
  EPERM: 'the folder may not be written',
  EROFS: 'the disk is read-only',
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'the folder is a file',
  EISDIR: 'it is a folder',
};

function explain(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const reason = code === undefined ? undefined : reasons[code];
  if (reason === undefined) return error;
  return Object.assign(
    new Error(
      `${path}: expected to write it, got ${code} (${reason}); what was there is unchanged`,
      {
        cause: error,
      },
    ),
    { code },
  );
}
