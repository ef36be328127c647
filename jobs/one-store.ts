/**
 * Processes that share a database must keep pictures in one place, or some would have rows without files. So the store
 * has a mark, a file that is no picture, and the database knows it.
 */
import { randomUUID } from 'node:crypto';
import type { Database } from './database.ts';
import type { Store } from './store.ts';

export const STORE_MARK = 'store-mark';
/** Any number will do that nobody else uses in this database. */
const LOCK = 7_261_156;

/** Throws where the store is another one than the database's pictures are in. One that is down is not asked. */
export function checkOneStore({ transaction }: Pick<Database, 'transaction'>, store: Store) {
  return transaction(async (sql) => {
    await sql('SELECT pg_advisory_xact_lock($1)', [LOCK]); // of several processes that start, one marks it
    const found = await store.read(STORE_MARK).then(
      (file) => ({ mark: file?.toString() }),
      () => undefined,
    );
    if (!found) return;
    const [row] = await sql<{ value: string }>(
      `SELECT value FROM ropewalk.settings WHERE name = 'store'`,
    );
    if (row?.value === undefined) {
      const mark = found.mark ?? randomUUID();
      if (found.mark === undefined) await store.put(STORE_MARK, Buffer.from(mark));
      await sql(`INSERT INTO ropewalk.settings VALUES ('store', $1)`, [JSON.stringify(mark)]);
    } else if (row.value !== found.mark)
      throw new Error(
        "storage: expected the place where this database's pictures are, got another one; give all processes the same STORAGE_URL, or --data in a folder that they share",
      );
  });
}
