/** What is found when a folder is opened again after its process ended in the middle, and the queue lost everything. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FolderInUse } from '../../folder-lock.ts';
import { openDatabase } from '../../jobs/database.ts';
import type { Job } from '../../jobs/job.ts';
import { openJobs } from '../../jobs/open.ts';
import { batch, drawToy, inState, render, temporaryFolder, toyHandler, until } from './toys.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
/** A copy of a data folder taken while it was in use: what a kill of its process leaves. */
let left: string;
let running: Job;
let waiting: Job;
let doneBefore: number;
beforeAll(async () => {
  place = await temporaryFolder();
  const data = join(place.folder, 'data');
  const jobs = await openJobs({ data });
  running = await jobs.add(render({ count: 6 }));
  waiting = await jobs.add(batch(4));
  let slow = false;
  const worker = await jobs.work(
    toyHandler(async (task) => {
      while (slow && !task.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
    }),
    { concurrency: 1 },
  );
  await until(async () => (await jobs.get(running.id))!.done >= 2);
  slow = true;
  await new Promise((resolve) => setTimeout(resolve, 100));
  await expect(openJobs({ data })).rejects.toThrow(FolderInUse);
  doneBefore = (await jobs.get(running.id))!.done;
  left = join(place.folder, 'left');
  await mkdir(left);
  for (const part of ['database', 'pictures'])
    await cp(join(data, part), join(left, part), { recursive: true });
  await worker.stop();
  await jobs.close();
}, 300_000);
afterAll(() => place.remove());

it('takes up at once what ran, makes what is missing, and nothing twice', async () => {
  // As after a kill between row and ticket, or a queue that lost everything.
  const database = await openDatabase(join(left, 'database'));
  await database.sql('DELETE FROM bullmq.job');
  const [row] = await database.sql<{ state: string }>(
    'SELECT state FROM ropewalk.jobs WHERE id = $1',
    [running.id],
  );
  expect(row!.state).toBe('running');
  await database.close();

  const jobs = await openJobs({ data: left });
  expect((await jobs.get(running.id))!.state).toBe('waiting');
  const drawn: string[] = [];
  await jobs.work(
    toyHandler(async (task) => void drawn.push(task.job.id)),
    { concurrency: 2 },
  );
  const done = await inState(jobs, running.id, 'done');
  expect(done).toMatchObject({ done: 6, attempts: 2 });
  expect(done.resumedAt).toBeGreaterThan(done.startedAt!);
  expect(drawn.filter((id) => id === running.id)).toHaveLength(4 * (6 - doneBefore));
  await inState(jobs, waiting.id, 'done');
  expect(await jobs.pictures.count({})).toBe(10);
  for (let i = 0; i < 6; i++)
    expect(await jobs.pictures.read(`${running.id}-${i}`)).toEqual(
      drawToy(running.input.kind === 'render' ? running.input.request : never(), i),
    );

  await jobs.close();
}, 300_000);

function never(): never {
  throw new Error('never');
}
