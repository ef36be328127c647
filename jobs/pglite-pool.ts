/**
 * An embedded PGlite as BullMQ's PostgreSQL backend and our own SQL see a `pg.Pool`. PGlite is one session,
 * so transactions of one client keep the others waiting; `LISTEN` is a subscription in this process.
 */
import { EventEmitter } from 'node:events';
import type { PGlite } from '@electric-sql/pglite';

/** What is used of `pg`: by BullMQ, and by database.ts. */
export type SqlResult = { rows: Record<string, unknown>[]; rowCount: number };
export type SqlClient = {
  query(text: string, params?: readonly unknown[]): Promise<SqlResult>;
};
export type SqlPoolClient = SqlClient & EventEmitter & { release(broken?: boolean): void };
export type SqlPool = SqlClient &
  EventEmitter & { connect(): Promise<SqlPoolClient>; end(): Promise<void> };

/** As `pg` does, so that one code reads both: 64-bit integers are text. */
const OPTIONS = { parsers: { 20: (value: string) => value } };
const COMMENTS = /^\s*--.*$/gm;
const LISTEN = /^(UN)?LISTEN\s+"?([^";\s]+)"?/i;

export function createPglitePool(db: PGlite): SqlPool {
  const session = createSession(db);
  const pool = new EventEmitter().setMaxListeners(0);
  return Object.assign(pool, {
    query: (text: string, params?: readonly unknown[]) => session.run(pool, text, params),
    connect: async () => createClient(db, session),
    end: () => db.close(),
  });
}

type Session = ReturnType<typeof createSession>;

/** Runs statements in the order they come, those of a transaction without others between them. */
function createSession(db: PGlite) {
  let owner: object | undefined; // whose transaction is open
  const waiting: (() => void)[] = [];

  async function execute(text: string, params: readonly unknown[]): Promise<SqlResult> {
    const several = params.length === 0 && /;\s*\S/.test(text);
    const result = several
      ? (await db.exec(text, OPTIONS)).at(-1)
      : await db.query(text, [...params], OPTIONS);
    const rows = (result?.rows ?? []) as Record<string, unknown>[];
    return { rows, rowCount: result?.affectedRows || rows.length };
  }

  return {
    async run(by: object, given: string, params: readonly unknown[] = []): Promise<SqlResult> {
      const text = given.replace(COMMENTS, '').trim();
      while (owner !== undefined && owner !== by)
        await new Promise<void>((resolve) => waiting.push(resolve));
      if (/^BEGIN\b/i.test(text)) owner = by;
      try {
        return await execute(text, params);
      } finally {
        if (/^(COMMIT|ROLLBACK)\b/i.test(text)) {
          owner = undefined;
          for (const resolve of waiting.splice(0)) resolve();
        }
      }
    },
  };
}

function createClient(db: PGlite, session: Session): SqlPoolClient {
  const client = new EventEmitter().setMaxListeners(0);
  const channels = new Map<string, () => Promise<void>>();

  async function listen(channel: string, stop: boolean): Promise<SqlResult> {
    const unlisten = channels.get(channel);
    if (stop) {
      channels.delete(channel);
      await unlisten?.();
    } else if (!unlisten)
      channels.set(
        channel,
        await db.listen(`"${channel}"`, (payload) =>
          client.emit('notification', { channel, payload }),
        ),
      );
    return { rows: [], rowCount: 0 };
  }

  return Object.assign(client, {
    query(text: string, params?: readonly unknown[]): Promise<SqlResult> {
      const found = LISTEN.exec(text.replace(COMMENTS, '').trim());
      if (found) return listen(found[2]!, found[1] !== undefined);
      return session.run(client, text, params);
    },
    release() {
      for (const unlisten of channels.values()) unlisten().catch(() => {}); // the database may be closed
      channels.clear();
    },
  });
}
