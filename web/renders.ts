/** A render asked for by a client that waits for its pictures; who leaves cancels it. */
import type { FastifyReply } from 'fastify';
import { isEnded, type Job, type JobEvent, type StoredPicture } from '../jobs/job.ts';
import { Conflict, type Jobs, NotFound } from '../jobs/jobs.ts';
import type { ImageRequest } from '../request.ts';
import { HttpError } from './errors.ts';

export type Told =
  | Extract<JobEvent, { type: 'progress' | 'preview' | 'picture' }>
  /** Nothing happened for a while. */
  | { readonly type: 'quiet' };

export type Render = {
  readonly job: Job;
  /** Until the job is over; throws where it failed, was cancelled or `signal` was aborted. */
  readonly told: AsyncGenerator<Told>;
};

/** Milliseconds after which the row is read, in case an event was lost. */
const QUIET = 10_000;

export class RenderEnded extends Error {
  readonly job: Job;

  constructor(job: Job) {
    super(
      job.state === 'cancelled'
        ? 'the pictures were cancelled'
        : `the pictures failed: ${job.reason ?? 'for no known reason'}`,
    );
    this.job = job;
  }
}

/** Throws QueueFull before anything is made; `told` has to be read to its end or given up. */
export async function startRender(
  jobs: Jobs,
  request: ImageRequest,
  { signal, quiet = QUIET }: { signal: AbortSignal; quiet?: number },
): Promise<Render> {
  const events: JobEvent[] = [];
  let id: string | undefined;
  let wake = () => {};
  const stop = jobs.listen((event) => {
    if (id !== undefined && jobOf(event) !== id) return;
    events.push(event);
    wake();
  });
  try {
    const job = await jobs.add({ kind: 'render', request });
    id = job.id;
    const next = () =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, quiet);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (events.length > 0 || signal.aborted) wake();
      });
    const give = () => {
      stop(); // also where nobody reads `told`
      wake();
      cancelRender(jobs, job.id).catch(() => {});
    };
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
    return { job, told: follow(jobs, job, { events, next, signal, stop }) };
  } catch (error) {
    stop();
    throw error;
  }
}

const LEFT = 'request: expected a client that waits for its pictures, got one that hung up';

/** Aborted when the client hangs up before it has its answer. */
export function whenGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.on('close', () => {
    if (!raw.writableFinished) gone.abort(new HttpError('invalid', LEFT)); // no fault of ours to log
  });
  return gone.signal;
}

const isTold = (event: JobEvent): event is Exclude<Told, { type: 'quiet' }> =>
  event.type === 'progress' || event.type === 'preview' || event.type === 'picture';
const jobOf = (event: JobEvent): string | undefined => {
  if (event.type === 'job') return event.job.id;
  if (event.type === 'picture') return event.picture.job;
  return isTold(event) ? event.job : undefined;
};

async function* follow(
  jobs: Jobs,
  { id }: Job,
  how: { events: JobEvent[]; next: () => Promise<void>; signal: AbortSignal; stop: () => void },
): AsyncGenerator<Told> {
  let over: Job | undefined;
  try {
    while (!over) {
      await how.next();
      how.signal.throwIfAborted();
      const events = how.events.splice(0).filter((event) => jobOf(event) === id);
      for (const event of events)
        if (event.type === 'job') over = isEnded(event.job.state) ? event.job : over;
        else if (isTold(event)) yield event;
      if (events.length > 0) continue;
      const job = await jobs.get(id);
      if (!job) throw new NotFound(`jobs: expected the id of a job, got '${id}'`);
      if (isEnded(job.state)) over = job;
      else yield { type: 'quiet' };
    }
    if (over.state !== 'done') throw new RenderEnded(over);
  } finally {
    how.stop();
    if (!over && !how.signal.aborted) await cancelRender(jobs, id);
  }
}

/** Of a render, or a batch of them; no matter if it is over by now. */
export async function cancelRender(jobs: Jobs, id: string): Promise<void> {
  try {
    await jobs.cancel(id);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}

/** The pictures of a job by their place; all of them once it is done. */
export async function filesOfRender(
  jobs: Jobs,
  { id }: Job,
): Promise<{ readonly picture: StoredPicture; readonly file: Buffer }[]> {
  const { items } = await jobs.pictures.list({ job: id, order: 'oldest', limit: 500 });
  const files = await Promise.all(
    items
      .toSorted((a, b) => a.index - b.index)
      .map(async (picture) => ({ picture, file: await jobs.pictures.read(picture.id) })),
  );
  return files.flatMap(({ picture, file }) => (file ? [{ picture, file }] : []));
}
