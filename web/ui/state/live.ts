/** Keeps state/facts.ts true: loads the lists, then listens; after a silence it asks for what it missed. */
import { computed, signal } from '@preact/signals';
import type { Job, JobEvent } from '../../../jobs/job.ts';
import { ApiError, api } from '../api.ts';
import { backoff, eventReader } from './event-stream.ts';
import { replaceJobs, take } from './facts.ts';

/** Since when there was no word from the server, and when the page tries again; milliseconds. */
export const lost = signal<{ readonly since: number; readonly next: number } | undefined>(
  undefined,
);
/** Lists were loaded at least once. */
export const loaded = signal(false);
/** Grows whenever lists have to be loaded anew, because events were missed. */
export const resets = signal(0);
export const now = signal(Date.now());
/** A connection that is back within three seconds is nobody's concern. */
export const isLost = computed(() => lost.value && now.value - lost.value.since > 3000);

/** The server says something at least every 15 s; after this long without a word the line is dead. */
const SILENCE = 40_000;

let lastId: string | undefined;
let hurry = () => {};
export const tryNow = (): void => hurry();

/** Never ends. */
export async function live(): Promise<never> {
  setInterval(() => {
    if (lost.value) now.value = Date.now();
  }, 500);
  for (let tries = 0; ; ) {
    try {
      if (!loaded.value) await loadLists();
      await listen(() => {
        tries = 0;
        lost.value = undefined;
      });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) location.assign('/login');
    }
    tries++;
    await waitForNext(backoff(tries) * 1000);
  }
}

async function waitForNext(milliseconds: number): Promise<void> {
  const here = Date.now();
  now.value = here;
  lost.value = { since: lost.value?.since ?? here, next: here + milliseconds };
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    hurry = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

/** Everything that is not ended, and the newest of the rest. */
export async function loadLists(): Promise<void> {
  const open: Job[] = [];
  let after: string | undefined;
  do {
    const page = await api.jobs({
      state: ['running', 'waiting', 'paused'],
      order: 'queue',
      limit: 200,
      ...(after !== undefined && { after }),
    });
    open.push(...page.jobs);
    after = page.next;
  } while (after !== undefined && open.length < 10_000);
  const late = await api.jobs({ state: ['done', 'failed', 'cancelled'], limit: 50 });
  replaceJobs([...late.jobs, ...open], late.paused);
  loaded.value = true;
  resets.value++;
}

/** Until the connection ends. */
async function listen(onOpen: () => void): Promise<void> {
  const abort = new AbortController();
  let watchdog = setTimeout(() => abort.abort(), SILENCE);
  try {
    const response = await fetch('/api/v1/events', {
      headers: {
        accept: 'text/event-stream',
        ...(lastId !== undefined && { 'last-event-id': lastId }),
      },
      signal: abort.signal,
    });
    if (!response.ok || !response.body)
      throw new ApiError('The server sends no events.', { status: response.status });
    onOpen();
    const read = eventReader();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => abort.abort(), SILENCE);
      for (const { id, event, data } of read(part.value)) {
        if (id !== undefined) lastId = id;
        if (event === 'reset') await loadLists();
        else soon(JSON.parse(data) as JobEvent);
      }
    }
  } finally {
    clearTimeout(watchdog);
    abort.abort();
  }
}

let gathered: JobEvent[] = [];
/** All events of one frame at once; a hidden tab draws no frames, so there a timer stands in. */
function soon(event: JobEvent): void {
  gathered.push(event);
  if (gathered.length > 1) return;
  const flush = () => {
    const events = gathered;
    gathered = [];
    take(events);
  };
  if (document.hidden) setTimeout(flush, 250);
  else requestAnimationFrame(flush);
}
