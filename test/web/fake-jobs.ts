/** `Jobs` in memory: real rows, events and order, for tests of the server and for building the page. */
import { Readable } from 'node:stream';
import {
  isEnded,
  JOB_STATES,
  type Job,
  type JobEvent,
  type JobInput,
  type JobState,
  type Point,
  type StoredPicture,
} from '../../jobs/job.ts';
import {
  Conflict,
  type JobHandler,
  type JobQuery,
  type Jobs,
  type JobTask,
  NotFound,
  type Page,
  type PictureQuery,
  QueueFull,
  type WorkerView,
} from '../../jobs/jobs.ts';

export function createFakeJobs({ limit = 10_000 }: { limit?: number } = {}): Jobs {
  const rows = new Map<string, Job>();
  const pictures = new Map<string, StoredPicture>();
  const files = new Map<string, Buffer>();
  const removed = new Set<string>();
  const points = new Map<string, Point[]>();
  const running = new Map<string, AbortController>();
  const listeners = new Set<(event: JobEvent) => void>();
  let order: string[] = []; // of waiting jobs
  let made = 0;
  let allPaused = false;
  let handler: JobHandler | undefined;
  let worker: Omit<WorkerView, 'jobs'> | undefined;

  const emit = (event: JobEvent) => {
    for (const listener of listeners) listener(event);
  };
  const find = (id: string): Job => {
    const job = rows.get(id);
    if (!job) throw new NotFound(`jobs: expected the id of a job, got '${id}'`);
    return job;
  };
  const childrenOf = (id: string) => [...rows.values()].filter(({ parent }) => parent === id);

  function update(id: string, change: Partial<Job>): Job {
    const job = { ...find(id), ...change };
    rows.set(id, job);
    emit({ type: 'job', job });
    if (job.parent !== undefined) updateBatch(job.parent);
    return job;
  }

  function updateBatch(id: string): void {
    const children = childrenOf(id);
    const count = (state: JobState) => children.filter((child) => child.state === state).length;
    const done = children.reduce((sum, child) => sum + child.done, 0);
    const open = children.filter(({ state }) => !isEnded(state)).length;
    const ended = count('failed') > 0 ? 'failed' : count('cancelled') > 0 ? 'cancelled' : 'done';
    const active = count('paused') === open ? 'paused' : count('done') + count('running') > 0;
    const state =
      open === 0 ? ended : active === 'paused' ? active : active ? 'running' : 'waiting';
    const times = open === 0 ? { finishedAt: Date.now() } : {};
    update(id, { done, failed: count('failed'), state, ...times });
  }

  function insert(input: JobInput, more: Partial<Job>): Job {
    made++;
    const id = `${Date.now().toString(36)}-${made.toString(36).padStart(5, '0')}`;
    const job: Job = {
      ...{ id, kind: input.kind, state: 'waiting', title: titleOf(input), input, priority: 100 },
      ...{ total: totalOf(input), done: 0, failed: 0, attempts: 0, createdAt: Date.now() },
      ...more,
    };
    rows.set(id, job);
    if (input.kind !== 'batch') order.push(id);
    emit({ type: 'job', job });
    return job;
  }

  async function next(): Promise<void> {
    if (!handler || allPaused || running.size > 0) return;
    const waiting = order.map(find).filter(({ state }) => state === 'waiting');
    const job = waiting.sort((a, b) => a.priority - b.priority)[0];
    if (!job) return;
    order = order.filter((id) => id !== job.id);
    const control = new AbortController();
    running.set(job.id, control);
    update(job.id, { state: 'running', startedAt: Date.now(), attempts: job.attempts + 1 });
    try {
      const result = await handler(taskOf(job.id, control.signal));
      const ended = { state: 'done', finishedAt: Date.now() } as const;
      update(job.id, { ...ended, ...(result !== undefined && { result }) });
    } catch (error) {
      end(job.id, control.signal, error as Error);
    } finally {
      running.delete(job.id);
      queueMicrotask(next);
    }
  }

  function end(id: string, { aborted, reason }: AbortSignal, error: Error): void {
    if (aborted && reason === 'stopped') {
      order.unshift(id);
      update(id, { state: find(id).state === 'paused' ? 'paused' : 'waiting' });
    } else if (aborted) update(id, { state: 'cancelled', finishedAt: Date.now() });
    else update(id, { state: 'failed', reason: error.message, finishedAt: Date.now() });
  }

  const taskOf = (id: string, signal: AbortSignal): JobTask => ({
    job: find(id),
    existing: new Set([...pictures.values()].filter(({ job }) => job === id).map((p) => p.index)),
    signal,
    progress: (progress) => emit({ type: 'progress', job: id, progress }),
    preview: (index, png) =>
      emit({ type: 'preview', job: id, index, png: Buffer.from(png).toString('base64') }),
    point: (point) => void points.set(id, [...(points.get(id) ?? []), point]),
    async picture(index, png, about) {
      const picture = {
        ...{ id: `${id}-${index}`, job: id, index, createdAt: Date.now(), bytes: png.length },
        ...about,
      };
      files.set(picture.id, Buffer.from(png));
      pictures.set(picture.id, picture);
      emit({ type: 'picture', picture });
      const done = [...pictures.values()].filter(({ job }) => job === id).length;
      update(id, { done });
    },
  });

  /** Applies to the jobs of a batch in place of the batch. */
  function act(id: string, from: readonly JobState[], change: (job: Job) => void): Job {
    const job = find(id);
    const children = childrenOf(id);
    const targets = (job.kind === 'batch' ? children : [job]).filter((one) =>
      from.includes(one.state),
    );
    if (targets.length === 0)
      throw new Conflict(`jobs: expected a job that is ${from.join(' or ')}, got ${job.state}`);
    for (const target of targets) change(target);
    queueMicrotask(next);
    return find(id);
  }

  function listJobs(query: JobQuery): Page<Job> {
    const wanted = [...rows.values()].filter(
      (job) =>
        job.parent === query.parent &&
        (query.kind === undefined || job.kind === query.kind) &&
        (query.state === undefined || query.state.includes(job.state)) &&
        (query.search === undefined || job.title.includes(query.search)),
    );
    const place = new Map(order.map((id, i) => [id, i]));
    const inQueue = (a: Job, b: Job) =>
      a.priority - b.priority || (place.get(a.id) ?? -1) - (place.get(b.id) ?? -1);
    return pageOf(query.order === 'queue' ? wanted.sort(inQueue) : wanted.reverse(), query);
  }

  const shown = ({ job, model, search }: Omit<PictureQuery, 'limit'>) =>
    [...pictures.values()].filter(
      (picture) =>
        !removed.has(picture.id) &&
        (job === undefined || picture.job === job || rows.get(picture.job)?.parent === job) &&
        (model === undefined || picture.model === model) &&
        (search === undefined || picture.prompt.includes(search)),
    );
  const visible = (id: string) => (removed.has(id) ? undefined : pictures.get(id));
  const known = (id: string): StoredPicture => {
    const picture = pictures.get(id);
    if (!picture) throw unknownPicture(id);
    return picture;
  };

  return {
    async add(input, { priority = 100, title = titleOf(input) } = {}) {
      const waiting = [...rows.values()].filter(({ state }) => state === 'waiting').length;
      const more = input.kind === 'batch' ? input.requests.length : 1;
      if (waiting + more > limit)
        throw new QueueFull(`queue: expected at most ${limit} waiting jobs, got ${waiting + more}`);
      const job = insert(input, { priority, title });
      if (input.kind === 'batch')
        for (const [index, request] of input.requests.entries())
          insert({ kind: 'render', request }, { parent: job.id, index, priority });
      queueMicrotask(next);
      return job;
    },
    get: async (id) => rows.get(id),
    list: async (query) => listJobs(query),
    async counts() {
      const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0]));
      for (const { state } of rows.values()) counts[state]!++;
      return counts as Record<JobState, number>;
    },
    cancel: async (id) =>
      act(id, ['waiting', 'running', 'paused'], (job) => {
        const control = running.get(job.id);
        if (control) control.abort('cancelled');
        else update(job.id, { state: 'cancelled', finishedAt: Date.now() });
      }),
    pause: async (id) =>
      act(id, ['waiting', 'running'], (job) => {
        update(job.id, { state: 'paused' });
        running.get(job.id)?.abort('stopped');
      }),
    resume: async (id) => act(id, ['paused'], (job) => void update(job.id, { state: 'waiting' })),
    retry: async (id) =>
      act(id, ['failed', 'cancelled'], (job) => {
        const { finishedAt: _, reason: __, ...rest } = job;
        rows.set(job.id, rest);
        order.push(job.id);
        update(job.id, { state: 'waiting' });
      }),
    async move(id, to) {
      if (find(id).state !== 'waiting')
        throw new Conflict(`jobs: expected a job that is waiting, got ${find(id).state}`);
      if (typeof to === 'object') find(to.before);
      order = order.filter((other) => other !== id);
      const at =
        typeof to === 'object' ? order.indexOf(to.before) : to === 'first' ? 0 : order.length;
      order.splice(at, 0, id);
      return update(id, {});
    },
    async pauseAll() {
      allPaused = true;
      emit({ type: 'queue', paused: true });
    },
    async resumeAll() {
      allPaused = false;
      emit({ type: 'queue', paused: false });
      queueMicrotask(next);
    },
    isPaused: async () => allPaused,
    async points(job, after = -1) {
      find(job);
      return (points.get(job) ?? []).filter(({ step }) => step > after);
    },
    pictures: {
      get: async (id) => visible(id),
      list: async (query) =>
        pageOf(query.order === 'oldest' ? shown(query) : shown(query).reverse(), query),
      count: async (query) => shown(query).length,
      read: async (id) => files.get(id),
      stream: async (id) => (files.has(id) ? Readable.from([files.get(id)!]) : undefined),
      async remove(id) {
        if (!visible(id)) throw unknownPicture(id);
        removed.add(id);
        emit({ type: 'deleted', picture: id });
      },
      async restore(id) {
        const picture = known(id);
        removed.delete(id);
        emit({ type: 'picture', picture });
        return picture;
      },
    },
    async keepUpload(file) {
      const id = `upload-${(++made).toString(36)}`;
      files.set(id, file);
      return id;
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    workers: async () =>
      worker ? [{ ...worker, jobs: [...running.keys()].map(find).map(brief) }] : [],
    async work(given, { device = 'cpu' }) {
      handler = given;
      worker = { id: 'fake', host: 'here', pid: 1, device, since: Date.now(), models: [] };
      queueMicrotask(next);
      return {
        loaded: (model, seconds) => emit({ type: 'load', model, seconds }),
        keeps(models) {
          if (worker) worker = { ...worker, models };
        },
        async stop() {
          handler = undefined;
          worker = undefined;
          for (const control of running.values()) control.abort('stopped');
        },
      };
    },
    check: async () => ({ ready: true, problems: [] }),
    async close() {
      handler = undefined;
      for (const control of running.values()) control.abort('stopped');
    },
  };
}

function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  { limit, after }: { limit: number; after?: string },
): Page<Item> {
  const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0)
    throw new RangeError(`query: 'after': expected the 'next' of a page, got '${after}'`);
  const page = items.slice(start, start + limit);
  const more = start + limit < items.length;
  return { items: page, ...(more && { next: page.at(-1)!.id }) };
}

const unknownPicture = (id: string) =>
  new NotFound(`images: expected the id of a picture, got '${id}'`);

function titleOf(input: JobInput): string {
  if (input.kind === 'batch') return input.title;
  if (input.kind === 'render') return promptOf(input.request.condition) || input.request.model;
  return input.kind === 'train' ? 'training' : `evaluation of a ${input.what}`;
}

export const promptOf = (condition: readonly (string | { word: string })[]): string =>
  condition.map((word) => (typeof word === 'string' ? word : word.word)).join(', ');

const brief = ({ id, kind, title, parent }: Job) => ({
  ...{ id, kind, title },
  ...(parent !== undefined && { parent }),
});

const totalOf = (input: JobInput): number => {
  if (input.kind === 'render') return input.request.count;
  if (input.kind === 'batch') return input.requests.reduce((sum, { count }) => sum + count, 0);
  return 20;
};
