/** The queue on Redis, the history in PostgreSQL: workers that are killed, and a Redis that loses everything. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { JobEvent } from '../../jobs/job.ts';
import { openJobs } from '../../jobs/open.ts';
import { batch, inState, render, temporaryFolder, toyHandler, until } from '../jobs/toys.ts';
import { crash } from './crash.ts';
import {
  itNeeds,
  missingPostgres,
  missingRedis,
  type Server,
  startPostgres,
  startRedis,
} from './servers.ts';

const missing = missingRedis ?? missingPostgres;
let redis: Server;
let postgres: Server;
let place: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  if (missing !== undefined) return;
  place = await temporaryFolder();
  [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
});
afterAll(async () => {
  await redis?.close();
  await postgres?.close();
  await place?.remove();
});
const options = () => ({ data: place.folder, database: postgres.url, redis: redis.url });

describe('Redis', () => {
  itNeeds(missing, 'carries jobs and news between processes', async () => {
    const [one, two] = await Promise.all([openJobs(options()), openJobs(options())]);
    const events: JobEvent[] = [];
    one.listen((event) => events.push(event));
    const worker = await two.work(toyHandler(), { concurrency: 1 });
    const { id } = await one.add(render({ count: 2 }));
    await inState(one, id, 'done');
    await until(() => events.some((event) => event.type === 'job' && event.job.state === 'done'));
    const kinds = new Set(events.map(({ type }) => type));
    expect(kinds).toEqual(new Set(['job', 'progress', 'preview', 'picture']));

    await one.pauseAll();
    const resting = await one.add(render());
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await two.get(resting.id))!.state).toBe('waiting');
    await two.resumeAll();
    await inState(one, resting.id, 'done');
    await worker.stop();
    await Promise.all([one.close(), two.close()]);
  });

  itNeeds(missing, 'may lose everything, or be away: rows are the truth', async () => {
    const jobs = await openJobs(options());
    const { id } = await jobs.add(batch(10));
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    await jobs.work(toyHandler(), { concurrency: 1 });
    expect(await inState(jobs, id, 'done')).toMatchObject({ done: 10 });

    await redis.kill();
    const meanwhile = await jobs.add(render()); // its ticket comes later
    expect((await jobs.check()).problems).toEqual([expect.stringMatching(/^queue: /)]);
    await redis.start();
    const done = await until(
      async () => {
        const job = (await jobs.get(meanwhile.id))!;
        return job.state === 'done' && job;
      },
      { within: 60_000 },
    );
    expect(done).toMatchObject({ done: 1, attempts: 1 });
    await jobs.close();
  });

  itNeeds(missing, 'loses and doubles nothing under kill -9 of three workers', async () => {
    const report = await crash({ options: options(), processes: 3, kills: 12, requests: 300 });
    expect(report).toMatchObject({ kills: 12, pictures: 300, wrong: [] });
    expect(report.resumed).toBeGreaterThan(0);
  });

  itNeeds(missing, 'that nobody answers for is said in a sentence', async () => {
    const wrong = openJobs({ ...options(), redis: 'redis://127.0.0.1:1/0' });
    await expect(wrong).rejects.toThrow(/^redis: expected a server at 127.0.0.1:1\/0, got: /);
  });
});
