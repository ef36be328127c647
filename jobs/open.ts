/** Opens the door `Jobs`: database, queue, store and news, put together. */
import { randomUUID } from 'node:crypto';
import { createBatches } from './batches.ts';
import { createClaims } from './claims.ts';
import { createEvents, type Events } from './events.ts';
import { createGallery, type Gallery } from './gallery.ts';
import { createHistory } from './history.ts';
import type { Job } from './job.ts';
import { type Jobs, type JobWorker, QueueFull } from './jobs.ts';
import { openParts, type Parts, type Places } from './parts.ts';
import { createPresence } from './presence.ts';
import { createQueue, isRun } from './queue.ts';
import { checkReady, inTime } from './readiness.ts';
import type { Store } from './store.ts';
import { createSweep } from './sweep.ts';
import { startTidying } from './tidy.ts';
import { type Changed, createTransitions } from './transitions.ts';
import { startWork } from './work.ts';
import type { WorkerLimits } from './worker.ts';

export type OpenOptions = Places & {
  readonly limits?: Partial<Limits> | undefined;
};
export type Limits = WorkerLimits & {
  /** Jobs that wait. */
  readonly waiting: number;
  /** Milliseconds in which a deleted picture can be restored. */
  readonly undo: number;
};

const LIMITS: Limits = { waiting: 20_000, undo: 600_000, backoff: 1000, attempts: 3, losses: 10 };

export type OpenJobs = Jobs & {
  /** Tells those who find the data folder taken where this process can be reached. */
  announce(address: string): void;
};

export async function openJobs(options: OpenOptions): Promise<OpenJobs> {
  const parts = await openParts(options);
  try {
    return await createJobs(parts, { ...LIMITS, ...options.limits });
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function createJobs(parts: Parts, limits: Limits): Promise<OpenJobs> {
  const { database, store, redis, lock } = parts;
  const history = createHistory(database);
  const gallery = createGallery(database);
  const claims = createClaims(database);
  const presence = createPresence(database);
  const transitions = createTransitions(database);
  const queue = createQueue(database, redis);
  const events = await createEvents(database, redis);
  const batches = createBatches(transitions, (job) => events.tell({ type: 'job', job }));
  const tellJob = (job: Job) => {
    events.tell({ type: 'job', job });
    if (job.parent !== undefined) batches.touch(job.parent);
  };
  const sweep = createSweep({ claims, queue, tellJob });
  const workers = new Set<JobWorker>();

  /** Tickets for jobs whose rows are written; what does not get them now gets them from the sweep. */
  async function ticket(kind: Job['kind'], count: number): Promise<void> {
    if (isRun(kind)) await inTime(queue.add(kind, count)).catch(() => {});
  }
  /** What people asked of a job, told to listeners and to who runs it. */
  async function changed(change: Promise<Changed>): Promise<Changed> {
    const done = await change;
    tellJob(done.job);
    events.look(done.job.id);
    return done;
  }
  const stop = async (change: Promise<Changed>) => (await changed(change)).job;
  const go = (change: () => Promise<Changed>) =>
    sweep.adding(async () => {
      const { job, kind, count } = await changed(change());
      await ticket(kind, count);
      return job;
    });
  async function pause(paused: boolean): Promise<void> {
    await history.set('paused', paused);
    await (paused ? queue.pause() : queue.resume());
    events.tell({ type: 'queue', paused });
  }

  if (database.kind === 'embedded') {
    await presence.clear();
    await sweep.alone();
  }
  if ((await history.setting('paused')) === true) await queue.pause();
  for (const id of await history.openBatches()) batches.touch(id);
  const stopSweep = sweep.start();
  const stopTidying = startTidying(database, gallery, store, limits.undo);

  return {
    async add(input, { priority = 100, title } = {}) {
      const more = input.kind === 'batch' ? input.requests.length : 1;
      const { waiting } = await history.counts();
      if (waiting + more > limits.waiting)
        throw new QueueFull(
          `queue: expected at most ${limits.waiting} waiting jobs, got ${waiting + more}`,
        );
      return sweep.adding(async () => {
        const job = await history.add(input, { priority, title });
        tellJob(job);
        await ticket(job.kind === 'batch' ? 'render' : job.kind, more);
        return job;
      });
    },
    get: history.get,
    list: history.list,
    counts: history.counts,
    cancel: (id) => stop(transitions.cancel(id)),
    pause: (id) => stop(transitions.pause(id)),
    resume: (id) => go(() => transitions.resume(id)),
    retry: (id) => go(() => transitions.retry(id)),
    async move(id, to) {
      const job = await transitions.move(id, to);
      tellJob(job);
      return job;
    },
    pauseAll: () => pause(true),
    resumeAll: () => pause(false),
    isPaused: async () => (await history.setting('paused')) === true,
    async points(job, after) {
      await transitions.find(job);
      return history.points(job, after);
    },
    pictures: createPictures(gallery, store, events),
    async keepUpload(file) {
      const id = `upload-${randomUUID()}`;
      await store.put(id, file);
      return id;
    },
    listen: events.listen,

    workers: presence.list,
    async work(handler, options) {
      const parts = { claims, events, gallery, history, queue, store, tellJob, limits };
      const started = await startWork({ ...parts, presence, sweep }, handler, options);
      const worker: JobWorker = {
        ...started,
        async stop() {
          workers.delete(worker);
          await started.stop();
        },
      };
      workers.add(worker);
      return worker;
    },

    check: () => checkReady({ database, queue, store }),
    announce: (address) => lock?.announce(address),
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await stopSweep();
      await stopTidying();
      await batches.flush();
      await events.close();
      await queue.close();
      await parts.close();
    },
  };
}

function createPictures(gallery: Gallery, store: Store, events: Events): Jobs['pictures'] {
  return {
    get: gallery.get,
    list: gallery.list,
    count: gallery.count,
    read: (id) => store.read(id),
    stream: (id) => store.stream(id),
    async remove(id) {
      await gallery.remove(id);
      events.tell({ type: 'deleted', picture: id });
    },
    async restore(id) {
      const picture = await gallery.restore(id);
      events.tell({ type: 'picture', picture });
      return picture;
    },
  };
}
