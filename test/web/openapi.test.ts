/** The OpenAPI document, the numbers, and the small routes: complete, and as they say. */
import { afterAll, describe, expect, it } from 'vitest';
import { createClient } from './client.ts';
import { ended } from './fake-services.ts';

const client = createClient();
const { ask, services } = client;
afterAll(async () => {
  await services.jobs.close();
  await client.app.close();
});

type Operation = {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, unknown>>;
};

describe('/openapi.json', () => {
  it('says of every operation what it does, takes and answers', async () => {
    const { paths, openapi } = (await client.app.inject('/openapi.json')).json();
    expect(openapi).toBe('3.1.0');
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, Operation>).map(
        ([method, operation]) => [`${method} ${path}`, operation] as const,
      ),
    );
    expect(operations.length).toBeGreaterThan(35);
    for (const [name, { summary, tags, requestBody, responses }] of operations) {
      expect(summary, name).toBeTruthy();
      expect(tags?.length, name).toBe(1);
      expect(Object.keys(responses), name).toContain('4XX');
      expect(
        Object.keys(responses).some((status) => /^2/.test(status)),
        name,
      ).toBe(true);
      if (name === 'post /sdapi/v1/interrupt') expect(requestBody, name).toBeUndefined();
      else if (name.startsWith('post')) expect(requestBody, name).toBeDefined();
    }
  });

  it('names all routes of the contract', async () => {
    const { paths } = (await client.app.inject('/openapi.json')).json();
    const expected = [
      ...['health', 'ready', 'system', 'workers', 'models', 'models/{id}', 'images', 'images/{id}'],
      ...['images/{id}/file', 'images/{id}/thumb', 'images/{id}/restore', 'uploads', 'batches'],
      ...['batches/count', 'batches/{id}/zip', 'batches/{id}/sheet.png', 'train', 'evaluate'],
      ...['train/configs', 'jobs', 'jobs/{id}', 'jobs/{id}/points', 'jobs/{id}/cancel'],
      'jobs/{id}/trace.gif',
      'images/zip',
      ...['jobs/{id}/pause', 'jobs/{id}/resume', 'jobs/{id}/retry', 'jobs/{id}/move'],
      ...['queue/pause', 'queue/resume', 'reports', 'reports/{id}', 'reports/{id}/files/{name}'],
      ...['png-info', 'events'],
    ];
    for (const path of expected) expect(paths, path).toHaveProperty([`/api/v1/${path}`]);
    for (const path of ['/v1/images/generations', '/sdapi/v1/txt2img', '/metrics', '/login'])
      expect(paths, path).toHaveProperty([path]);
  });

  it('is read in the browser without anything from elsewhere', async () => {
    const page = await ask('GET', '/docs/');
    expect(page.text).not.toMatch(/https?:\/\//);
    const files = [...page.text.matchAll(/(?:src|href)="\.?([^"]+)"/g)].map(([, path]) => path!);
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) expect((await ask('GET', `/docs${file}`)).status, file).toBe(200);
  });
});

describe('/metrics', () => {
  it('counts requests by route, jobs by state, pictures, steps and loads', async () => {
    const payload = { model: 'avatars', prompt: 'red hair', count: 2, sampling: { steps: 4 } };
    const { body } = await ask('POST', '/api/v1/images', { payload });
    await ended(services.jobs, body.job.id);
    await ask('GET', `/api/v1/jobs/${body.job.id}?`);
    await ask('GET', '/secret-words');
    const { status, headers, text } = await ask('GET', '/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain');
    const value = (name: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1),
      );
    const route = 'method="GET",route="/api/v1/jobs/:id",status="200"';
    expect(value(`ropewalk_http_request_seconds_count{${route}}`)).toBe(1);
    expect(value('ropewalk_jobs{state="done"}')).toBe(1);
    expect(value('ropewalk_queue_depth')).toBe(0);
    expect(value('ropewalk_queue_age_seconds')).toBe(0);
    expect(value('ropewalk_pictures_total{model="avatars"}')).toBe(2);
    expect(value('ropewalk_step_seconds_count{kind="render"}')).toBeGreaterThanOrEqual(5);
    expect(value('ropewalk_model_load_seconds_count{model="avatars"}')).toBe(1);
    expect(value('ropewalk_model_bytes{model="avatars"}')).toBe(924_000_000);
    expect(value('ropewalk_workers')).toBe(1);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(text).not.toMatch(/secret-words|red hair/);
  });
});

describe('models, reports, system, trainings', () => {
  it('are listed and read', async () => {
    const { models, broken } = (await ask('GET', '/api/v1/models')).body;
    expect(models.map(({ id }: { id: string }) => id)).toEqual(['avatars', 'avatars-tokens']);
    expect(broken).toHaveLength(1);
    expect((await ask('GET', '/api/v1/models/avatars')).body).toEqual(models[0]);
    expect((await ask('GET', '/api/v1/models/nobody')).status).toBe(404);
    expect((await ask('GET', '/api/v1/models/..%2Fx')).status).toBe(400);
    const { reports } = (await ask('GET', '/api/v1/reports')).body;
    expect((await ask('GET', `/api/v1/reports/${reports[0].id}`)).status).toBe(200);
    expect((await ask('GET', '/api/v1/reports/nothing')).status).toBe(404);
    expect((await ask('GET', '/api/v1/system')).body).toHaveProperty('version');
    expect((await ask('GET', '/api/v1/ready')).body).toEqual({ ready: true });
    expect((await ask('GET', '/api/v1/train/configs')).body.configs.length).toBeGreaterThan(0);
  });

  it('begin after their configuration was checked', async () => {
    const post = (path: string, payload: object) => ask('POST', `/api/v1/${path}`, { payload });
    expect((await post('train', { config: {} })).body.job.kind).toBe('train');
    const broken = await post('train', { config: { brokn: 1 } });
    expect(broken.status).toBe(400);
    expect(broken.body.error.message).toContain("expected no key 'brokn'");
    for (const payload of [{}, { config: [] }, { config: {}, init: '../x' }, { config: {}, x: 1 }])
      expect((await post('train', payload)).status, JSON.stringify(payload)).toBe(400);
    const measured = await post('evaluate', { what: 'resolution', config: {} });
    expect(measured.body.job).toMatchObject({ kind: 'evaluate', state: 'waiting' });
    const unknown = await post('evaluate', { what: 'taste', config: {} });
    expect(unknown.body.error).toMatchObject({ code: 'invalid', field: 'what' });
  });
});
