/** One batch with the jobs of its requests and their pictures: loaded once, then kept true by events. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { BatchInput } from '../../../jobs/job.ts';
import { isEnded } from '../../../jobs/state.ts';
import { api, type Job, type StoredPicture } from '../api.ts';
import { calmly } from '../state/calmly.ts';
import { jobs, onEvent, progress, takeAnswers } from '../state/facts.ts';
import { resets } from '../state/live.ts';
import { rateOf, type Sample, withSample } from './rate.ts';

/** Pictures shown under a running batch. */
export const LATEST = 48;
/** Between two looks at what is new. */
const PAUSE = 1500;
/** Rows asked for at a time. */
const PAGE = 200;

export type BatchFacts = {
  readonly job: ReadonlySignal<Job | undefined>;
  /** Its axes and cells; its requests are its children's. */
  readonly input: Signal<BatchInput | undefined>;
  readonly error: Signal<string | undefined>;
  readonly latest: Signal<readonly StoredPicture[]>;
  readonly failed: Signal<readonly Job[]>;
  /** Pictures a second, seconds that are left. */
  readonly rate: ReadonlySignal<number | undefined>;
  readonly eta: ReadonlySignal<number | undefined>;
  /** By request; filled by `loadRequests`. */
  readonly children: Signal<ReadonlyMap<number, Job>>;
  /** The first picture of each child, by the child's id. */
  readonly pictures: Signal<ReadonlyMap<string, StoredPicture>>;
  loadRequests(): void;
  close(): void;
};

/** What stands in a cell of a sheet. */
export type Drawn = {
  readonly job: Job | undefined;
  readonly picture: StoredPicture | undefined;
};

export function openBatch(id: string): BatchFacts {
  const job = computed(() => jobs.value.get(id));
  const input = signal<BatchInput | undefined>(undefined);
  const error = signal<string | undefined>(undefined);
  const latest = signal<readonly StoredPicture[]>([]);
  const failed = signal<readonly Job[]>([]);
  const samples = signal<readonly Sample[]>([]);
  const children = signal<ReadonlyMap<number, Job>>(new Map());
  const pictures = signal<ReadonlyMap<string, StoredPicture>>(new Map());
  let [closed, whole] = [false, false];

  const complainHere = (wrong: Error) => {
    if (!closed) error.value = wrong.message;
  };
  const look = async () => {
    const page = await api.images({ job: id, limit: LATEST });
    const broken = await api.jobs({ parent: id, state: ['failed'], limit: LATEST });
    if (closed) return;
    latest.value = page.images;
    failed.value = broken.jobs;
  };
  const soon = calmly(() => look().catch(complainHere), PAUSE);

  const keep = (rows: readonly StoredPicture[]) => {
    const next = new Map(pictures.value);
    for (const picture of rows)
      if ((next.get(picture.job)?.index ?? Number.POSITIVE_INFINITY) >= picture.index)
        next.set(picture.job, picture);
    pictures.value = next;
  };
  const keepChildren = (rows: readonly Job[]) => {
    const next = new Map(children.value);
    for (const row of rows) if (row.index !== undefined) next.set(row.index, row);
    children.value = next;
  };
  const loadAll = async () => {
    for await (const rows of pagesOf((after) =>
      api
        .jobs({ parent: id, limit: PAGE, ...after })
        .then(({ jobs: items, next }) => ({ items, next })),
    ))
      if (!closed) keepChildren(rows);
    for await (const rows of pagesOf((after) =>
      api
        .images({ job: id, order: 'oldest', limit: PAGE, ...after })
        .then(({ images: items, next }) => ({ items, next })),
    ))
      if (!closed) keep(rows);
  };

  const stopEvents = onEvent((event) => {
    if (event.type === 'picture') {
      soon();
      if (whole) keep([event.picture]);
    } else if (event.type === 'job' && event.job.parent === id) {
      soon();
      if (whole) keepChildren([event.job]);
    }
  });
  const stopSamples = effect(() => {
    const { done = 0, state } = job.value ?? {};
    if (state === 'running') samples.value = withSample(samples.peek(), { at: Date.now(), done });
    else samples.value = [];
  });
  const stopResets = effect(() => {
    resets.value;
    api.job(id).then(({ job: row }) => {
      if (closed) return;
      takeAnswers([row]);
      input.value = row.input as BatchInput;
    }, complainHere);
    soon();
    if (whole) loadAll().catch(complainHere);
  });

  const rate = computed(() => rateOf(samples.value));
  const eta = computed(() => {
    const { total, done, state } = job.value ?? { total: 0, done: 0 };
    if (state === undefined || isEnded(state)) return undefined;
    const told = progress.value.get(id)?.eta;
    return told ?? (rate.value === undefined ? undefined : (total - done) / rate.value);
  });
  return {
    ...{ job, input, error, latest, failed, rate, eta, children, pictures },
    loadRequests() {
      if (whole) return;
      whole = true;
      loadAll().catch(complainHere);
    },
    close() {
      closed = true;
      for (const stop of [stopEvents, stopSamples, stopResets]) stop();
    },
  };
}

/** Page after page, until the last. */
async function* pagesOf<Item>(
  load: (after: { after?: string }) => Promise<{
    readonly items: readonly Item[];
    readonly next?: string | undefined;
  }>,
) {
  let after: string | undefined;
  do {
    const page = await load(after === undefined ? {} : { after });
    yield page.items;
    after = page.next;
  } while (after !== undefined);
}

export function useBatch(id: string): BatchFacts {
  const facts = useMemo(() => openBatch(id), [id]);
  useEffect(() => facts.close, [facts]);
  return facts;
}
