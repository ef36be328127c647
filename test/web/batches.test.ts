/** Batches: from JSON, CSV and grids; what they cost; their archive and their sheet. */
import { unzipSync } from 'fflate';
import { afterAll, describe, expect, test } from 'vitest';
import { decodePicture, readRecipe } from '../../png.ts';
import { createClient } from './client.ts';
import { ended } from './fake-services.ts';

const client = createClient();
const { ask } = client;
const { jobs } = await client.services;
afterAll(() => client.app.close());

const post = (payload: object, url = '/api/v1/batches') => ask('POST', url, { payload });
const file = (payload: string, url: string, type = 'text/csv') =>
  ask('POST', url, { payload, headers: { 'content-type': type } });
const fast = { model: 'avatars', seed: 5, sampling: { steps: 1 } };
const grid = {
  base: fast,
  axes: [
    { name: 'prompt', values: ['red hair', 'blue hair'] },
    { name: 'size', values: ['32', '48x32', '5000'] },
  ],
};

async function made(body: object): Promise<string> {
  const answer = await post(body);
  expect(answer.status).toBe(202);
  await ended(jobs, answer.body.job.id);
  return answer.body.job.id;
}

describe('POST /api/v1/batches', () => {
  test('queues drafts in their order', async () => {
    const { status, body } = await post({
      title: 'two',
      priority: 7,
      requests: [fast, { ...fast, prompt: 'glasses', count: 3 }],
    });
    expect(status).toBe(202);
    expect(body.job).toMatchObject({ kind: 'batch', title: 'two', total: 4, priority: 7 });
    const job = await jobs.get(body.job.id);
    expect(job!.input).toMatchObject({
      requests: [
        { seed: 5, condition: [] },
        { condition: ['glasses=yes'], count: 3 },
      ],
    });
  });

  test('tells of the first wrong draft, however soon others are seen to be wrong', async () => {
    const large = { ...fast, size: { width: 5000 } }; // its model's card says so, after the schemas
    const { status, body } = await post({ requests: [fast, large, { ...fast, model: 'none' }] });
    expect(status).toBe(400);
    expect(body.error.message).toMatch(/^request 2: /);
  });

  test('queues a grid with its axes, and says what it left out', async () => {
    const { status, body } = await post({ grid });
    expect(status).toBe(202);
    expect(body.dropped).toEqual([
      {
        row: 3,
        reason: expect.stringContaining(
          "'size.width': expected a multiple of the patch (4) from 4 to 512",
        ),
      },
      { row: 6, reason: expect.stringContaining('got 5000') },
    ]);
    const { input } = (await jobs.get(body.job.id))!;
    expect(input).toMatchObject({ axes: grid.axes, cells: [0, 1, 3, 4] });
    expect(body.job.title).toBe('4 requests');
  });

  test('queues CSV and JSON lines, with title and model beside them', async () => {
    const url = '/api/v1/batches?title=prompts.csv&model=avatars-tokens';
    const csv = await file('prompt,seed\r\n"red hair, glasses",1\r\nblue hair,2\r\n', url);
    expect(csv.status).toBe(202);
    expect(csv.body.job).toMatchObject({ title: 'prompts.csv', total: 2 });
    const lines = '{"prompt":"glasses","steps":2}\n{"model":"avatars"}\n';
    const jsonl = await file(lines, '/api/v1/batches?priority=3', 'application/x-ndjson');
    expect(jsonl.body.job).toMatchObject({ title: '2 requests', priority: 3 });
    const { input } = (await jobs.get(csv.body.job.id))!;
    expect(input).toMatchObject({
      requests: [
        { model: 'avatars-tokens', condition: ['hair color=red', 'glasses=yes'] },
        { seed: 2 },
      ],
    });
  });

  test('starts nothing where anything is wrong, and says where', async () => {
    const before = (await jobs.list({ limit: 500 })).items.length;
    const tries: [Promise<{ status: number; body: { error: { message: string } } }>, string][] = [
      [file('prompt,seed\na,1\n"b,2\n', '/api/v1/batches'), 'line 3, column'],
      [file('prompt,seed\nglasses,1\nhorse,2\n', '/api/v1/batches'), "line 3, column 'prompt'"],
      [
        file('size\n64\n1024\n', '/api/v1/batches'),
        "line 3, column 'size': expected a multiple of the patch (4)",
      ],
      [
        file('{"seed":1}\n{"seed":}', '/api/v1/batches', 'application/x-ndjson'),
        'line 2, column 9',
      ],
      [
        file('{"grid":\n{"axes" []}}', '/api/v1/batches', 'application/json'),
        'request: line 2, column 9: expected JSON',
      ],
      [
        post({ requests: [fast, { ...fast, size: { width: 0 } }] }),
        "'requests.1.size.width': expected a whole",
      ],
      [
        post({ requests: [fast, { ...fast, size: { width: 6 } }] }),
        "request 2: 'size.width': expected a multiple",
      ],
      [post({ requests: [fast, { ...fast, model: 'avatar' }] }), "request 2: 'model': expected"],
      [post({ requests: [] }), 'expected some, got none'],
      [post({}), 'expected either requests or a grid, got neither'],
      [post({ requests: [fast], grid }), 'got both'],
      [
        post({ grid: { base: {}, axes: [{ name: 'seed', values: ['x'] }] } }),
        'expected a combination',
      ],
      [post({ grid: { base: {}, axes: [] } }), "'grid.axes': expected a list of 1 to 8 entries"],
      [post({ title: '', requests: [fast] }), "'title': expected text of 1 to 200 characters"],
    ];
    for (const [answer, message] of tries) {
      const { status, body } = await answer;
      expect(body.error.message).toContain(message);
      expect(status).toBe(400);
    }
    const form = await file('title=x', '/api/v1/batches', 'application/x-www-form-urlencoded');
    expect(form.status).toBe(415);
    expect((await jobs.list({ limit: 500 })).items).toHaveLength(before);
  });

  test('takes ten thousand requests, and no more', async () => {
    const requests = Array.from({ length: 10_000 }, (_, seed) => ({
      model: 'avatars',
      prompt: 'red hair',
      seed,
    }));
    const many = await post({ requests }, '/api/v1/batches/count');
    expect(many.body).toMatchObject({ requests: 10_000, count: 10_000, pixels: 40_960_000 });
    const more = await post({ requests: [...requests, fast] }, '/api/v1/batches/count');
    expect(more.body.error.message).toContain('expected a list of 0 to 10000 entries');
  });
});

