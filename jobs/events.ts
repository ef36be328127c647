/**
 * News of what happens: to listeners of this process at once, and between processes through Redis or the
 * database's notifications. Nothing depends on news alone: whoever misses some finds the same in the rows.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Database } from './database.ts';
import type { JobEvent } from './job.ts';
import type { SqlPoolClient } from './pglite-pool.ts';

export type News =
  | { readonly event: JobEvent }
  /** Whoever runs this job, or one of this batch, has to look whether it may go on. */
  | { readonly look: string };

export type Events = {
  tell(event: JobEvent): void;
  /** Lets runners of a job or of a batch's jobs look at once. */
  look(job: string): void;
  listen(listener: (event: JobEvent) => void): () => void;
  onLook(listener: (job: string) => void): () => void;
  close(): Promise<void>;
};

/** Carries texts to other processes and brings theirs. */
type Wire = { send(text: string): Promise<void>; close(): Promise<void> };

const CHANNEL = 'ropewalk_news';

/** Without Redis and PostgreSQL there is no other process to tell. */
export async function createEvents(database: Database, redis: Redis | undefined): Promise<Events> {
  const me = randomUUID();
  const listeners = new Set<(event: JobEvent) => void>();
  const lookers = new Set<(job: string) => void>();

  function deliver(news: News): void {
    if ('look' in news) for (const looker of lookers) looker(news.look);
    else for (const listener of listeners) listener(news.event);
  }
  function receive(text: string): void {
    const { from, news } = JSON.parse(text) as { from: string; news: News };
    if (from !== me) deliver(news);
  }
  const wire = redis
    ? await redisWire(redis, receive)
    : database.kind === 'postgres'
      ? await postgresWire(database, receive)
      : undefined;
  const outbox = wire && createOutbox(wire);

  function publish(news: News): void {
    deliver(news);
    const droppable = 'event' in news && ['progress', 'preview'].includes(news.event.type);
    outbox?.put(JSON.stringify({ from: me, news }), droppable);
  }

  return {
    tell: (event) => publish({ event }),
    look: (job) => publish({ look: job }),
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onLook(looker) {
      lookers.add(looker);
      return () => void lookers.delete(looker);
    },
    close: async () => wire?.close(),
  };
}

/** News in order; where the wire is slow or down, previews and progress are dropped first. */
function createOutbox(wire: Wire) {
  const MOST = 10_000;
  let waiting: string[] = [];
  let busy = false;

  async function drain(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      const text = waiting.shift()!;
      await wire.send(text).catch(() => {}); // others find it in the rows
    }
    busy = false;
  }
  return {
    put(text: string, droppable: boolean): void {
      if (droppable && waiting.length > 20) return;
      waiting.push(text);
      if (waiting.length > MOST) waiting = waiting.slice(-MOST);
      if (!busy) void drain();
    },
  };
}

async function redisWire(redis: Redis, receive: (text: string) => void): Promise<Wire> {
  const subscriber = redis.duplicate({ enableOfflineQueue: true });
  subscriber.on('error', () => {}); // it connects and subscribes anew by itself
  subscriber.on('message', (_, text) => receive(text));
  await subscriber.subscribe(CHANNEL);
  return {
    send: async (text) => void (await redis.publish(CHANNEL, text)),
    close: async () => subscriber.disconnect(),
  };
}

/** A notification's most is 8000 bytes. */
const NOTIFICATION = 7900;
const RETRY = 500;

async function postgresWire(database: Database, receive: (text: string) => void): Promise<Wire> {
  let client: SqlPoolClient | undefined;
  let closed = false;

  async function fetchLong(id: string): Promise<void> {
    const rows = await database.sql<{ body: string }>(
      'SELECT body FROM ropewalk.notices WHERE id = $1',
      [id],
    );
    if (rows[0]) receive(rows[0].body);
  }
  async function subscribe(): Promise<void> {
    const mine = await database.pool.connect();
    let broken = false;
    function drop(): void {
      if (broken) return;
      broken = true;
      mine.release(true);
      if (client === mine) void again();
    }
    mine.on('error', drop);
    mine.on('notification', ({ payload }: { payload: string }) => {
      if (payload.startsWith('#')) fetchLong(payload.slice(1)).catch(() => {});
      else receive(payload);
    });
    await mine.query(`LISTEN ${CHANNEL}`).catch(drop);
    if (!broken) client = mine;
  }
  /** A connection that broke takes its subscription with it. */
  async function again(): Promise<void> {
    client = undefined;
    while (!closed && !client) {
      await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
      await subscribe().catch(() => {}); // the server is not there yet
    }
  }

  await subscribe();
  return {
    async send(text) {
      if (Buffer.byteLength(text) <= NOTIFICATION) {
        await database.sql('SELECT pg_notify($1, $2)', [CHANNEL, text]);
        return;
      }
      await database.sql(
        `WITH old AS (DELETE FROM ropewalk.notices WHERE created_at < now() - interval '1 minute'),
              put AS (INSERT INTO ropewalk.notices (body) VALUES ($2) RETURNING id)
         SELECT pg_notify($1, '#' || id) FROM put`,
        [CHANNEL, text],
      );
    },
    async close() {
      closed = true;
      client?.release(true);
    },
  };
}
