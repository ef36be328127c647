/** Runs jobs for tickets: takes the row, calls the handler, keeps what it makes, and writes how it ended. */
import { setInterval } from 'node:timers';
import type { Claim, Claims } from './claims.ts';
import type { Events } from './events.ts';
import { type Gallery, pictureId } from './gallery.ts';
import type { History } from './history.ts';
import type { Job, Point, Progress } from './job.ts';
import { isHopeless, type JobHandler, type JobTask } from './jobs.ts';
import { HEARTBEAT } from './presence.ts';
import type { RunKind, TicketQueue } from './queue.ts';
import { type Store, StoreUnavailable } from './store.ts';

export type WorkerParts = {
  readonly claims: Claims;
  readonly events: Events;
  readonly gallery: Gallery;
  readonly history: History;
  readonly queue: TicketQueue;
  readonly store: Store;
  /** Tells of a job's row, and lets its batch be counted anew. */
  readonly tellJob: (job: Job) => void;
  readonly limits: WorkerLimits;
  /** The id under which others see it. */
  readonly worker: string;
};
export type WorkerLimits = {
  /** Milliseconds after the first error; four times as many after each further one. */
  readonly backoff: number;
  /** Errors in a row after which a job has failed. */
  readonly attempts: number;
  /** Processes that a job may lose without having finished anything. */
  readonly losses: number;
};

/** The least milliseconds between looks at the rows of jobs in hand, and between previews of a job. */
const LOOK = 100;
const PREVIEW = 200;
const LONGEST_BACKOFF = 30_000;

type Running = Claim & {
  readonly control: AbortController;
  progress?: Progress;
  /** As it was told last. */
  total: number;
  points: Point[];
  previewed: number;
};

export type Runner = ReturnType<typeof createRunner>;

