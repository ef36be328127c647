/** The OpenAI Images API, by its official client over a socket, and by hand. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import OpenAI, { type APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePicture, readRecipe } from '../../png.ts';
import type { Recipe } from '../../request.ts';
import { createClient } from './client.ts';
import { ended } from './fake-services.ts';

/** Faults of the server: clients that hang up are none. */
const log: string[] = [];
const { app, services, ask } = createClient({
  ...{ step: 4, logLevel: 'error', log: { write: (line) => void log.push(line) } },
});
const { jobs } = await services;
let client: OpenAI;

beforeAll(async () => {
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await app.close();
  expect(log).toEqual([]);
});

const bytes = (b64: string | undefined) => Buffer.from(b64!, 'base64');
const extra = (more: object) => more as Record<string, never>;

/** How a call fails, as the client tells it. */
async function failure(call: Promise<unknown>): Promise<Partial<APIError>> {
  const error = await call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error as APIError,
  );
  expect(error).toBeInstanceOf(OpenAI.APIError);
  const { status, message, type, param, code } = error;
  return { status, message, type, param, code };
}

describe('images.generate', () => {
  test('makes pictures, with seed, steps and guidance beside', async () => {
    const answer = await client.images.generate({
      model: 'avatars',
      prompt: 'red hair, glasses',
      n: 2,
      size: '48x32',
      ...extra({ seed: 7, steps: 2, guidance: 3, negative_prompt: 'blue eyes' }),
    });
    expect(Math.abs(answer.created - Date.now() / 1000)).toBeLessThan(60);
    expect(answer).toMatchObject({
      background: 'opaque',
      output_format: 'png',
      quality: 'medium',
      size: '48x32',
      usage: {
        input_tokens: 3,
        output_tokens: 2 * 3 * 2,
        total_tokens: 15,
        input_tokens_details: { text_tokens: 3, image_tokens: 0 },
      },
    });
    expect(answer.data).toHaveLength(2);
    for (const [i, { b64_json }] of answer.data!.entries()) {
      expect(await decodePicture(bytes(b64_json))).toMatchObject({ width: 48, height: 32 });
      const { request } = readRecipe(bytes(b64_json)) as Recipe;
      expect(request).toMatchObject({
        condition: ['hair color=red', 'glasses=yes'],
        negative: ['eyes color=blue'],
        seed: 7 + i,
        sampling: { steps: 2, guidance: { scale: 3 } },
      });
    }
  });

  test('fills the rest from the card, the first model where none is named', async () => {
    const { data, size } = await client.images.generate({
      prompt: 'glasses',
      size: 'auto',
      quality: 'low',
    });
    expect(size).toBe('64x64');
    const { request } = readRecipe(bytes(data![0]!.b64_json)) as Recipe;
    expect(request).toMatchObject({
      model: 'avatars',
      sampling: { steps: 10, solver: 'dpmpp-2m' },
    });
  });

  test('asks token models too', async () => {
    const answer = await client.images.generate({
      model: 'avatars-tokens',
      prompt: '',
      ...extra({ guidance: 1.5 }),
    });
    const { request } = readRecipe(bytes(answer.data![0]!.b64_json)) as Recipe;
    expect(request.sampling).toMatchObject({
      kind: 'tokens',
      guidance: 1.5,
      decoder: 'sequential',
    });
  });

  test.each([
    ['jpeg', 'ffd8ff'],
    ['webp', '52494646'],
  ] as const)('encodes %s', async (output_format, magic) => {
    const make = async (output_compression: number) =>
      bytes(
        (
          await client.images.generate({
            ...{ prompt: 'glasses', output_format, output_compression },
            ...extra({ steps: 1, seed: 1 }),
          })
        ).data![0]!.b64_json,
      );
    const [small, large] = [await make(0), await make(100)];
    expect(small.toString('hex', 0, magic.length / 2)).toBe(magic);
    expect(await decodePicture(small)).toMatchObject({ width: 64, height: 64 });
    expect(small.length).toBeLessThan(large.length);
  });

  test('gives addresses where they are asked for', async () => {
    const answer = await client.images.generate({
      ...{ prompt: 'glasses', response_format: 'url' },
      ...extra({ steps: 1 }),
    });
    const file = await fetch(answer.data![0]!.url!);
    expect(file.headers.get('content-type')).toBe('image/png');
    expect(await decodePicture(Buffer.from(await file.arrayBuffer()))).toMatchObject({ width: 64 });
  });

  test.each<[object, object]>([
    [{ prompt: 'horse' }, { status: 400, param: 'prompt', code: 'invalid_value' }],
    [{ size: '6x64' }, { status: 400, param: 'size', code: 'invalid_value' }],
    [
      { size: 'big' },
      { status: 400, param: 'size', message: expect.stringContaining('auto or WIDTHxHEIGHT') },
    ],
    [{ n: 11 }, { status: 400, param: 'n', message: expect.stringContaining('from 1 to 10') }],
    [{ seed: -1 }, { status: 400, param: 'seed' }],
    [
      { partial_images: 4, stream: true },
      { status: 400, param: 'partial_images' },
    ],
    [
      { partial_images: 1, stream: true, n: 2 },
      { status: 400, param: 'n' },
    ],
    [{ background: 'transparent' }, { status: 400, param: 'background' }],
    [{ output_compression: 50 }, { status: 400, param: 'output_compression' }],
    [
      { response_format: 'url', output_format: 'webp' },
      { status: 400, param: 'response_format' },
    ],
    [{ promt: 'x' }, { status: 400, param: 'promt', code: 'unknown_parameter' }],
    [{ prompt: undefined }, { status: 400, param: 'prompt', code: 'missing_required_parameter' }],
    [{ model: 'gpt-image-1' }, { status: 404, param: 'model', code: 'model_not_found' }],
  ])('refuses %j', async (change, expected) => {
    const before = (await jobs.list({ limit: 500 })).items.length;
    const call = client.images.generate({ prompt: 'glasses', ...change } as never);
    expect(await failure(call)).toMatchObject({ type: 'invalid_request_error', ...expected });
    expect((await jobs.list({ limit: 500 })).items).toHaveLength(before);
  });

  test('says 429 where the queue is full', async () => {
    const full = createClient({ limit: 0 });
    const payload = { prompt: 'glasses' };
    const { status, headers, body } = await full.ask('POST', '/v1/images/generations', { payload });
    expect([status, headers['retry-after']]).toEqual([429, '10']);
    expect(body.error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded' });
    await full.app.close();
  });

  test('cancels the job of a client that hangs up', async () => {
    const hangUp = new AbortController();
    const call = client.images.generate(
      { prompt: 'glasses', ...extra({ steps: 1000, seed: 4711 }) },
      { signal: hangUp.signal },
    );
    const caught = call.catch((error: Error) => error);
    const job = await findJob(4711);
    hangUp.abort();
    expect(await caught).toBeInstanceOf(OpenAI.APIUserAbortError);
    await ended(jobs, job.id);
    expect(await jobs.get(job.id)).toMatchObject({ state: 'cancelled' });
  });
});

async function findJob(seed: number) {
  for (;;) {
    const { items } = await jobs.list({ limit: 50 });
    const job = items.find(
      ({ input, state }) =>
        input.kind === 'render' && input.request.seed === seed && state === 'running',
    );
    if (job) return job;
    await wait(5);
  }
}

describe('images.generate as a stream', () => {
  const read = async (more: object) => {
    const stream = await client.images.generate({
      ...{ prompt: 'glasses', stream: true, size: '32x32', output_format: 'webp' },
      ...extra({ steps: 12, seed: 1, ...more }),
    });
    const events: OpenAI.ImageGenStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    return events;
  };

  test.each([0, 1, 2, 3])(
    'sends %i pictures on the way, then the last one',
    async (partial_images) => {
      const events = await read({ partial_images });
      expect(events.map(({ type }) => type)).toEqual([
        ...Array<string>(partial_images).fill('image_generation.partial_image'),
        'image_generation.completed',
      ]);
      for (const [i, event] of events.entries()) {
        expect(await decodePicture(bytes(event.b64_json))).toMatchObject({ width: 32, height: 32 });
        expect(event).toMatchObject({ size: '32x32', output_format: 'webp', background: 'opaque' });
        if (event.type === 'image_generation.partial_image')
          expect(event.partial_image_index).toBe(i);
        else expect(event.usage).toMatchObject({ output_tokens: 4, total_tokens: 5 });
      }
      const distinct = new Set(events.map(({ b64_json }) => b64_json));
      expect(distinct.size).toBe(events.length);
    },
  );

  test('sends every picture of several as it is finished', async () => {
    const events = await read({ n: 3, steps: 1 });
    expect(events.map(({ type }) => type)).toEqual(Array(3).fill('image_generation.completed'));
  });

  test('ends with the reason where a job is cancelled', async () => {
    const reading = read({ steps: 1000, seed: 4712 });
    const caught = reading.catch((error: APIError) => error);
    await jobs.cancel((await findJob(4712)).id);
    expect(await caught).toMatchObject({
      message: expect.stringContaining('the pictures were cancelled'),
    });
  });

  test('is written as OpenAI writes it', async () => {
    const payload = { prompt: 'glasses', stream: true, partial_images: 1, steps: 2 };
    const { headers, text } = await ask('POST', '/v1/images/generations', { payload });
    expect(headers['content-type']).toContain('text/event-stream');
    const names = [...text.matchAll(/^event: (.*)\ndata: (\{.*\})\n\n/gm)].map(([, name, data]) => {
      expect(JSON.parse(data!).type).toBe(name);
      return name;
    });
    expect(names).toEqual(['image_generation.partial_image', 'image_generation.completed']);
  });
});

describe('models', () => {
  test('are listed and found', async () => {
    const models = await client.models.list();
    expect(models.data.map(({ id }) => id)).toEqual(['avatars', 'avatars-tokens']);
    expect(await client.models.retrieve('avatars')).toMatchObject({
      object: 'model',
      owned_by: 'ropewalk',
    });
    expect(await failure(client.models.retrieve('avatar'))).toMatchObject({
      status: 404,
      param: 'model',
      code: 'model_not_found',
      message: expect.stringContaining('did you mean'),
    });
  });

  test('what is not there is said in the same form', async () => {
    const page = await mkdtemp(join(tmpdir(), 'ropewalk-page-'));
    await writeFile(join(page, 'index.html'), '<p>');
    const built = createClient({ page });
    for (const server of [{ ask }, built]) {
      const { status, body } = await server.ask('GET', '/v1/nothing');
      expect(status).toBe(404);
      expect(body.error).toMatchObject({ type: 'invalid_request_error', code: 'not_found' });
    }
    expect((await built.ask('GET', '/sdapi/v1/nothing')).body).toEqual({ detail: 'Not Found' });
    expect((await built.ask('GET', '/gallery')).text).toBe('<p>');
    expect((await built.ask('GET', '/nothing')).body.error).toMatchObject({ code: 'not_found' });
    await built.app.close();
    await rm(page, { recursive: true });
  });
});