describe('POST /api/v1/batches/count', () => {
  test('tells pictures, pixels and bytes before anything starts', async () => {
    const fresh = createClient();
    const own = (await fresh.services).jobs;
    const { body } = await fresh.ask('POST', '/api/v1/batches/count', {
      payload: { grid: { ...grid, base: { ...fast, count: 2 } } },
    });
    expect(body).toMatchObject({
      count: 8,
      requests: 4,
      pixels: 2 * 2 * (32 * 32 + 48 * 32),
      bytes: 3 * 2 * 2 * (32 * 32 + 48 * 32),
      dropped: [{ row: 3 }, { row: 6 }],
    });
    expect(body.seconds).toBeUndefined();
    expect(body.sample).toHaveLength(3);
    expect((await own.list({ limit: 10 })).items).toEqual([]);
    await fresh.app.close();
  });

  test('learns from pictures that were made: bytes by pixel, seconds by pixel and step', async () => {
    const { body } = await post(
      { model: 'avatars', seed: 1, size: { width: 32, height: 32 }, sampling: { steps: 4 } },
      '/api/v1/images',
    );
    await ended(jobs, body.job.id);
    const count = async (size: number, steps: number) =>
      (
        await post(
          {
            requests: [
              { model: 'avatars', size: { width: size, height: size }, sampling: { steps } },
            ],
          },
          '/api/v1/batches/count',
        )
      ).body;
    const [small, large, long] = [await count(32, 4), await count(64, 4), await count(32, 8)];
    expect(small.bytes).not.toBe(32 * 32 * 3);
    expect(Math.abs(large.bytes - 4 * small.bytes)).toBeLessThan(4); // each is rounded
    expect(small.seconds).toBeGreaterThan(0);
    expect(large.seconds / small.seconds).toBeCloseTo(4);
    expect(long.seconds / small.seconds).toBeCloseTo(2);
  });
});