export function createRunner(parts: WorkerParts, handler: JobHandler, concurrency: number) {
  const { claims, events, gallery, history, queue, store, tellJob, limits, worker } = parts;
  const running = new Set<Running>();
  const free = createSlots(concurrency);
  let stopped = false;
  let looked = 0;

  /** Aborts what has been cancelled, or is no longer this process's. */
  async function look(): Promise<void> {
    looked = Date.now();
    const held = [...running];
    const states = await claims.statesOf(held).catch(() => []); // a database that is away says nothing
    for (const [i, state] of states.entries())
      if (state !== 'mine') held[i]!.control.abort(state === 'cancelled' ? 'cancelled' : 'stopped');
  }
  const stopLooking = events.onLook((id) => {
    if ([...running].some(({ job }) => job.id === id || job.parent === id)) void look();
  });

  async function beat(): Promise<void> {
    const held = [...running];
    if (held.length === 0) return;
    await Promise.all(held.map(writePoints));
    await claims.alive(
      held.map(({ job, progress }) => {
        const counts = job.kind === 'render' || !progress ? {} : countsOf(progress);
        return { job, ...counts };
      }),
    );
    await look();
    await Promise.all(held.map(tellTotal));
  }

  /** How many steps there are is known with the first progress, where the request did not say it. */
  async function tellTotal(one: Running): Promise<void> {
    const { job, progress } = one;
    if (job.kind === 'render' || !progress || progress.steps === one.total) return;
    one.total = progress.steps;
    const row = await history.get(job.id);
    if (row) tellJob(row);
  }
  const timer = setInterval(() => void beat().catch(() => {}), HEARTBEAT).unref();

  async function writePoints(one: Running): Promise<void> {
    const points = one.points.splice(0);
    if (points.length > 0) await history.addPoints(one.job.id, points);
  }

  function taskOf(one: Running, existing: ReadonlySet<number>): JobTask {
    const { job, control } = one;
    return {
      job,
      existing,
      signal: control.signal,
      progress(progress) {
        one.progress = progress;
        events.tell({ type: 'progress', job: job.id, progress });
        if (Date.now() - looked >= LOOK) void look();
      },
      preview(index, png) {
        if (Date.now() - one.previewed < PREVIEW) return;
        one.previewed = Date.now();
        const text = Buffer.from(png).toString('base64');
        events.tell({ type: 'preview', job: job.id, index, png: text });
      },
      async picture(index, png, about) {
        await store.put(pictureId(job.id, index), png);
        const row = { ...about, job: job.id, index, bytes: png.length };
        const added = await gallery.add(row, job.parent);
        if (added.picture) events.tell({ type: 'picture', picture: added.picture });
        tellJob(added.job);
      },
      point: (point) => void one.points.push(point),
    };
  }

  async function run(one: Running): Promise<void> {
    const { job, losses, control } = one;
    if (losses >= limits.losses) {
      const reason = `the process that ran it ended ${losses} times before anything was finished`;
      return end(await claims.finish(one, { state: 'failed', reason }));
    }
    try {
      const existing = job.kind === 'render' ? await gallery.indices(job.id) : new Set<number>();
      const result = await handler(taskOf(one, existing));
      await writePoints(one);
      if (control.signal.aborted) return await giveBack(one);
      end(await claims.finish(one, { state: 'done', result }));
    } catch (error) {
      await writePoints(one).catch(() => {}); // the first error says more
      if (control.signal.aborted) await giveBack(one);
      else await endWith(one, error as Error);
    }
  }

  const end = (job: Job | undefined) => job && tellJob(job);

  /** A job that was stopped; where it was cancelled or paused meanwhile, its row stays as it is. */
  async function giveBack(one: Running): Promise<void> {
    await again(one, await claims.giveBack(one), 0);
  }

  async function endWith(one: Running, error: Error): Promise<void> {
    const reason = sentence(error);
    const down = error instanceof StoreUnavailable;
    const errors = one.errors + 1;
    if (!down && (isHopeless(error) || errors >= limits.attempts))
      return end(await claims.finish(one, { state: 'failed', reason }));
    const delay = Math.min(LONGEST_BACKOFF, limits.backoff * 4 ** (errors - 1));
    const given = { reason: `${reason}; it is tried again`, delay, errors };
    await again(one, await claims.giveBack(one, given), delay);
  }

  async function again(one: Running, waiting: Job | undefined, delay: number): Promise<void> {
    if (!waiting) return;
    tellJob(waiting);
    await queue.add(one.job.kind as RunKind, 1, delay);
  }

  return {
    running,
    /** For one ticket: at most one job. Whether there was one. */
    async process(kind: RunKind, ticket: string): Promise<boolean> {
      // Jobs of other kinds may have all slots. This ticket waits for one, and another process gets one in its place.
      if (running.size >= concurrency) await queue.add(kind, 1);
      const release = await free.take();
      try {
        if (stopped) await queue.add(kind, 1);
        const claim = stopped ? undefined : await claims.take(kind, ticket, worker);
        if (!claim) return stopped;
        const control = new AbortController();
        const { total } = claim.job;
        const one: Running = { ...claim, control, total, points: [], previewed: 0 };
        running.add(one);
        if (stopped) control.abort('stopped');
        tellJob(claim.job);
        await run(one).finally(() => running.delete(one));
        return true;
      } finally {
        release();
      }
    },
    stop(): void {
      stopped = true;
      free.open();
      for (const { control } of running) control.abort('stopped');
    },
    close(): void {
      clearInterval(timer);
      stopLooking();
    },
  };
}

/** So many at a time; `open` lets all who wait go on. */
function createSlots(count: number) {
  let used = 0;
  const waiting: (() => void)[] = [];
  return {
    async take(): Promise<() => void> {
      if (used >= count) await new Promise<void>((resolve) => waiting.push(resolve));
      else used++;
      return () => {
        const next = waiting.shift();
        if (next) next();
        else used--;
      };
    },
    open(): void {
      for (const resolve of waiting.splice(0)) {
        used++;
        resolve();
      }
    },
  };
}

const countsOf = ({ step, steps }: Progress) => ({ done: step, total: steps });

const sentence = (error: unknown): string => {
  const { message } = error as Error;
  return typeof message === 'string' && message !== '' ? message.split('\n')[0]! : String(error);
};
