/**
 * The server with its queue and its worker, as a client sees it: how soon it answers and draws, how quickly it
 * answers many, how late events are, and what a long queue costs. Needs `npm run build` before it.
 */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { quantile } from '../evaluation/bootstrap.ts';
import {
  type BenchServer,
  clock,
  type Stamped,
  startServer,
  temporaryData,
  watchEvents,
} from './server.ts';

const STARTS = 3;
const CLIENTS = 50;
const SECONDS = 10;
const QUEUED = 10_000;
const PICTURES = 10;
const PAIRS = 3;
/** Jobs that a worker has in hand, and so pictures of a batch at most. */
const BATCH = 16;
/** Batches of one side of a pair, after a first one. */
const BATCHES = 2;
/** Milliseconds within which the pictures of one batch tell of a step. */
const TOGETHER = 50;

const draftOf = (seed: number) => ({
  model: 'avatars-64',
  prompt: 'avataaars, red hair, glasses',
  seed,
});
const draftsOf = (count: number) => Array.from({ length: count }, (_, i) => draftOf(i));
type Added = { readonly job: { readonly id: string } };

export async function benchServe(say: (line: string) => void): Promise<void> {
  await benchStarts(say);
  const places = [await temporaryData(), await temporaryData()] as const;
  const servers = [
    await startServer(places[0].folder),
    await startServer(places[1].folder),
  ] as const;
  try {
    const [long, short] = servers;
    for (const server of servers) await server.answers('/api/v1/ready');
    say(`memory of the server after its start: ${memoryOf(long)}`);
    await benchReads(long, say);
    say(`memory after that: ${memoryOf(long)}`);
    await benchEvents(short, say);
    await benchAdding(long, say);
    say(`memory after that: ${memoryOf(long)}`);
    await benchQueue({ long, short }, say);
    say(`memory at the end: ${memoryOf(long)}`);
  } finally {
    for (const server of servers) await server.stop();
    for (const place of places) await place.remove();
  }
}

const memoryOf = ({ memory }: BenchServer): string => {
  const { now, peak } = memory();
  return `${now.toFixed(0)} MB, peak ${peak.toFixed(0)} MB`;
};

/** Median and worst, in seconds. */
const seconds = (times: readonly number[]): string =>
  `median ${(quantile(times, 0.5) / 1000).toFixed(2)} s, worst ${(Math.max(...times) / 1000).toFixed(2)} s`;

/** Of new folders of data, and of each of them again. */
async function benchStarts(say: (line: string) => void): Promise<void> {
  const starts = { new: [] as Start[], old: [] as Start[] };
  for (let i = 0; i < STARTS; i++) {
    const { folder, remove } = await temporaryData();
    for (const kind of ['new', 'old'] as const) starts[kind].push(await timeStart(folder));
    await remove();
  }
  for (const [kind, times] of Object.entries(starts))
    say(
      `start on a ${kind} folder, from the process's start: page ${seconds(times.map(({ page }) => page))}; ` +
        `ready ${seconds(times.map(({ ready }) => ready))}; first picture ${seconds(times.map(({ picture }) => picture))}`,
    );
}

type Start = { readonly page: number; readonly ready: number; readonly picture: number };

/** The picture is asked for as soon as the page answers, again and again until it is taken. */
async function timeStart(folder: string): Promise<Start> {
  const server = await startServer(folder);
  try {
    const page = await server.answers('/');
    const ready = server.answers('/api/v1/ready');
    const id = await ask(server);
    const picture = await server.answers(`/api/v1/images/${id}-0/file`);
    return {
      page: page - server.began,
      ready: (await ready) - server.began,
      picture: picture - server.began,
    };
  } finally {
    await server.stop();
  }
}

async function ask(server: BenchServer): Promise<string> {
  for (;;) {
    const added = await server.post<Added>('/api/v1/images', draftOf(7)).catch(() => undefined);
    if (added) return added.job.id;
    await delay(5);
  }
}

/** Clients that ask again as soon as they are answered, in a process of their own; the worker has nothing to do. */
async function benchReads(server: BenchServer, say: (line: string) => void): Promise<void> {
  const { job } = await server.post<Added>('/api/v1/images', draftOf(7));
  await server.answers(`/api/v1/images/${job.id}-0/file`);
  const program = createRequire(import.meta.url).resolve('autocannon');
  const args = ['-c', `${CLIENTS}`, '-d', `${SECONDS}`, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[program, ...args, `${server.address}/api/v1/jobs/${job.id}`],
  ]);
  const { latency, requests, non2xx } = JSON.parse(stdout);
  say(
    `GET /api/v1/jobs/:id, ${CLIENTS} clients: p50 ${latency.p50} ms, p99 ${latency.p99} ms, ` +
      `${requests.average.toFixed(0)} a second, ${non2xx} failed`,
  );
}

