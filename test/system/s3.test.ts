/** Pictures in an S3-compatible bucket, and a bucket that is away. */
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openStore, StoreUnavailable } from '../../jobs/store.ts';
import { drawToy, inState, openToyJobs, render, request, toyHandler, until } from '../jobs/toys.ts';
import { itNeeds, missingS3, type Server, startS3 } from './servers.ts';

let server: Server;
beforeAll(async () => {
  if (missingS3 === undefined) server = await startS3();
});
afterAll(() => server?.close());

describe('S3', () => {
  itNeeds(missingS3, 'keeps, reads, streams and removes', async () => {
    const store = await openStore(server.url);
    await store.check();
    await store.put('0abc-0', Buffer.from('one'));
    expect(await store.read('0abc-0')).toEqual(Buffer.from('one'));
    expect(await buffer((await store.stream('0abc-0'))!)).toEqual(Buffer.from('one'));
    await store.remove('0abc-0');
    expect(await store.read('0abc-0')).toBeUndefined();
    expect(await store.stream('0abc-0')).toBeUndefined();
    await expect(store.read('../x')).rejects.toThrow('storage: expected the id of a picture');
    store.close();
    const nowhere = await openStore(server.url.replace('pictures', 'no-such-bucket'));
    await expect(nowhere.check()).rejects.toThrow(StoreUnavailable);
    nowhere.close();
  });

  itNeeds(missingS3, 'lets jobs wait while it is away, and they say so', async () => {
    const { jobs, close } = await openToyJobs({ storage: server.url });
    await jobs.work(toyHandler(), { concurrency: 1 });
    await server.kill();
    const { id } = await jobs.add(render());
    const waiting = await until(
      async () => {
        const job = (await jobs.get(id))!;
        return job.reason !== undefined && job;
      },
      { within: 60_000 },
    );
    expect(waiting).toMatchObject({ state: 'waiting' });
    expect(waiting.reason).toMatch(/^storage: the bucket answers .*; it is tried again$/);
    await server.start();
    const address = new URL(server.url).searchParams.get('endpoint')!;
    await fetch(`${address}/pictures`, { method: 'PUT' }); // it keeps buckets in memory only
    await until(async () => (await jobs.get(id))!.state === 'done', { within: 60_000 });
    expect(await jobs.pictures.read(`${id}-0`)).toEqual(drawToy(request(), 0));
    await inState(jobs, id, 'done');
    await close();
  });
});
