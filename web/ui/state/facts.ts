/**
 * What the page knows of jobs and pictures, and how an event changes it. Nothing here touches the
 * browser: views read these signals, state/live.ts fills them.
 */
import { batch, computed, signal } from '@preact/signals';
import type { Job, JobEvent, Progress, StoredPicture } from '../../../jobs/job.ts';
import { isEnded } from '../../../jobs/state.ts';

/** Jobs that belong to no batch: all that are not ended, and the ended ones of late. */
export const jobs = signal<ReadonlyMap<string, Job>>(new Map());
export const progress = signal<ReadonlyMap<string, Progress>>(new Map());
/** Of a running render: estimates of the pictures being drawn, oldest first. */
export const previews = signal<ReadonlyMap<string, readonly Preview[]>>(new Map());
/** Pictures that were loaded or came since the page was opened, by id. */
export const pictures = signal<ReadonlyMap<string, StoredPicture>>(new Map());
export const paused = signal(false);

export type Preview = {
  readonly index: number;
  /** Of the render's steps that were done by then. */
  readonly share: number;
  readonly png: string;
};

/** More than anyone looks at; older ones leave. */
const MOST = { pictures: 2000, ended: 500 };

const listeners = new Set<(event: JobEvent) => void>();
/** Every event as it comes, also of jobs inside batches. Returns how to stop. */
export function onEvent(listener: (event: JobEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Events in their order; views are drawn once for all of them. */
export function take(events: readonly JobEvent[]): void {
  batch(() => {
    for (const event of events) {
      apply(event);
      for (const listener of listeners) listener(event);
    }
  });
}

function apply(event: JobEvent): void {
  switch (event.type) {
    case 'job':
      takeJob(event.job);
      return;
    case 'progress':
      progress.value = withEntry(progress.value, event.job, event.progress);
      return;
    case 'preview':
      takePreview(event);
      return;
    case 'picture':
      takePictures([event.picture]);
      dropPreviews(event.picture);
      return;
    case 'deleted':
      pictures.value = without(pictures.value, event.picture);
      return;
    case 'queue':
      paused.value = event.paused;
  }
}

function takeJob(job: Job): void {
  if (isEnded(job.state) || job.state === 'waiting') {
    progress.value = without(progress.value, job.id);
    previews.value = without(previews.value, job.id);
  }
  if (job.parent === undefined) putJobs([job]);
}

function putJobs(rows: readonly Job[]): void {
  const next = new Map(jobs.peek());
  for (const job of rows) next.set(job.id, job);
  const ended = [...next.values()].filter(({ state }) => isEnded(state));
  for (const { id } of ended.sort(newestFirst).slice(MOST.ended)) next.delete(id);
  jobs.value = next;
}

/** Rows that were asked for. What is known of a job came later, or with the same lists, and stays. */
export function takeAnswers(rows: readonly Job[]): void {
  putJobs(rows.filter(({ id }) => !jobs.peek().has(id)));
}

/** Instead of all that was known: what the server says there is. */
export function replaceJobs(rows: readonly Job[], isPaused: boolean): void {
  batch(() => {
    jobs.value = new Map(rows.map((job) => [job.id, job]));
    const running = new Set(rows.filter(({ state }) => state === 'running').map(({ id }) => id));
    const keep = <T>(map: ReadonlyMap<string, T>) =>
      new Map([...map].filter(([id]) => running.has(id)));
    progress.value = keep(progress.value);
    previews.value = keep(previews.value);
    paused.value = isPaused;
  });
}

/** Estimates of one picture that are kept; in between older ones leave. */
const MOST_SHOTS = 60;

/** Pictures may be drawn several at a time, so that their estimates come in turns. */
function takePreview({ job, index, png }: Extract<JobEvent, { type: 'preview' }>): void {
  const { step = 0, steps = 1 } = progress.value.get(job) ?? {};
  const before = previews.value.get(job) ?? [];
  const same = before.filter((preview) => preview.index === index);
  const tooMany = same.length >= MOST_SHOTS ? same[1] : undefined;
  const rest = before.filter((preview) => preview !== tooMany);
  previews.value = withEntry(previews.value, job, [
    ...rest,
    { index, share: step / Math.max(1, steps), png },
  ]);
}

/** A finished picture needs no estimates any more. */
function dropPreviews({ job, index }: StoredPicture): void {
  const before = previews.value.get(job);
  if (!before) return;
  const rest = before.filter((preview) => preview.index !== index);
  previews.value = withEntry(previews.value, job, rest);
}

/** Estimates of the picture that is shown while a render goes on: the first that is not finished. */
export function shotsOf(job: string): readonly Preview[] {
  const all = previews.value.get(job) ?? [];
  const first = Math.min(...all.map(({ index }) => index));
  return all.filter(({ index }) => index === first);
}

export function takePictures(rows: readonly StoredPicture[]): void {
  const next = new Map(pictures.value);
  for (const picture of rows) next.set(picture.id, picture);
  for (const id of next.keys()) {
    if (next.size <= MOST.pictures) break;
    next.delete(id);
  }
  pictures.value = next;
}

export const picturesOf = (job: string): readonly StoredPicture[] =>
  [...pictures.value.values()]
    .filter((picture) => picture.job === job)
    .sort((a, b) => a.index - b.index);

const newestFirst = (a: Job, b: Job): number => b.createdAt - a.createdAt;

function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T): ReadonlyMap<string, T> {
  return new Map(map).set(key, value);
}
function without<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  if (!map.has(key)) return map;
  const next = new Map(map);
  next.delete(key);
  return next;
}

const all = computed(() => [...jobs.value.values()]);
export const running = computed(() => all.value.filter(({ state }) => state === 'running'));
export const waiting = computed(() => all.value.filter(({ state }) => state === 'waiting'));
export const ended = computed(() =>
  all.value
    .filter(({ state }) => isEnded(state))
    .sort((a, b) => (b.finishedAt ?? b.createdAt) - (a.finishedAt ?? a.createdAt)),
);

/** How far all work that is not ended is, in parts of jobs: 3 of 8 pictures, step 40 of 100. */
export const hall = computed(() => {
  const open = all.value.filter(({ state }) => !isEnded(state));
  const done = open.reduce((sum, job) => sum + doneOf(job, progress.value.get(job.id)), 0);
  const total = open.reduce((sum, job) => sum + totalOf(job, progress.value.get(job.id)), 0);
  return { done, total, jobs: open.length };
});

/** Pictures or steps in all; a measurement learns its steps as it begins, and its progress says them first. */
export const totalOf = (job: Job, now: Progress | undefined): number =>
  job.kind === 'evaluate' ? (now?.steps ?? job.total) : job.total;

/** Pictures or steps; of a render with the parts of pictures that its steps are, which it counts over all of them. */
export function doneOf(job: Job, now: Progress | undefined): number {
  if (job.kind === 'batch') return job.done;
  if (job.kind !== 'render') return Math.max(job.done, now?.step ?? 0);
  const parts = now && now.steps > 0 ? (job.total * now.step) / now.steps : 0;
  return Math.min(job.total, Math.max(job.done, now?.done ?? 0, parts));
}