describe('GET /api/v1/batches/:id/zip', () => {
  test('holds every picture under its place, and a manifest', async () => {
    const id = await made({ title: 'a "grid"', grid: { ...grid, base: { ...fast, count: 2 } } });
    const { status, headers, bytes } = await ask('GET', `/api/v1/batches/${id}/zip`);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${id}.zip"`,
    });
    const files = unzipSync(bytes);
    const names = ['1-1', '1-2', '2-1', '2-2', '3-1', '3-2', '4-1', '4-2'].map((n) => `${n}.png`);
    expect(Object.keys(files)).toEqual([...names, 'manifest.json']);
    const manifest = JSON.parse(Buffer.from(files['manifest.json']!).toString());
    expect(manifest).toMatchObject({ batch: id, title: 'a "grid"', axes: grid.axes });
    expect(manifest.pictures).toHaveLength(8);
    expect(manifest.pictures[5]).toMatchObject({
      file: '3-2.png',
      request: 3,
      picture: 2,
      seed: 6,
      axes: { prompt: 'blue hair', size: '32' },
    });
    for (const { file, recipe } of manifest.pictures)
      expect(readRecipe(files[file]!), file).toEqual(recipe);
  });

  test('leaves out deleted pictures, and answers for an empty batch', async () => {
    const id = await made({ requests: [fast] });
    const [picture] = (await jobs.pictures.list({ job: id, limit: 1 })).items;
    await jobs.pictures.remove(picture!.id);
    const files = unzipSync((await ask('GET', `/api/v1/batches/${id}/zip`)).bytes);
    expect(JSON.parse(Buffer.from(files['manifest.json']!).toString()).pictures).toEqual([]);
    expect(Object.keys(files)).toEqual(['manifest.json']);
  });

  test('is for batches', async () => {
    expect((await ask('GET', '/api/v1/batches/nothing/zip')).status).toBe(404);
  });
});

describe('GET /api/v1/batches/:id/sheet.png', () => {
  test('shows the pictures of a grid, each in its place', async () => {
    const id = await made({ title: 'sizes', grid });
    const { status, headers, bytes } = await ask('GET', `/api/v1/batches/${id}/sheet.png`);
    expect([status, headers['content-type']]).toEqual([200, 'image/png']);
    const turned = await ask('GET', `/api/v1/batches/${id}/sheet.png?x=prompt&y=size`);
    const [wide, tall] = [await decodePicture(bytes), await decodePicture(turned.bytes)];
    expect(wide.width).toBeGreaterThan(wide.height);
    expect(tall.height).toBeGreaterThan(tall.width);
  });

  test.each([
    ['x=seed', "sheet: 'x': expected prompt or size, got 'seed'"],
    ['x=size&y=size', "sheet: 'y': expected an axis of its own, got 'size' again"],
  ])('refuses axes that are not there: %s', async (query, message) => {
    const { body } = await post({ grid });
    const answer = await ask('GET', `/api/v1/batches/${body.job.id}/sheet.png?${query}`);
    expect(answer.body.error).toMatchObject({ code: 'invalid', message });
  });

  test('is for grids', async () => {
    const { body } = await post({ requests: [fast] });
    expect((await ask('GET', `/api/v1/batches/${body.job.id}/sheet.png`)).status).toBe(409);
  });
});
