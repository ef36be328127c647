/** A render job from asking to picture, over the embedded queue and database. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobEvent } from '../../jobs/job.ts';
import type { JobWorker } from '../../jobs/jobs.ts';
import { drawToy, inState, openToyJobs, render, request, toyHandler, until } from './toys.ts';

let toys: Awaited<ReturnType<typeof openToyJobs>>;
let worker: JobWorker;
beforeAll(async () => {
  toys = await openToyJobs();
  worker = await toys.jobs.work(toyHandler(), { concurrency: 1 });
});
afterAll(() => toys.close());

it('makes its pictures, and tells of it in order', async () => {
  const { jobs } = toys;
  const events: JobEvent[] = [];
  const stop = jobs.listen((event) => events.push(event));
  const { id } = await jobs.add(render({ count: 2 }));
  const job = await inState(jobs, id, 'done');
  stop();

  expect(job).toMatchObject({ kind: 'render', title: 'style=toy, hair color=red', done: 2 });
  expect(job).toMatchObject({ total: 2, failed: 0, attempts: 1, priority: 100 });
  expect(job.finishedAt).toBeGreaterThanOrEqual(job.startedAt!);
  expect(job.startedAt).toBeGreaterThanOrEqual(job.createdAt);
  expect(job.resumedAt).toBeUndefined();

  const states = events.flatMap((event) => (event.type === 'job' ? [event.job.state] : []));
  expect(states).toEqual(['waiting', 'running', 'running', 'running', 'done']);
  expect(events.filter(({ type }) => type === 'progress')).toHaveLength(8);
  expect(events.filter(({ type }) => type === 'picture')).toHaveLength(2);
  const previews = events.filter(({ type }) => type === 'preview').length;
  expect(previews).toBeGreaterThan(0);

  const { items } = await jobs.pictures.list({ job: id, limit: 10 });
  expect(items.map((picture) => [picture.id, picture.seed])).toEqual([
    [`${id}-1`, 8],
    [`${id}-0`, 7],
  ]);
  const file = await jobs.pictures.read(`${id}-1`);
  expect(file).toEqual(drawToy(request({ count: 2 }), 1));
  expect(items[0]).toMatchObject({ bytes: file!.length, width: 8, recipe: { request: {} } });
});

it('hands back what it stops, and goes on where it was', async () => {
  const { jobs } = toys;
  const { id } = await jobs.add(render({ count: 400 }));
  await until(async () => (await jobs.get(id))!.done > 3);
  await worker.stop();
  const stopped = (await jobs.get(id))!;
  expect(stopped.state).toBe('waiting');
  expect(await jobs.cancel(id)).toMatchObject({ state: 'cancelled', done: stopped.done });
  worker = await jobs.work(toyHandler(), { concurrency: 1 });

  const next = await jobs.add(render());
  await inState(jobs, next.id, 'done');
  expect(await jobs.retry(id)).toMatchObject({ state: 'waiting' });
  const again = await until(async () => {
    const job = (await jobs.get(id))!;
    return job.done > stopped.done && job;
  });
  expect(again).toMatchObject({ state: 'running', attempts: 2 });
  await jobs.cancel(id);
  expect((await jobs.get(id))!.state).toBe('cancelled');
});
