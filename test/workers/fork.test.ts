import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Unrecoverable } from '../../jobs/jobs.ts';
import { listModels } from '../../pipelines/models.ts';
import { fileOf, render } from '../../pipelines/render.ts';
import type { ImageRequest } from '../../request.ts';
import { createEngine } from '../../tensor/engine.ts';
import { type Forked, forkChild } from '../../workers/fork.ts';
import type { FromChild, OfModels } from '../../workers/messages.ts';
import { writeTinyModel } from '../pipelines/tiny-model.ts';
import { taskOf } from './task.ts';

let folder: string;
let child: Forked;
const news: OfModels[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-fork-'));
  await writeTinyModel(folder);
  child = forkChild({
    onModels: (told) => void news.push(told),
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR },
    execArgv: ['--import', 'tsx'],
    setup: { device: { device: 'cpu', threads: 1, cache: folder }, models: [folder], data: folder },
  });
});
afterAll(async () => {
  await child.close();
  await rm(folder, { recursive: true, force: true });
});

const request = (changes: Partial<ImageRequest> = {}): ImageRequest => ({
  version: 1,
  model: 'tiny',
  condition: ['style=cat', { word: 'hair color=red', weight: 1.5 }],
  seed: 7,
  count: 1,
  size: { width: 16, height: 16 },
  sampling: { kind: 'diffusion', solver: 'euler', steps: 40 },
  ...changes,
});
const filesOf = async (asked: ImageRequest) => {
  const rendered = await render(asked, {
    engine: createEngine({ threads: 1 }),
    models: await listModels([folder]),
  });
  return Promise.all(rendered.map(fileOf));
};
const input = (asked: ImageRequest) => ({ kind: 'render', request: asked }) as const;

test('a child renders the files that this process renders, and says what they show', async () => {
  const { task, kept } = taskOf(input(request({ count: 2 })), { existing: [0] });
  expect(await child.run(task)).toEqual({ seconds: expect.any(Number) });
  expect([...kept.pictures.keys()]).toEqual([1]);
  const [, expected] = await filesOf(request({ count: 2 }));
  const { png, about } = kept.pictures.get(1)!;
  expect(Buffer.compare(png, expected!)).toBe(0);
  expect(about).toMatchObject({
    ...{ model: 'tiny', seed: 8, width: 16, height: 16 },
    prompt: 'style=cat, (hair color=red:1.5)',
  });
  expect(kept.progress.at(-1)).toMatchObject({ step: 80, steps: 80, done: 1 });
  expect(news).toEqual([
    { type: 'load', model: 'tiny', seconds: expect.any(Number) },
    { type: 'models', models: [{ id: 'tiny', bytes: expect.any(Number) }] },
  ]);
});

test('a job that fails says why, once and for all, and the child lives', async () => {
  const { pid } = child;
  const { task } = taskOf(input(request({ model: 'tinny' })));
  await expect(child.run(task)).rejects.toThrow(Unrecoverable);
  await expect(child.run(task)).rejects.toThrow('nearest: tiny');
  expect(child.pid).toBe(pid);
});

test('a model that cannot be read is named without its path, which the log has', async () => {
  const { folder: at } = await writeTinyModel(folder, { id: 'damaged' });
  await writeFile(join(at, 'model.safetensors'), 'nothing');
  const one = fork(join(import.meta.dirname, '../../workers/child.ts'), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const logged = text(one.stderr!);
  const device = { device: 'cpu', threads: 1, cache: folder } as const;
  one.send({ type: 'setup', setup: { device, models: [folder], data: folder } });
  const { job } = taskOf(input(request({ model: 'damaged' }))).task;
  one.send({ type: 'run', run: 0, job, existing: [] });
  const said = await new Promise<Extract<FromChild, { type: 'failed' }>>((resolve) =>
    one.on('message', (told: FromChild) => told.type === 'failed' && resolve(told)),
  );
  one.disconnect();
  expect(said.hopeless).toBe(true);
  expect(said.message).toMatch(/^damaged\/model.safetensors: expected SHA-256 .* or damaged$/);
  const line = JSON.parse(await logged);
  expect(line).toMatchObject({ level: 50, job: 'job', msg: join(folder, said.message) });
});

test('what cannot be kept fails with the error that keeping threw', async () => {
  const full = new Error('the store is full');
  const { task } = taskOf(input(request()));
  const failing = { ...task, picture: () => Promise.reject(full) };
  await expect(child.run(failing)).rejects.toBe(full);
});

test('a child that is killed is started again, and what it had goes on, bit for bit', async () => {
  const asked = request({ count: 40 });
  let killed = false;
  const { task, kept } = taskOf(input(asked), {
    onProgress({ done }) {
      if (killed || done === 0) return;
      killed = true;
      news.length = 0;
      process.kill(child.pid!, 'SIGKILL');
    },
  });
  await child.run(task);
  expect(killed).toBe(true);
  expect(news.map((told) => told.type === 'models' && told.models.length)).toEqual([0, false, 1]);
  const files = await filesOf(asked);
  expect(kept.pictures.size).toBe(40);
  for (const [index, { png }] of kept.pictures)
    expect(Buffer.compare(png, files[index]!), `picture ${index}`).toBe(0);
}, 240_000); // the second child reads its sources anew, which takes long on a busy machine

test('a job is cancelled, and what is finished stays', async () => {
  const stop = new AbortController();
  const { task, kept } = taskOf(input(request({ count: 500 })), {
    signal: stop.signal,
    onProgress({ done }) {
      if (done > 0) stop.abort('cancelled');
    },
  });
  await expect(child.run(task)).rejects.toThrow('cancelled');
  expect(kept.pictures.size).toBeGreaterThan(0);
  expect(kept.pictures.size).toBeLessThan(500);
});

test('a job is cancelled while a picture of it is being kept, and others are drawn after it', async () => {
  const stop = new AbortController();
  const { task } = taskOf(input(request()), { signal: stop.signal });
  let ended = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const slow = {
    ...task,
    async picture() {
      stop.abort('cancelled');
      await end; // the store is slower than the child
    },
  };
  await expect(child.run(slow)).rejects.toThrow('cancelled');
  ended();
  const { task: next, kept } = taskOf(input(request()));
  await child.run(next);
  expect(kept.pictures.size).toBe(1);
});

test('a child leaves with the process that started it', async () => {
  const { pid } = child;
  await child.close();
  for (let i = 0; i < 50 && existsSync(`/proc/${pid}`); i++) await delay(20);
  expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
});
