/**
 * Puts right what ended processes and lost queues leave behind. Rows are the truth: jobs whose process is silent wait
 * again, and the queue gets the tickets that it lacks, as after a process that ended between row and ticket, or a
 * Redis that lost everything.
 */
import type { Claims } from './claims.ts';
import type { Job } from './job.ts';
import { SILENCE } from './presence.ts';
import { RUN_KINDS, type RunKind, type TicketQueue } from './queue.ts';

const INTERVAL = 2000;
const UNUSED = 20;

export type Sweep = ReturnType<typeof createSweep>;
export type SweepParts = {
  readonly claims: Claims;
  readonly queue: TicketQueue;
  readonly tellJob: (job: Job) => void;
};

export function createSweep({ claims, queue, tellJob }: SweepParts) {
  /** How many tickets lacked the last time. */
  let lacking = new Map<RunKind, number>();
  let unused = 0;
  /** How often adding has begun and ended in this process. */
  let begun = 0;
  let ended = 0;

  async function missing(): Promise<Map<RunKind, number>> {
    const jobs = await claims.waiting();
    const found = new Map<RunKind, number>();
    for (const kind of RUN_KINDS) {
      const count = jobs.get(kind) ?? 0;
      if (count > 0) found.set(kind, count - (await queue.waiting(kind)));
    }
    return found;
  }

  return {
    /** Where no other process can have jobs or be adding any. */
    async alone(): Promise<void> {
      for (const job of await claims.takeBack('all')) tellJob(job);
      for (const [kind, count] of await missing()) await queue.add(kind, count);
    },

    /** Around writing rows and adding their tickets. */
    async adding<T>(work: () => Promise<T>): Promise<T> {
      begun++;
      return work().finally(() => ended++);
    },

    /**
     * For each ticket that found no job: after some, as when a batch was cancelled, all that wait are thrown away
     * where no job waits. Jobs that another process adds at that moment get their tickets from the next sweeps.
     */
    async drainExcess(kind: RunKind): Promise<void> {
      const before = begun;
      if (++unused < UNUSED || ended !== before) return;
      unused = 0;
      const jobs = await claims.waiting();
      if (!jobs.has(kind) && begun === before) await queue.drain(kind);
    },

    async once(): Promise<void> {
      for (const job of await claims.takeBack(SILENCE)) tellJob(job);
      const now = await missing();
      // What lacked the last time too is not just being added.
      for (const [kind, count] of now) {
        const both = Math.min(count, lacking.get(kind) ?? 0);
        if (both > 0) await queue.add(kind, both);
      }
      lacking = now;
    },

    /** Returns how to stop. */
    start(): () => Promise<void> {
      let busy = Promise.resolve();
      const timer = setInterval(() => {
        busy = busy.then(() => this.once()).catch(() => {}); // queue or database are away: the next time
      }, INTERVAL).unref();
      return () => {
        clearInterval(timer);
        return busy;
      };
    },
  };
}
