/** Handlers that throw, stores that are away, and who else a job may lose: what then waits, fails, or is refused. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type JobHandler, type JobWorker, Unrecoverable } from '../../jobs/jobs.ts';
import { inState, openToyJobs, render, toyHandler, until } from './toys.ts';

let toys: Awaited<ReturnType<typeof openToyJobs>>;
let worker: JobWorker;
let handler: JobHandler;
beforeAll(async () => {
  toys = await openToyJobs();
  worker = await toys.jobs.work((task) => handler(task), { concurrency: 2 });
});
afterAll(() => toys.close());

it('tries three times, with more and more time between', async () => {
  const { jobs } = toys;
  const at: number[] = [];
  handler = async () => {
    at.push(Date.now());
    throw new Error(`network: attempt ${at.length} was lost`);
  };
  const { id } = await jobs.add(render());
  const failed = await inState(jobs, id, 'failed');
  expect(failed).toMatchObject({ attempts: 3, reason: 'network: attempt 3 was lost' });
  expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(20);
  expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(80);

  handler = toyHandler();
  await jobs.retry(id);
  expect(await inState(jobs, id, 'done')).toMatchObject({ attempts: 4, done: 1 });
});

it('fails at once where trying again cannot help, and the worker lives', async () => {
  const { jobs } = toys;
  for (const error of [
    new Unrecoverable('model: expected weights, got none'),
    new RangeError('size: expected less'),
  ]) {
    handler = async () => {
      throw error;
    };
    const { id } = await jobs.add(render());
    const failed = await inState(jobs, id, 'failed');
    expect(failed).toMatchObject({ attempts: 1, reason: error.message });
  }
  handler = toyHandler();
  const { id } = await jobs.add(render());
  await inState(jobs, id, 'done');
});

it('waits while the store is away, says so, and makes each picture once', async () => {
  const { jobs, folder } = toys;
  const pictures = join(folder, 'pictures');
  await rename(pictures, `${pictures}-away`);
  await writeFile(pictures, 'no folder');
  handler = toyHandler();
  const { id } = await jobs.add(render({ count: 2 }));
  const waiting = await until(async () => {
    const job = (await jobs.get(id))!;
    return job.state === 'waiting' && job.attempts > 3 && job; // more often than an error may happen
  });
  expect(waiting.reason).toMatch(/^storage: .*; it is tried again$/);
  const { ready, problems } = await jobs.check();
  expect(ready).toBe(false);
  expect(problems).toEqual([expect.stringMatching(/^storage: /)]);

  await rm(pictures);
  await rename(`${pictures}-away`, pictures);
  const done = await inState(jobs, id, 'done');
  expect(done).toMatchObject({ done: 2, total: 2 });
  expect(done.reason).toBeUndefined();
  expect(await jobs.check()).toEqual({ ready: true, problems: [] });
});

it('reaches a running handler with a cancellation at its next progress', async () => {
  const { jobs } = toys;
  let reason: unknown;
  let steps = 0;
  handler = async (task) => {
    for (; steps < 5000; steps++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      task.progress({ step: steps, steps: 5000, done: 0 });
      if (task.signal.aborted) break;
    }
    reason = task.signal.reason;
    task.signal.throwIfAborted();
  };
  const { id } = await jobs.add(render());
  await until(() => steps > 3);
  const before = steps;
  expect((await jobs.cancel(id)).state).toBe('cancelled');
  await until(() => reason !== undefined);
  expect(reason).toBe('cancelled');
  expect(steps - before).toBeLessThan(100);
  expect((await jobs.get(id))!.state).toBe('cancelled');
});

it('keeps points of a curve, the last of a step, and how far a training is', async () => {
  const { jobs } = toys;
  let go = false;
  handler = async (task) => {
    for (let step = 1; step <= 5; step++) {
      task.point({ step, values: { loss: 1 / step } });
      task.progress({ step, steps: 50, done: 0 });
    }
    task.point({ step: 5, values: { loss: 9 } });
    await until(() => go);
    return { model: 'toy' };
  };
  const totals: number[] = [];
  const stop = jobs.listen((event) => {
    if (event.type === 'job') totals.push(event.job.total);
  });
  const { id } = await jobs.add({ kind: 'train', config: { name: 'tiny' } });
  const running = await until(async () => {
    const job = (await jobs.get(id))!;
    return job.done === 5 && job;
  });
  expect(running).toMatchObject({ state: 'running', total: 50, title: 'tiny' });
  await until(() => totals.at(-1) === 50); // also told, once it is known
  stop();
  go = true;
  const job = await inState(jobs, id, 'done');
  expect(job).toMatchObject({ result: { model: 'toy' }, done: 50 });
  expect(await jobs.points(id, 3)).toEqual([
    { step: 4, values: { loss: 0.25 } },
    { step: 5, values: { loss: 9 } },
  ]);
});

it('knows how many steps a training has from its configuration', async () => {
  handler = async () => ({ model: 'toy' });
  const { id, total } = await toys.jobs.add({ kind: 'train', config: { name: 'long', steps: 70 } });
  expect(total).toBe(70);
  expect(await inState(toys.jobs, id, 'done')).toMatchObject({ total: 70, done: 70 });
  const odd = await toys.jobs.add({ kind: 'train', config: { name: 'odd', steps: 'many' } });
  expect(odd.total).toBe(1);
  await inState(toys.jobs, odd.id, 'done');
});

it('runs no more than it may at the same time, of whatever kinds', async () => {
  const { jobs } = toys;
  let now = 0;
  let most = 0;
  handler = async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 10));
    now--;
  };
  const added = [];
  for (let i = 0; i < 6; i++) {
    added.push(await jobs.add(render()));
    added.push(await jobs.add({ kind: 'evaluate', what: 'model', config: {} }));
  }
  for (const { id } of added) await inState(jobs, id, 'done');
  expect(most).toBe(2);
  await worker.stop();
});
