/** What is done now and then: files of pictures that were deleted go, and the embedded database is tidied. */
import type { Database } from './database.ts';
import type { Gallery } from './gallery.ts';
import type { Store } from './store.ts';

/** Milliseconds between two times. */
const TIDY = 60_000;
const TIDIED = [
  'bullmq.job',
  'bullmq.event',
  'ropewalk.jobs',
  'ropewalk.pictures',
  'ropewalk.workers',
];

/** The embedded database has nobody else who removes what is dead in its tables. */
export function startTidying(database: Database, gallery: Gallery, store: Store, undo: number) {
  async function tidy(): Promise<void> {
    for (const id of await gallery.purge(Date.now() - undo)) await store.remove(id);
    if (database.kind === 'embedded')
      for (const table of TIDIED) await database.sql(`VACUUM (ANALYZE) ${table}`);
  }
  let busy = Promise.resolve();
  const timer = setInterval(() => {
    busy = busy.then(tidy).catch(() => {}); // store or database are away: the next time
  }, TIDY).unref();
  return () => {
    clearInterval(timer);
    return busy;
  };
}
