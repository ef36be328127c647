import { expect, it } from 'vitest';
import { createClient } from './client.ts';

const { ask, app, schemas } = createClient();

it('a path that is asked by a method it does not know says which it knows', async () => {
  const cases = [
    ['PUT', '/api/v1/images', 'GET, HEAD, POST'],
    ['PATCH', '/api/v1/images/some-1?a=b', 'DELETE, GET, HEAD'],
    ['GET', '/api/v1/queue/pause', 'POST'],
    ['GET', '/api/v1/jobs/some-1/cancel', 'POST'],
    ['POST', '/api/v1/models', 'GET, HEAD'],
    ['OPTIONS', '/metrics', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
    ['DELETE', '/gallery/some/where', 'GET, HEAD'],
  ] as const;
  for (const [method, path, allow] of cases) {
    const { status, headers, body } = await ask(method, path);
    expect([status, headers.allow], `${method} ${path}`).toEqual([405, allow]);
    expect(body.error.code).toBe('method_not_allowed');
  }
  expect((await ask('PUT', '/api/v1/queue/pause')).body.error.message).toBe(
    'request: expected POST for /api/v1/queue/pause, got PUT',
  );
});

it('so do all paths of the document', async () => {
  await app.ready();
  const paths = new Set([...schemas.keys()].map((route) => route.split(' ')[1]!));
  for (const path of [...paths].filter((one) => /^\/(api|v1|sdapi)\//.test(one))) {
    const { status, headers } = await ask('PATCH', path.replaceAll(/:\w+/g, 'some-1'));
    expect(status, path).toBe(405);
    expect(headers.allow, path).toMatch(/GET|POST/);
  }
});

it('a path that none has is not found by any method', async () => {
  for (const path of ['/api/v1/nothing', '/api/v1/images/a/b', '/a.b', '/**'])
    for (const method of ['GET', 'PUT'] as const) {
      const { status, headers } = await ask(method, path);
      expect([status, headers.allow], `${method} ${path}`).toEqual([404, undefined]);
    }
});

it('says so in the form of the imitated APIs', async () => {
  expect(await ask('GET', '/v1/images/generations')).toMatchObject({
    status: 405,
    headers: { allow: 'POST' },
    body: { error: { type: 'invalid_request_error', code: 'method_not_supported' } },
  });
  expect(await ask('GET', '/sdapi/v1/txt2img')).toMatchObject({
    status: 405,
    headers: { allow: 'POST' },
    body: { detail: 'Method Not Allowed' },
  });
});

it('tells strangers nothing of it', async () => {
  const closed = createClient({ token: 'a token of sixteen' });
  for (const path of ['/api/v1/images', '/api/v1/nothing'])
    expect((await closed.ask('PUT', path)).status).toBe(401);
});
