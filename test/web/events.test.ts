/** Live events over real sockets: replay, filters, readers that are slow or gone. */
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Job, JobEvent } from '../../jobs/job.ts';
import type { LiveOptions } from '../../web/events.ts';
import { createServer } from '../../web/server.ts';
import type { Services } from '../../web/services.ts';
import { createFakeServices } from './fake-services.ts';

type Seen = { readonly id: number; readonly type: string; readonly data?: JobEvent };
type Stream = { readonly seen: Seen[]; readonly response: IncomingMessage; text: string };

let close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of close) await end();
  close = [];
});

async function start(live: LiveOptions = {}, given?: Services) {
  const services = given ?? createFakeServices();
  const app = createServer(services, { live });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  close.push(async () => {
    await services.jobs.close();
    await app.close();
  });
  const url = `${address}/api/v1/events`;
  /** Connects, and resolves when the first lines are there. */
  async function follow(query = '', headers: Record<string, string> = {}): Promise<Stream> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}${query}`, { headers }, resolve).on('error', reject);
    });
    const stream: Stream = { seen: [], response, text: '' };
    let rest = '';
    response.setEncoding('utf8');
    response.on('error', () => {});
    response.on('data', (part: string) => {
      stream.text += part;
      rest += part;
      const blocks = rest.split('\n\n');
      rest = blocks.pop()!;
      stream.seen.push(...blocks.flatMap(parse));
    });
    await until(() => stream.text !== '');
    return stream;
  }
  return { app, services, follow, port: Number(new URL(address).port) };
}

function parse(block: string): Seen[] {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const [id, type, data] = [field('id'), field('event') ?? 'hello', field('data')];
  if (id === undefined) return [];
  return [{ id: Number(id), type, ...(data !== undefined && { data: JSON.parse(data) }) }];
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (what()) return;
    await wait(5);
  }
  throw new Error('it did not happen in 10 s');
}

const types = ({ seen }: Stream) => seen.map(({ type }) => type);
const paused = (value: boolean): JobEvent => ({ type: 'queue', paused: value });

describe('events', () => {
  it('tell of a job from its beginning to its pictures', async () => {
    const { app, follow } = await start();
    const stream = await follow();
    expect(stream.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(stream.response.headers['x-content-type-options']).toBe('nosniff');
    const payload = { model: 'avatars', sampling: { steps: 2 } };
    await app.inject({ method: 'POST', url: '/api/v1/images', payload });
    const isDone = ({ data }: Seen) => data?.type === 'job' && data.job.state === 'done';
    await until(() => stream.seen.some(isDone));
    const steps = ['progress', 'preview', 'progress', 'preview'];
    expect(types(stream).slice(1, 9)).toEqual(['job', 'job', 'load', ...steps, 'picture']);
    const ids = stream.seen.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('come again after Last-Event-ID, each once', async () => {
    const { app, follow } = await start();
    const first = await follow();
    app.live.publish(paused(true));
    app.live.publish(paused(false));
    await until(() => first.seen.length === 3);
    const at = String(first.seen[1]!.id);
    const second = await follow('', { 'last-event-id': at });
    app.live.publish(paused(true));
    await until(() => second.seen.length === 2);
    expect(second.seen.map(({ id }) => id)).toEqual([first.seen[2]!.id, first.seen[2]!.id + 1]);
    const caughtUp = await follow('', { 'last-event-id': String(second.seen[1]!.id) });
    expect(types(caughtUp)).toEqual(['hello']);
  });

  it('are `reset` where what was missed is not there any more', async () => {
    const { app, follow } = await start({ ring: 200 });
    const first = await follow();
    for (let i = 0; i < 20; i++) app.live.publish(paused(i % 2 === 0));
    await until(() => first.seen.length === 21);
    const since = async (id: string | number) =>
      types(await follow('', { 'last-event-id': String(id) }))[0];
    expect(await since(first.seen[0]!.id)).toBe('reset');
    expect(await since(first.seen[19]!.id)).toBe('queue');
    expect(await since(7)).toBe('reset'); // of another life of the server
    expect(await since(Number.MAX_SAFE_INTEGER)).toBe('reset');
    expect(await since('strange')).toBe('reset');
  });

  it('can be of one job, or of a batch and its jobs', async () => {
    const { app, follow } = await start();
    const streams = await Promise.all(
      ['batch-1', 'child-1', 'other'].map((id) => follow(`?job=${id}`)),
    );
    const progress = { step: 1, steps: 2, done: 0 };
    const job = { id: 'child-1', parent: 'batch-1', state: 'running' } as Job;
    app.live.publish({ type: 'job', job: { ...job, kind: 'train', input: {} } as Job });
    app.live.publish({ type: 'progress', job: 'child-1', progress });
    app.live.publish({ type: 'progress', job: 'nobody', progress });
    app.live.publish(paused(true));
    await until(() => streams.every(({ seen }) => seen.at(-1)?.type === 'queue'));
    const all = ['hello', 'job', 'progress', 'queue'];
    expect(streams.map(types)).toEqual([all, all, ['hello', 'queue']]);
  });

  it('keep connections open by comments, and renew old ones', async () => {
    const { follow } = await start({ heartbeat: 10, lifetime: 1500 });
    const stream = await follow();
    await until(() => stream.text.includes(': \n\n'));
    await until(() => stream.response.complete);
  });

  it('answer 429 in JSON over the number of readers', async () => {
    const { app, follow } = await start({ readers: 2 });
    const streams = [await follow(), await follow()];
    const refused = await follow();
    expect(refused.response.statusCode).toBe(429);
    expect(JSON.parse(refused.text).error.code).toBe('too_many');
    streams[0]!.response.destroy();
    await until(() => app.live.readers() === 1);
    expect((await follow()).response.statusCode).toBe(200);
  });

  it('end when the server closes', async () => {
    const { app, follow } = await start();
    const stream = await follow();
    await app.close();
    await until(() => stream.response.complete);
  });

  it('say 503 in JSON until the services are there', async () => {
    const app = createServer(new Promise<Services>(() => {}));
    close.push(async () => app.close());
    for (const url of ['/api/v1/jobs', '/api/v1/ready', '/api/v1/models', '/metrics']) {
      const answer = await app.inject(url);
      expect(answer.statusCode, url).toBe(503);
      expect(answer.headers['retry-after'], url).toBe('2');
    }
    expect((await app.inject('/api/v1/health')).json()).toEqual({ ok: true });
  });

  it('tell why the services did not start', async () => {
    const app = createServer(
      Promise.reject(new Error('data: expected a free folder, got one in use')),
    );
    close.push(async () => app.close());
    const { problems } = (await app.inject('/api/v1/ready')).json();
    expect(problems).toEqual(['data: expected a free folder, got one in use']);
  });
});

describe('readers that do not read', () => {
  it('are dropped, and do not hold memory or others up', async () => {
    const { app, follow, port } = await start({ backlog: 1_000_000 });
    const quick = await follow();
    const sockets: Socket[] = [];
    for (let i = 0; i < 8; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
      socket.pause(); // opens, and then never reads
      sockets.push(socket);
    }
    await until(() => app.live.readers() === 9);
    const png = 'A'.repeat(200_000);
    // 12 MB to each: more than the kernel takes for it (some MB), so the rest would stay here.
    for (let i = 0; i < 60; i++) {
      app.live.publish({ type: 'preview', job: 'a', index: i, png });
      await until(() => quick.seen.length === i + 2);
    }
    await until(() => app.live.readers() === 1);
    for (const socket of sockets) socket.destroy();
  });
});
