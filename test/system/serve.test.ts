/** `ropewalk serve` as people run it: the built command, the model that ships, processes that are killed. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Job, StoredPicture } from '../../jobs/job.ts';
import type { WorkerView } from '../../jobs/jobs.ts';
import { decodePicture, readRecipe } from '../../png.ts';
import { CLI, childOf, type RopewalkServer, startServer } from './ropewalk-server.ts';
import { freePort } from './servers.ts';

const WORDS = 'avataaars, red hair';

let folder: string;
let data: string;
let running: RopewalkServer | undefined;
/** What `ropewalk generate` draws, by seed. */
let expected: Map<number, Awaited<ReturnType<typeof contentOf>>>;

/** SHA-256 of the pixels, and the recipe beside them. */
const contentOf = async (file: Uint8Array) => ({
  pixels: createHash('sha256')
    .update((await decodePicture(file)).data)
    .digest('hex'),
  recipe: readRecipe(file),
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-serve-'));
  const out = join(folder, 'out');
  execFileSync('node', [CLI, 'generate', WORDS, '--seed', '7', '--count', '24', '--out', out]);
  expected = new Map();
  for (const name of readdirSync(out))
    expected.set(
      Number(/seed-(\d+)/.exec(name)![1]),
      await contentOf(readFileSync(join(out, name))),
    );
});
afterEach(async () => {
  running?.process.kill('SIGKILL');
  running = undefined;
  await rm(data, { recursive: true, force: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = async () => {
  running = await startServer(data);
  return running.address;
};

async function until<Value>(look: () => Promise<Value>): Promise<NonNullable<Value>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await delay(50);
  }
}
async function get<Answer>(path: string): Promise<Answer> {
  const answer = await fetch(`${running!.address}/api/v1${path}`);
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
  return (await answer.json()) as Answer;
}
async function post<Answer>(path: string, body: object): Promise<Answer> {
  const answer = await fetch(`${running!.address}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
  return (await answer.json()) as Answer;
}
const jobOf = async (id: string) => (await get<{ job: Job }>(`/jobs/${id}`)).job;
const ended = (id: string) =>
  until(async () => {
    const job = await jobOf(id);
    return job.state === 'done' || job.state === 'failed' || job.state === 'cancelled'
      ? job
      : undefined;
  });
const picturesOf = async (job: string) =>
  (await get<{ images: StoredPicture[] }>(`/images?job=${job}&limit=100`)).images;
/** Every picture of a job once, each the bits that `generate` makes of its seed. */
async function checkPictures(job: string, count: number): Promise<void> {
  const pictures = await picturesOf(job);
  expect(pictures.map(({ seed }) => seed).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: count }, (_, i) => 7 + i),
  );
  for (const { id, seed } of pictures) {
    const file = await fetch(`${running!.address}/api/v1/images/${id}/file`);
    expect(await contentOf(new Uint8Array(await file.arrayBuffer())), `seed ${seed}`).toEqual(
      expected.get(seed),
    );
  }
}
const asked = (count: number) => ({ model: 'avatars', prompt: WORDS, seed: 7, count });
test('pictures are those of `generate`; SIGTERM leaves within 10 s and hands back what runs', async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-data-'));
  await start();
  const { job } = await post<{ job: Job }>('/images', asked(2));
  expect(await ended(job.id)).toMatchObject({ state: 'done', done: 2 });
  await checkPictures(job.id, 2);
  const { workers } = await get<{ workers: WorkerView[] }>('/workers');
  expect(workers).toMatchObject([
    { pid: running!.process.pid, device: 'cpu', jobs: [], models: [{ id: 'avatars' }] },
  ]);
  const metrics = await (await fetch(`${running!.address}/metrics`)).text();
  expect(metrics).toMatch(/^ropewalk_model_load_seconds_count\{model="avatars"\} 1$/m);
  expect(metrics).toMatch(/^ropewalk_model_bytes\{model="avatars"\} [1-9]\d+$/m);

  const long = await post<{ job: Job }>('/images', asked(24));
  await until(async () => (await jobOf(long.job.id)).state === 'running');
  const child = childOf(running!.process.pid!);
  const began = performance.now();
  running!.process.kill('SIGTERM');
  const [code] = await once(running!.process, 'exit');
  expect(code).toBe(0);
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(() => process.kill(child, 0)).toThrow('ESRCH');
  await start();
  expect(await ended(long.job.id)).toMatchObject({ state: 'done', done: 24 });
  await checkPictures(long.job.id, 24);
});

test('a cancelled job stops and keeps what is finished', async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-data-'));
  await start();
  const { job } = await post<{ job: Job }>('/images', asked(200));
  await until(async () => (await jobOf(job.id)).done > 0);
  await post(`/jobs/${job.id}/cancel`, {});
  const after = await ended(job.id);
  expect(after.state).toBe('cancelled');
  const kept = await picturesOf(job.id);
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(200);
});

test('kill -9 of the process that computes: the job goes on, bit for bit', async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-data-'));
  await start();
  const { job } = await post<{ job: Job }>('/images', asked(24));
  await until(async () => (await jobOf(job.id)).state === 'running');
  process.kill(childOf(running!.process.pid!), 'SIGKILL');
  expect(await ended(job.id)).toMatchObject({ state: 'done', done: 24 });
  await checkPictures(job.id, 24);
});

test('kill -9 of everything during a batch, and a new start: nothing lost or doubled', async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-data-'));
  await start();
  const requests = Array.from({ length: 24 }, (_, i) => ({ ...asked(1), seed: 7 + i }));
  const { job } = await post<{ job: Job }>('/batches', { title: 'killed', requests });
  await until(async () => (await jobOf(job.id)).done > 0);
  running!.process.kill('SIGKILL');
  await once(running!.process, 'exit');
  await start();
  expect(await ended(job.id)).toMatchObject({ state: 'done', done: 24, failed: 0 });
  await checkPictures(job.id, 24);
});

test('a port in use, and a data folder in use, are one sentence each and exit code 2', async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-data-'));
  const address = await start();
  const second = async (...args: string[]) => {
    const process = spawn('node', [CLI, 'serve', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    process.stderr.on('data', (text) => {
      said += text;
    });
    const [code] = await once(process, 'exit');
    return { code, said };
  };
  const { port } = new URL(address);
  expect(await second('--port', port, '--data', join(folder, 'other'))).toEqual({
    code: 2,
    said: `ropewalk: serve: expected a free port, got ${port}, where another program listens; choose one with --port\n`,
  });
  const { code, said } = await second('--port', '0', '--data', data);
  expect(code).toBe(2);
  expect(said).toMatch(/^ropewalk: data folder: expected one that no process uses, got .*\n$/);
  expect(said).toContain(address);
});

test('whoever read the address may leave: the server goes on without its output', async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-data-'));
  const port = await freePort();
  const server = spawn('node', [CLI, 'serve', '--port', String(port), '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const address = `http://127.0.0.1:${port}`;
  running = { address, process: server, stop: async () => {} };
  server.stdout.destroy();
  server.stderr.destroy();
  const answers = () => fetch(`${address}/api/v1/ready`).then(({ ok }) => ok, String);
  await expect.poll(answers).toBe(true);
  await get('/models');
  server.kill('SIGTERM');
  expect(await once(server, 'exit')).toEqual([0, null]);
});