/** From a step in the process that computes to its event at a client; pictures are asked for one after the other. */
async function benchEvents(server: BenchServer, say: (line: string) => void): Promise<void> {
  const watched = await watchEvents(server);
  for (let i = 0; i < PICTURES; i++) {
    const { job } = await server.post<Added>('/api/v1/images', draftOf(i));
    await server.answers(`/api/v1/images/${job.id}-0/file`);
  }
  watched.stop();
  say(`events after their steps, one picture at a time: ${latenessOf(watched.late())}`);
}

const latenessOf = (late: readonly number[]): string =>
  `p50 ${quantile(late, 0.5).toFixed(1)} ms, p99 ${quantile(late, 0.99).toFixed(1)} ms, longest ${Math.max(...late).toFixed(1)} ms, of ${late.length}`;

/** As one batch, to a queue that is paused, so that nothing is drawn at the same time. */
async function benchAdding(server: BenchServer, say: (line: string) => void): Promise<void> {
  await pause(server);
  const requests = draftsOf(QUEUED);
  const began = clock();
  await server.post('/api/v1/batches', { title: 'a long queue', requests });
  say(`${QUEUED} jobs added: ${((clock() - began) / 1000).toFixed(2)} s`);
}

/** Until nothing is drawn any more. */
async function pause(server: BenchServer): Promise<void> {
  await server.post('/api/v1/queue/pause', {});
  await settle(server);
}
async function settle(server: BenchServer): Promise<void> {
  for (;;) {
    const answer = await server.get('/api/v1/jobs?limit=1');
    const { counts } = (await answer.json()) as { counts: { running: number } };
    if (counts.running === 0) return;
    await delay(50);
  }
}

/** Milliseconds a picture of two servers in turn: one whose queue is long, one that has little more than is drawn. */
async function benchQueue(
  { long, short }: { long: BenchServer; short: BenchServer },
  say: (line: string) => void,
): Promise<void> {
  const pairs: { long: Drawn; short: Drawn }[] = [];
  const few = { title: 'a short queue', requests: draftsOf(BATCH * (BATCHES + 2)) };
  for (let i = 0; i < PAIRS; i++) {
    let batch = '';
    const fewer = await timePictures(short, async () => {
      batch = (await short.post<Added>('/api/v1/batches', few)).job.id;
    });
    await short.post(`/api/v1/jobs/${batch}/cancel`, {});
    await settle(short);
    const many = await timePictures(long, () => long.post('/api/v1/queue/resume', {}));
    await pause(long);
    pairs.push({ long: many, short: fewer });
  }
  const median = (which: 'long' | 'short', what: 'each' | 'processor') =>
    quantile(
      pairs.map((pair) => pair[which][what]),
      0.5,
    ).toFixed(1);
  const ratios = pairs.map((pair) => pair.long.each / pair.short.each);
  say(
    `a picture while ${QUEUED} jobs wait: median ${median('long', 'each')} ms, of it ${median('long', 'processor')} ms processor time of the server; ` +
      `while fewer than ${few.requests.length} do: ${median('short', 'each')} ms, ${median('short', 'processor')} ms; ` +
      `ratios of pairs ${ratios.map((ratio) => ratio.toFixed(3)).join(', ')}, median ${quantile(ratios, 0.5).toFixed(3)}`,
  );
  const late = pairs.flatMap((pair) => pair.long.late);
  say(`events after their steps, while ${QUEUED} jobs wait: ${latenessOf(late)}`);
}

/** Milliseconds a picture: by the clock, and that the server itself computed. */
type Drawn = {
  readonly each: number;
  readonly processor: number;
  readonly late: readonly number[];
};

/** From the end of the first batch to that of the last one, with all that is between batches. */
async function timePictures(server: BenchServer, start: () => Promise<unknown>): Promise<Drawn> {
  const watched = await watchEvents(server);
  await start();
  const before = server.processor();
  while (watched.pictures() <= BATCH * BATCHES) await delay(20);
  const processor = (server.processor() - before) / watched.pictures();
  watched.stop();
  const ends = endsOf(watched.steps());
  const first = ends[0]!;
  const last = ends[BATCHES]!;
  const each = (last.at - first.at) / (last.pictures - first.pictures);
  return { each, processor, late: watched.late() };
}

/** When batches ended, and how many pictures there were by then: each tells of its last step. */
function endsOf(steps: readonly Stamped[]) {
  const most = Math.max(...steps.map(({ step }) => step));
  const ends: { at: number; pictures: number }[] = [];
  let pictures = 0;
  for (const { at } of steps.filter(({ step }) => step === most)) {
    pictures++;
    const before = ends.at(-1);
    if (before && at - before.at < TOGETHER) ends[ends.length - 1] = { at: before.at, pictures };
    else ends.push({ at, pictures });
  }
  return ends;
}
