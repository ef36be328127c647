/**
 * BullMQ as dispatcher, on the database or on Redis. What it queues are tickets, one for each job that waits, in a
 * queue for each kind: a ticket that a worker is given means "take the first job of this kind". Which one that is,
 * the rows say at that moment, so that moving, pausing and cancelling thousands of jobs is one statement, and a
 * ticket too many ends at once.
 */
import { createPostgresBackend, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Database } from './database.ts';
import { createIds } from './ids.ts';
import type { JobKind } from './job.ts';

export type TicketQueue = ReturnType<typeof createQueue>;
/** Kinds that are run; a batch is run by its render jobs. */
export const RUN_KINDS = ['render', 'train', 'evaluate'] as const satisfies JobKind[];
export type RunKind = (typeof RUN_KINDS)[number];
export const isRun = (kind: JobKind): kind is RunKind => kind !== 'batch';

/** A ticket whose process has ended is given to another one after LOCK, within a further CHECK. */
const LOCK = 6000;
const CHECK = 3000;
const CHUNK = 2000;

export function createQueue(database: Database, redis: Redis | undefined) {
  const nextId = createIds();
  const backend = redis ? undefined : createPostgresBackend; // undefined is BullMQ's own, Redis
  const connection = (redis ?? database.pool) as never;
  const queues = new Map(
    RUN_KINDS.map((kind) => {
      const queue = new Queue(nameOf(kind), { connection }, backend as never);
      queue.on('error', () => {}); // each call reports its own; connections are made anew
      return [kind, queue];
    }),
  );
  const every = (act: (queue: Queue) => Promise<unknown>) =>
    Promise.all([...queues.values()].map(act));

  return {
    async add(kind: RunKind, count: number, delay = 0): Promise<void> {
      const opts = { delay, removeOnComplete: true, removeOnFail: true };
      for (let start = 0; start < count; start += CHUNK)
        await queues.get(kind)!.addBulk(
          Array.from({ length: Math.min(CHUNK, count - start) }, () => ({
            name: kind,
            data: {},
            opts: { ...opts, jobId: nextId() },
          })),
        );
    },
    /** Tickets that no worker has yet. */
    async waiting(kind: RunKind): Promise<number> {
      const counts = await queues.get(kind)!.getJobCounts('wait');
      return counts.wait ?? 0;
    },
    /** Throws away tickets that wait, where no job does. */
    drain: (kind: RunKind) => queues.get(kind)!.drain(),
    pause: () => every((queue) => queue.pause()),
    resume: () => every((queue) => queue.resume()),
    check: () => every((queue) => queue.getJobCounts('wait')),
    close: () => every((queue) => queue.close()),

    /** Calls `process` with the ids of tickets, `concurrency` at a time. Returns how to stop. */
    work(kind: RunKind, concurrency: number, process: (ticket: string) => Promise<void>) {
      const worker = new Worker(
        nameOf(kind),
        (ticket) => process(ticket.id!),
        {
          ...{ connection, concurrency, lockDuration: LOCK, stalledInterval: CHECK },
          maxStalledCount: 1_000_000, // how often a job may lose its process is counted in its row
          runRetryDelay: 2000,
        },
        backend as never,
      );
      worker.on('error', () => {}); // lost connections are made anew, lost locks are seen in the rows
      return {
        ready: () => worker.waitUntilReady(),
        close: () => worker.close(),
      };
    },
  };
}

const nameOf = (kind: RunKind) => `ropewalk-${kind}`;
