/** Who works, as others see it; and trainings, of which no two that are open have one name. */
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../jobs/database.ts';
import type { JobEvent, TrainInput } from '../../jobs/job.ts';
import { Conflict } from '../../jobs/jobs.ts';
import { migrate } from '../../jobs/migrations.ts';
import { createPresence, SILENCE } from '../../jobs/presence.ts';
import { inState, openToyJobs, render, toyHandler, until } from './toys.ts';

let toys: Awaited<ReturnType<typeof openToyJobs>>;
beforeAll(async () => {
  toys = await openToyJobs();
});
afterAll(() => toys.close());

describe('workers', () => {
  it('are seen with what they have in hand and in memory, until they leave', async () => {
    const { jobs } = toys;
    expect(await jobs.workers()).toEqual([]);
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const events: JobEvent[] = [];
    const stop = jobs.listen((event) => events.push(event));
    const worker = await jobs.work(
      toyHandler(() => held),
      {
        concurrency: [{ kinds: ['render'], concurrency: 2 }],
        device: 'cuda',
      },
    );
    worker.loaded('toy', 0.25);
    worker.keeps([{ id: 'toy', bytes: 1000 }]);
    const { id } = await jobs.add(render());
    await inState(jobs, id, 'running');
    const [seen] = await until(async () => {
      const found = await jobs.workers();
      return found[0]!.models.length > 0 && found;
    });
    expect(seen).toMatchObject({
      ...{ host: hostname(), pid: process.pid, device: 'cuda' },
      jobs: [{ id, kind: 'render', title: 'style=toy, hair color=red' }],
      models: [{ id: 'toy', bytes: 1000 }],
    });
    expect(Math.abs(seen!.since - Date.now())).toBeLessThan(60_000);
    expect(events).toContainEqual({ type: 'load', model: 'toy', seconds: 0.25 });

    go();
    await inState(jobs, id, 'done');
    expect((await jobs.workers())[0]!.jobs).toEqual([]);
    stop();
    await worker.stop();
    expect(await jobs.workers()).toEqual([]);
  });

  it('that are silent are seen no more, and are back with their next sign of life', async () => {
    const database = await openDatabase('memory:');
    await migrate(database);
    const presence = createPresence(database);
    const about = { host: 'there', pid: 7, device: 'cpu' };
    const one = await presence.enlist(about);
    await database.sql('UPDATE ropewalk.workers SET alive_at = alive_at - $1', [SILENCE]);
    expect(await presence.list()).toEqual([]);
    const two = await presence.enlist(about); // which also removes what the silent left
    expect((await presence.list()).map(({ id }) => id)).toEqual([two.id]);
    one.keeps([]);
    await until(async () => (await presence.list()).length === 2);
    await one.leave();
    await two.leave();
    expect(await presence.list()).toEqual([]);
    await database.close();
  });
});

describe('trainings', () => {
  const training = (name: string): TrainInput => ({ kind: 'train', config: { name } });

  it('of one name are refused while one is not over, also when they are asked for again', async () => {
    const { jobs } = toys;
    const first = await jobs.add(training('one'));
    await jobs.add(training('another'));
    await expect(jobs.add(training('one'))).rejects.toThrow(Conflict);
    await jobs.pause(first.id);
    await expect(jobs.add(training('one'))).rejects.toThrow(
      "train: 'name': expected a new name, got 'one', which a training that is not over has",
    );
    await jobs.resume(first.id);
    await jobs.cancel(first.id);
    const second = await jobs.add(training('one'));
    await expect(jobs.retry(first.id)).rejects.toThrow(Conflict);
    expect((await jobs.get(first.id))!.state).toBe('cancelled');
    await jobs.cancel(second.id);
    expect((await jobs.retry(first.id)).state).toBe('waiting');
  });

  it('of one name that are added at the same time: one is taken', async () => {
    const added = await Promise.allSettled([1, 2, 3].map(() => toys.jobs.add(training('same'))));
    expect(added.map(({ status }) => status).toSorted()).toEqual([
      ...['fulfilled', 'rejected', 'rejected'],
    ]);
  });
});
