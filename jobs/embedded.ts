/**
 * The embedded database: PGlite in this process, on a folder or in memory. A new one takes seconds of computing and
 * many hundreds of megabytes, so a process of its own makes it, beside its place; it is moved there when it is whole.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { SYNCED_PARAMS, SyncedFiles } from './synced-files.ts';

/**
 * PGlite takes 160 MB for its pages unless told otherwise; 10,000 jobs that wait, their tickets and all indexes are 14 MB
 * (docs/performance.md), and adding them takes as long as with 128 MB.
 */
const SETTINGS = ['-c', 'shared_buffers=32MB'];

/** @param where `memory:` or a folder, which is made where there is none. */
export async function openEmbedded(where: string): Promise<PGlite> {
  if (where === 'memory:')
    return PGlite.create({ startParams: [...PGlite.defaultStartParams, ...SETTINGS] });
  if (!existsSync(join(where, 'PG_VERSION'))) await make(where);
  const fs = new SyncedFiles(where);
  return PGlite.create({ fs, startParams: [...SYNCED_PARAMS, ...SETTINGS] });
}

const MAKE = `const { PGlite } = require(process.argv[1]);
PGlite.create(process.argv[2]).then((database) => database.close()).catch(({ message }) => {
  process.stderr.write(message);
  process.exit(1);
});`;

async function make(where: string): Promise<void> {
  const unfinished = `${where}-unfinished-`;
  await mkdir(dirname(where), { recursive: true });
  for (const name of await readdir(dirname(where)))
    if (name.startsWith(basename(unfinished)))
      await rm(join(dirname(where), name), { recursive: true, maxRetries: 5 });
  const made = await mkdtemp(unfinished);
  const library = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  await promisify(execFile)(process.execPath, ['-e', MAKE, library, made]).catch((cause) => {
    throw new Error(`database: expected to make one at ${where}, got: ${cause.stderr}`, { cause });
  });
  await rename(made, where).catch((cause) => {
    throw new Error(`database: expected an empty folder or none, got ${where}; move it away`, {
      cause,
    });
  });
}
