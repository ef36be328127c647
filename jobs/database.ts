/** The SQL database of history and queue: PGlite in a folder or in memory, or PostgreSQL by address; same SQL. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createPglitePool, type SqlClient, type SqlPool } from './pglite-pool.ts';

/** BullMQ's schema for pools that it is given; ours is named in each statement. */
export const QUEUE_SCHEMA = 'bullmq';

export type Sql = <Row = Record<string, unknown>>(
  text: string,
  params?: readonly unknown[],
) => Promise<Row[]>;

export type Database = {
  readonly kind: 'embedded' | 'postgres';
  /** Rows of one statement; 64-bit integers come as text. */
  readonly sql: Sql;
  /** All of `work` or nothing of it. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  readonly pool: SqlPool;
  close(): Promise<void>;
};

/** @param where a `postgres://` address, `memory:`, or a folder. */
export async function openDatabase(where: string): Promise<Database> {
  const remote = /^postgres(ql)?:\/\//.test(where);
  const pool = remote ? await connect(where) : await embed(where);
  // An idle connection that breaks is made anew by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  return {
    kind: remote ? 'postgres' : 'embedded',
    sql: sqlOf(pool),
    pool,
    transaction: (work) => transaction(pool, work),
    // Connections that broke while somebody waited for them must not keep a process from ending.
    close: () => Promise.race([pool.end(), sleep(5000, undefined, { ref: false })]),
  };
}

const sqlOf = (client: SqlClient): Sql =>
  (async (text, params) => (await client.query(text, params)).rows) as Sql;

async function transaction<T>(pool: SqlPool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A connection that breaks fails the statement under way; without a listener it would end the process, too.
  const heard = () => {};
  client.on('error', heard);
  try {
    await client.query('BEGIN');
    const result = await work(sqlOf(client));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}); // the connection may be gone, and with it the transaction
    throw error;
  } finally {
    client.off('error', heard);
    client.release();
  }
}

async function embed(where: string): Promise<SqlPool> {
  const { openEmbedded } = await import('./embedded.ts');
  const pool = createPglitePool(await openEmbedded(where));
  await pool.query(`SET search_path = ${QUEUE_SCHEMA}, public`);
  return pool;
}

async function connect(connectionString: string): Promise<SqlPool> {
  const { default: pg } = await import('pg');
  return new pg.Pool({
    connectionString,
    options: `-c search_path=${QUEUE_SCHEMA},public`,
    application_name: 'ropewalk',
    keepAlive: true, // BullMQ's LISTEN and ours notice a connection that is gone
    max: 20,
    connectionTimeoutMillis: 10_000,
  }) as unknown as SqlPool;
}
