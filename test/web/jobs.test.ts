/** Jobs and the queue: list, progress, curve, and what can be done to them. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Job } from '../../jobs/job.ts';
import { createClient } from './client.ts';
import { ended } from './fake-services.ts';

let open: ReturnType<typeof createClient>[] = [];
afterEach(async () => {
  for (const { app, services } of open) {
    await services.jobs.close();
    await app.close();
  }
  open = [];
});

function start(step = 1) {
  const client = createClient({ step });
  open.push(client);
  const { ask } = client;
  const act = (id: string, action: string, payload: object = {}) =>
    ask('POST', `/api/v1/jobs/${id}/${action}`, { payload });
  const draw = async (more: object = {}): Promise<string> => {
    const payload = { model: 'avatars', ...more };
    return (await ask('POST', '/api/v1/images', { payload })).body.job.id;
  };
  const list = async (query: string): Promise<string[]> => {
    const { body } = await ask('GET', `/api/v1/jobs?${query}`);
    return body.jobs.map(({ id }: Job) => id);
  };
  const state = async (id: string) => (await ask('GET', `/api/v1/jobs/${id}`)).body.job.state;
  return { ...client, act, draw, list, state };
}

describe('GET /api/v1/jobs', () => {
  it('lists newest first, in pages, by state and kind, with counts', async () => {
    const { ask, draw, list, services } = start();
    const ids = [await draw(), await draw(), await draw()];
    await ended(services.jobs, ids[2]!);
    expect(await list('')).toEqual(ids.toReversed());
    const { body } = await ask('GET', '/api/v1/jobs?limit=2&state=done,failed');
    expect(body.jobs.length).toBe(2);
    expect(body).toMatchObject({ paused: false, counts: { done: 3, failed: 0 } });
    expect(await list(`limit=2&after=${body.next}`)).toEqual([ids[0]]);
    expect(await list('state=waiting')).toEqual([]);
    expect(await list('state=waiting&state=done')).toHaveLength(3);
    expect(await list('kind=train')).toEqual([]);
  });

  it('shows a batch without its requests, and its jobs by `parent`', async () => {
    const { ask, services, list } = start();
    const request = (await services.jobs.add({
      kind: 'render',
      request: (
        await ask('POST', '/api/v1/images', { payload: { model: 'avatars' } })
      ).body.job.input.request,
    })) as Job & { input: { kind: 'render' } };
    const requests = [1, 2, 3].map((seed) => ({ ...request.input.request, seed }));
    const batch = await services.jobs.add({ kind: 'batch', title: 'three', requests });
    const shown = await ask('GET', `/api/v1/jobs/${batch.id}`);
    expect(shown.body.job).toMatchObject({ title: 'three', total: 3 });
    expect(shown.body.job.input.requests).toEqual(requests);
    const listed = (await ask('GET', '/api/v1/jobs?kind=batch')).body.jobs;
    expect(listed).toMatchObject([{ id: batch.id, input: { title: 'three', requests: [] } }]);
    expect(await list(`parent=${batch.id}`)).toHaveLength(3);
  });

  it.each(['limit=0', 'limit=501', 'kind=dance', 'state=lost', 'order=best', 'after=nowhere'])(
    'refuses %s',
    async (query) => {
      const { status, body } = await start().ask('GET', `/api/v1/jobs?${query}`);
      expect(status).toBe(400);
      expect(body.error.field).toContain(query.split('=')[0]);
    },
  );
});

describe('a job', () => {
  it('tells how far it is while it runs', async () => {
    const { ask, draw } = start(5);
    const id = await draw();
    await wait(60);
    const { body } = await ask('GET', `/api/v1/jobs/${id}`);
    expect(body.job.state).toBe('running');
    expect(body.progress).toMatchObject({ steps: 20, done: 0 });
    expect(body.progress.step).toBeGreaterThan(0);
  });

  it('is cancelled, retried and keeps what it has', async () => {
    const { ask, act, draw, state, services } = start(2);
    const id = await draw({ count: 3, sampling: { steps: 2 } });
    for (let done = 0; done === 0; await wait(1)) done = (await services.jobs.get(id))!.done;
    await act(id, 'cancel');
    await ended(services.jobs, id);
    expect(await state(id)).toBe('cancelled');
    const before = (await ask('GET', `/api/v1/images?job=${id}`)).body.images;
    expect(before.length).toBeLessThan(3);
    expect((await act(id, 'cancel')).status).toBe(409);
    await act(id, 'retry');
    await ended(services.jobs, id);
    const after = (await ask('GET', `/api/v1/images?job=${id}`)).body.images;
    expect(after).toHaveLength(3);
    expect(after).toEqual(expect.arrayContaining(before));
  });

  it('is paused and resumed', async () => {
    const { act, draw, state, services } = start(2);
    const [first, second] = [await draw(), await draw()];
    expect((await act(second!, 'pause')).body.job.state).toBe('paused');
    await ended(services.jobs, first!);
    await wait(20);
    expect(await state(second!)).toBe('paused');
    expect((await act(second!, 'resume')).status).toBe(200);
    await ended(services.jobs, second!);
    expect((await act(second!, 'resume')).body.error.code).toBe('conflict');
  });

  it('moves in the queue', async () => {
    const { ask, act, draw, list } = start();
    await ask('POST', '/api/v1/queue/pause', { payload: {} });
    const [a, b, c] = [await draw(), await draw(), await draw()] as [string, string, string];
    const queue = () => list('order=queue&state=waiting');
    expect(await queue()).toEqual([a, b, c]);
    await act(c, 'move', { before: b });
    expect(await queue()).toEqual([a, c, b]);
    await act(b, 'move', { to: 'first' });
    expect(await queue()).toEqual([b, a, c]);
    await act(b, 'move', { to: 'last' });
    expect(await queue()).toEqual([a, c, b]);
    for (const payload of [{}, { to: 'middle' }, { before: '../x' }, { before: a, to: 'first' }])
      expect((await act(c, 'move', payload)).status, JSON.stringify(payload)).toBe(400);
    expect((await act(c, 'move', { before: 'nobody' })).status).toBe(404);
  });

  it('has a curve where it trains', async () => {
    const { ask, services } = start();
    const payload = { config: { data: { kind: 'avatars' } } };
    const { status, body } = await ask('POST', '/api/v1/train', { payload });
    expect(status).toBe(202);
    await ended(services.jobs, body.job.id);
    const { points } = (await ask('GET', `/api/v1/jobs/${body.job.id}/points?after=18`)).body;
    expect(points.map(({ step }: { step: number }) => step)).toEqual([19, 20]);
    expect((await ask('GET', `/api/v1/jobs/${body.job.id}/points?after=-1`)).status).toBe(400);
  });

  it('is not found by an unknown id', async () => {
    const { ask, act } = start();
    expect((await ask('GET', '/api/v1/jobs/nobody')).status).toBe(404);
    expect((await ask('GET', '/api/v1/jobs/nobody/points')).status).toBe(404);
    for (const action of ['cancel', 'pause', 'resume', 'retry'])
      expect((await act('nobody', action)).status, action).toBe(404);
    expect((await act('nobody', 'move', { to: 'first' })).status).toBe(404);
    expect((await act('nobody', 'explode')).status).toBe(404);
  });
});

it('pauses and resumes the whole queue', async () => {
  const { ask, draw, state, services } = start();
  const paused = await ask('POST', '/api/v1/queue/pause', { payload: {} });
  expect(paused.body).toEqual({ paused: true });
  const id = await draw();
  await wait(20);
  expect(await state(id)).toBe('waiting');
  expect((await ask('GET', '/api/v1/jobs')).body.paused).toBe(true);
  const resumed = await ask('POST', '/api/v1/queue/resume', { payload: {} });
  expect(resumed.body).toEqual({ paused: false });
  await ended(services.jobs, id);
});

describe('GET /api/v1/jobs/:id/trace.gif', () => {
  const request = {
    ...{ version: 1, model: 'avatars-tokens', condition: [], seed: 3, count: 1 },
    size: { width: 64, height: 64 },
    sampling: { kind: 'tokens', decoder: 'sjd', temperature: 1 },
  };

  it('has a frame a pass of the chosen decoder, and the finished picture', async () => {
    const { ask, services } = start();
    const payload = { what: 'trace', config: { request } };
    const { job } = (await ask('POST', '/api/v1/evaluate', { payload })).body;
    await ended(services.jobs, job.id);
    const { passes } = (await ask('GET', `/api/v1/jobs/${job.id}`)).body.job.result.chosen;
    const gif = await ask('GET', `/api/v1/jobs/${job.id}/trace.gif`);
    expect(gif.headers).toMatchObject({
      'content-type': 'image/gif',
      'content-disposition': `inline; filename="${job.id}.gif"`,
    });
    expect(gif.bytes.subarray(0, 6).toString('latin1')).toBe('GIF89a');
    expect(gif.bytes.toString('latin1').split('\x21\xf9\x04')).toHaveLength(1 + passes.length + 1);
  });

  it('is 404 for what is no trace, and 409 for one that is not done', async () => {
    const { ask, draw, services } = start(200);
    const other = await draw();
    expect((await ask('GET', `/api/v1/jobs/${other}/trace.gif`)).status).toBe(404);
    expect((await ask('GET', '/api/v1/jobs/nothing/trace.gif')).status).toBe(404);
    const { id } = await services.jobs.add({
      ...{ kind: 'evaluate', what: 'trace', title: 'one', config: { request } },
    });
    const { status, body } = await ask('GET', `/api/v1/jobs/${id}/trace.gif`);
    expect(status).toBe(409);
    expect(body.error.message).toBe('jobs: expected a trace that is done, got one that is waiting');
  });
});
