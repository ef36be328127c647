/** Two openings of one PostgreSQL, as two machines have it: they share jobs, and hear of each other's. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { JobEvent } from '../../jobs/job.ts';
import { openJobs } from '../../jobs/open.ts';
import { batch, inState, render, temporaryFolder, toyHandler, until } from '../jobs/toys.ts';
import { crash } from './crash.ts';
import { itNeeds, missingPostgres, type Server, startPostgres } from './servers.ts';

let server: Server;
let place: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  if (missingPostgres !== undefined) return;
  place = await temporaryFolder();
  server = await startPostgres();
});
afterAll(async () => {
  await server?.close();
  await place?.remove();
});
const open = () => openJobs({ data: place.folder, database: server.url });

describe('PostgreSQL', () => {
  itNeeds(missingPostgres, 'shares jobs between processes, and tells of them', async () => {
    const [one, two] = await Promise.all([open(), open()]); // both migrate; one of them waits
    const events: JobEvent[] = [];
    one.listen((event) => events.push(event));
    let big = '';
    const worker = await two.work(
      toyHandler(async (task) => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (task.existing.size === 0 && big === '') {
          big = 'x'.repeat(9000); // longer than a notification may be
          task.preview(0, Buffer.from(big));
        }
      }),
      { concurrency: 1 },
    );
    const { id } = await one.add(render({ count: 2 }));
    await inState(one, id, 'done');
    const preview = await until(() => events.find(({ type }) => type === 'preview'));
    expect(preview).toMatchObject({ png: Buffer.from(big).toString('base64') });
    await until(() => events.some((event) => event.type === 'job' && event.job.state === 'done'));
    const kinds = new Set(events.map(({ type }) => type));
    expect(kinds).toEqual(new Set(['job', 'progress', 'preview', 'picture']));
    expect(await one.pictures.read(`${id}-0`)).toEqual(await two.pictures.read(`${id}-0`));

    // A cancellation reaches the other process's handler.
    const long = await one.add(render({ count: 1000 }));
    await until(async () => (await one.get(long.id))!.done > 2);
    await one.cancel(long.id);
    const next = await one.add(render());
    await inState(one, next.id, 'done');

    expect(await one.check()).toEqual({ ready: true, problems: [] });
    await worker.stop();
    await Promise.all([one.close(), two.close()]);
  });

  itNeeds(missingPostgres, 'goes on when the server was killed and is there again', async () => {
    const jobs = await open();
    await jobs.work(toyHandler(), { concurrency: 1 });
    const { id } = await jobs.add(batch(20));
    await until(async () => (await jobs.get(id))!.done > 2);
    await server.kill();
    expect((await jobs.check()).ready).toBe(false);
    await server.start();
    const ended = await until(
      async () => {
        const job = await jobs.get(id).catch(() => undefined); // it may still be starting
        return job?.state === 'done' && job;
      },
      { within: 60_000 },
    );
    expect(ended).toMatchObject({ done: 20, failed: 0 });
    await jobs.close();
  });

  itNeeds(missingPostgres, 'loses and doubles nothing under kill -9 of three workers', async () => {
    const options = { data: place.folder, database: server.url };
    const report = await crash({ options, processes: 3, kills: 6, requests: 100 });
    expect(report).toMatchObject({ kills: 6, pictures: 100, wrong: [] });
    expect(report.resumed).toBeGreaterThan(0);
  });
});
