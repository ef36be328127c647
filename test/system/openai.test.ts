import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { unzipSync } from 'fflate';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePicture, readRecipe } from '../../png.ts';
import type { Recipe } from '../../request.ts';
import { type RopewalkServer, startServer } from './ropewalk-server.ts';

let data: string;
let server: RopewalkServer;
let base: string;
let client: OpenAI;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-openai-'));
  server = await startServer(data);
  base = server.address;
  client = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'none', maxRetries: 0 });
});

afterAll(async () => {
  await server.stop();
  await rm(data, { recursive: true, force: true });
});

const bytes = (b64: string | undefined) => Buffer.from(b64!, 'base64');
const extra = (more: object) => more as Record<string, never>;
/** Mean of squares of what two pictures differ in. */
async function distance(a: Buffer, b: Buffer): Promise<number> {
  const [one, two] = [await decodePicture(a), await decodePicture(b)];
  expect([one.width, one.height]).toEqual([two.width, two.height]);
  return one.data.reduce((sum, byte, i) => sum + (byte - two.data[i]!) ** 2, 0) / one.data.length;
}

describe('the openai client', () => {
  test('finds the model that ships', async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toContain('avatars');
  });

  test('gets the same picture for the same seed, alone or beside another', async () => {
    const ask = { model: 'avatars', prompt: 'avataaars, red hair, round glasses' };
    const two = await client.images.generate({ ...ask, n: 2, ...extra({ seed: 7, steps: 4 }) });
    const one = await client.images.generate({ ...ask, ...extra({ seed: 8, steps: 4 }) });
    const files = two.data!.map(({ b64_json }) => bytes(b64_json));
    expect(await distance(files[1]!, bytes(one.data![0]!.b64_json))).toBe(0);
    expect(await distance(files[0]!, files[1]!)).toBeGreaterThan(10);
    const { request, digest } = readRecipe(files[0]!) as Recipe;
    expect(request).toMatchObject({
      seed: 7,
      count: 1,
      condition: expect.arrayContaining(['hair color=red']),
    });
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('sees a picture come up', async () => {
    const stream = await client.images.generate({
      ...{ model: 'avatars', prompt: 'pixel art, blue hair', size: '96x96', output_format: 'webp' },
      ...{ stream: true, partial_images: 3 },
      ...extra({ seed: 7, steps: 12 }),
    });
    const files: Buffer[] = [];
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      files.push(bytes(event.b64_json));
    }
    expect(types.at(-1)).toBe('image_generation.completed');
    // The last one may come before all of the others, as the API allows.
    expect(types.slice(0, -1).length).toBeGreaterThanOrEqual(1);
    expect(new Set(types.slice(0, -1))).toEqual(new Set(['image_generation.partial_image']));
    // Each is nearer to the last one than the one before: it is the same picture, coming up.
    const far = await Promise.all(files.map((file) => distance(file, files.at(-1)!)));
    expect(far).toEqual(far.toSorted((a, b) => b - a));
  });

  test('is told what a prompt lacks', async () => {
    const call = client.images.generate({ model: 'avatars', prompt: 'a horse' });
    await expect(call).rejects.toMatchObject({
      status: 400,
      param: 'prompt',
      code: 'invalid_value',
    });
  });
});

type Batch = {
  readonly job: { readonly id: string; readonly state: string };
  readonly dropped: readonly { readonly row: number }[];
};

describe('a grid', () => {
  test('becomes pictures, a zip and a sheet', async () => {
    const post = async (url: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(base + url, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return (await answer.json()) as Batch;
    };
    const grid = {
      base: { prompt: 'avataaars', seed: 7, size: { width: 32, height: 32 } },
      axes: [
        { name: 'solver', values: ['euler', 'no-such-solver'] },
        { name: 'steps', values: [2, 3] },
      ],
    };
    const { job, dropped } = await post('/api/v1/batches', { title: 'solvers', grid });
    expect(dropped.map(({ row }) => row)).toEqual([3, 4]);
    for (let state = job.state; state !== 'done'; await wait(200)) {
      ({ state } = ((await (await fetch(`${base}/api/v1/jobs/${job.id}`)).json()) as Batch).job);
      expect(['waiting', 'running', 'done']).toContain(state);
    }
    const get = async (url: string) =>
      new Uint8Array(await (await fetch(`${base}/api/v1/batches/${job.id}/${url}`)).arrayBuffer());
    expect(Object.keys(unzipSync(await get('zip')))).toEqual([
      '1-1.png',
      '2-1.png',
      'manifest.json',
    ]);
    const sheet = await decodePicture(await get('sheet.png'));
    expect(sheet.width).toBeGreaterThan(2 * 192);
  });
});
