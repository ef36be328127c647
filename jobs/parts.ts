/** What jobs are kept in: the folder's lock, pictures, queue and database, opened and closed together. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import { type Lock, lockFolder } from '../folder-lock.ts';
import { type Database, openDatabase } from './database.ts';
import { migrate } from './migrations.ts';
import { checkOneStore } from './one-store.ts';
import { connectRedis } from './redis.ts';
import { openStore, type Store } from './store.ts';

export type Places = {
  /** The folder of database and pictures, where these are not elsewhere; one process at a time has it. */
  readonly data: string;
  /** `redis://...`: the queue is there, not in the database. */
  readonly redis?: string | undefined;
  /** `postgres://...`, or `memory:` for tests. Default: embedded, in the data folder. */
  readonly database?: string | undefined;
  /** `s3://bucket/prefix?endpoint=...&region=...` or `file:///folder`. Default: in the data folder. */
  readonly storage?: string | undefined;
};

export type Parts = {
  readonly database: Database;
  readonly store: Store;
  readonly redis: Redis | undefined;
  readonly lock: Lock | undefined;
  close(): Promise<void>;
};

/** In this order, and closed in the other one: lock, store, Redis, database. */
export async function openParts({
  data,
  database: where,
  redis: url,
  storage,
}: Places): Promise<Parts> {
  const folder = resolve(data);
  const opened: (() => unknown)[] = [];
  const close = async () => {
    for (const undo of opened.splice(0).reverse()) await undo();
  };
  try {
    const embedded = where === undefined;
    if (embedded) await mkdir(folder, { recursive: true });
    const lock = embedded ? await lockFolder(folder) : undefined;
    if (lock) opened.push(() => lock.release());
    const store = await openStore(storage ?? pathToFileURL(join(folder, 'pictures')).href);
    opened.push(() => store.close());
    const redis = url === undefined ? undefined : await connectRedis(url);
    if (redis) opened.push(() => redis.disconnect());
    const database = await openDatabase(where ?? join(folder, 'database'));
    opened.push(() => database.close());
    await migrate(database);
    if (!embedded) await checkOneStore(database, store);
    return { database, store, redis, lock, close };
  } catch (error) {
    await close();
    throw error;
  }
}
