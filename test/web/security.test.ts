/** Attacks on servers like this one, each with a request that must fail; docs/security.md has the table. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { encodePng } from '../../png.ts';
import { checkExposure } from '../../web/security.ts';
import { type Answer, createClient } from './client.ts';

const TOKEN = 'a-token-of-32-characters-or-more';
let open: ReturnType<typeof createClient>[] = [];
afterEach(async () => {
  for (const { app, services } of open) {
    await services.jobs.close();
    await app.close();
  }
  open = [];
});
function start(options: Parameters<typeof createClient>[0] = {}) {
  const client = createClient(options);
  open.push(client);
  return client;
}

const draft = { model: 'avatars' };
const JSON_TYPE = { 'content-type': 'application/json' };
const draw = (client: ReturnType<typeof createClient>, headers: object, payload: unknown = draft) =>
  client.ask('POST', '/api/v1/images', {
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    headers: { ...JSON_TYPE, ...headers },
  });

function expectRefused({ status, body }: Answer, code: string): void {
  expect(body?.error?.code, `${status}`).toBe(code);
}

describe('a server without a token', () => {
  it('may listen on loopback only', () => {
    for (const host of ['127.0.0.1', '::1', 'localhost', '127.8.9.1'])
      expect(() => checkExposure(host, undefined)).not.toThrow();
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'studio.local', '127.evil.example'])
      expect(() => checkExposure(host, undefined), host).toThrow(/expected a token for --host/);
    expect(() => checkExposure('0.0.0.0', 'short')).toThrow(/at least 16 characters/);
    expect(() => checkExposure('0.0.0.0', TOKEN)).not.toThrow();
  });

  it('answers no other machine, whatever a header says of it', async () => {
    const { ask } = start();
    const from = (remoteAddress: string, headers = {}) =>
      ask('GET', '/api/v1/system', { remoteAddress, headers });
    for (const address of ['192.168.1.9', '10.0.0.1', 'fe80::1', '8.8.8.8'])
      expectRefused(await from(address), 'forbidden');
    expectRefused(await from('8.8.8.8', { 'x-forwarded-for': '127.0.0.1' }), 'forbidden');
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      expect((await from(address)).status).toBe(200);
  });
});

describe('a token', () => {
  it('is asked for by everything but health, the page and the login', async () => {
    const client = start({ token: TOKEN });
    await client.app.ready();
    let guarded = 0;
    for (const route of client.schemas.keys()) {
      const [method, url] = route.split(' ') as ['GET', string];
      if (!['GET', 'POST', 'DELETE'].includes(method)) continue;
      const path = url.replace(/:\w+/g, 'some-1').replace('*', 'x');
      const { status } = await client.ask(method, path, {
        ...((method as string) === 'POST' && { payload: {} }),
      });
      const isPage = !/^\/(api|v1|sdapi|docs|metrics|openapi)/.test(url);
      const isOpen = url === '/api/v1/health' || isPage;
      if (isOpen) expect(status, route).not.toBe(401);
      else expect(status, route).toBe(401);
      if (!isOpen) guarded++;
    }
    expect(guarded).toBeGreaterThan(25);
  });

  it('opens the API as Bearer, and only the whole of it', async () => {
    const { ask } = start({ token: TOKEN });
    const get = (authorization?: string) =>
      ask('GET', '/api/v1/models', {
        headers: authorization === undefined ? {} : { authorization },
      });
    expect((await get(`Bearer ${TOKEN}`)).status).toBe(200);
    expect((await get(`bearer ${TOKEN}`)).status).toBe(200);
    const wrong = [undefined, '', 'Bearer', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`];
    for (const header of [...wrong, TOKEN, `Basic ${TOKEN}`, 'Bearer undefined', 'Bearer null'])
      expectRefused(await get(header), 'unauthorized');
    const answer = await get();
    expect(answer.text).not.toContain(TOKEN);
  });

  it('becomes a cookie that scripts and other sites do not get', async () => {
    const { ask } = start({ token: TOKEN });
    const login = (token: unknown) => ask('POST', '/login', { payload: { token } });
    expectRefused(await login('wrong'), 'unauthorized');
    expectRefused(await login(''), 'invalid');
    expectRefused(await login({ $ne: '' }), 'invalid');
    const { status, headers } = await login(TOKEN);
    expect(status).toBe(200);
    const cookie = String(headers['set-cookie']);
    expect(cookie).toContain(`ropewalk=${TOKEN}`);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(part);
    const withCookie = { headers: { cookie: `ropewalk=${TOKEN}` } };
    expect((await ask('GET', '/api/v1/models', withCookie)).status).toBe(200);
    const other = { headers: { cookie: 'ropewalk=guess' } };
    expectRefused(await ask('GET', '/api/v1/models', other), 'unauthorized');
  });

  it('cannot be guessed often', async () => {
    const { ask } = start({ token: TOKEN });
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++)
      statuses.push((await ask('POST', '/login', { payload: { token: `guess ${i}` } })).status);
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.slice(10)).toEqual([429, 429]);
  });

  it('sets no cookie where none is needed', async () => {
    const { headers } = await start().ask('POST', '/login', { payload: { token: 'x' } });
    expect(headers['set-cookie']).toBeUndefined();
  });
});

describe('pages of other sites', () => {
  it('do not reach the server by a name of theirs (DNS rebinding)', async () => {
    const { ask } = start();
    const get = (host: string) => ask('GET', '/api/v1/images', { headers: { host } });
    for (const host of ['evil.example', 'evil.example:8188', 'localhost.evil.example', '.'])
      expectRefused(await get(host), 'forbidden');
    for (const host of ['192.168.1.5:80', '8.8.8.8', '127.0.0.1.nip.io', '[::2]:80', 'localhost@x'])
      expectRefused(await get(host), 'forbidden');
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:9000', '[::1]:80'])
      expect((await get(host)).status, host).toBe(200);
  });

  it('do so neither where a token is used, except by names that were allowed', async () => {
    const { ask } = start({ token: TOKEN, allowedHosts: ['studio.local'] });
    const get = (host: string) =>
      ask('GET', '/api/v1/models', { headers: { host, authorization: `Bearer ${TOKEN}` } });
    expectRefused(await get('evil.example'), 'forbidden');
    for (const host of ['studio.local:8188', '192.168.1.5:8188', '[fe80::1]'])
      expect((await get(host)).status, host).toBe(200);
  });

  it('do not follow events by a name of theirs', async () => {
    const headers = { host: 'evil.example' };
    expectRefused(await start().ask('GET', '/api/v1/events', { headers }), 'forbidden');
  });

  it('do not ask on behalf of a visitor (CSRF)', async () => {
    const client = start();
    const from = (headers: object) => draw(client, { host: 'localhost:8188', ...headers });
    const origins = ['http://evil.example', 'https://localhost:8188.evil.example', 'null'];
    for (const origin of [...origins, 'http://localhost:3000', 'http://127.0.0.1:8188', ''])
      expectRefused(await from({ origin }), 'forbidden');
    for (const site of ['cross-site', 'same-site', 'strange'])
      expectRefused(await from({ 'sec-fetch-site': site }), 'forbidden');
    expect((await from({ origin: 'http://localhost:8188' })).status).toBe(202);
    expect((await from({ 'sec-fetch-site': 'same-origin' })).status).toBe(202);
    expect((await from({})).status).toBe(202); // a program, not a browser
  });

  it('may link to a page, not embed or read what is here', async () => {
    const { ask } = start();
    const get = (dest: string) =>
      ask('GET', '/api/v1/models', {
        headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': dest },
      });
    expect((await get('document')).status).toBe(200);
    for (const dest of ['image', 'script', 'iframe', 'empty', 'frame'])
      expectRefused(await get(dest), 'forbidden');
    const { headers } = await get('document');
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['x-frame-options']).toBe('DENY');
  });

  it('cannot send what a form sends', async () => {
    const client = start();
    const forms = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];
    const near = ['application/json-patch', 'application/jsonp', 'application /json', 'json'];
    for (const type of [...forms, 'text/plain', 'text/json', '', ...near])
      expectRefused(await draw(client, { 'content-type': type }), 'unsupported');
    const bare = await client.app.inject({ method: 'POST', url: '/api/v1/queue/pause' });
    expect(bare.statusCode).toBe(415);
    expect(await client.services.jobs.isPaused()).toBe(false);
  });

  it('get no way around schemas by odd content types', async () => {
    const client = start();
    const odd = [
      'application/json\ta',
      'application/json ;x',
      'APPLICATION/JSON',
      ' application/json',
    ];
    for (const type of odd) {
      const { status } = await draw(client, { 'content-type': type }, { model: '../x', evil: 1 });
      expect([400, 415], type).toContain(status);
    }
    expect((await client.services.jobs.list({ limit: 10 })).items).toEqual([]);
  });
});

it('changes nothing by GET', async () => {
  const client = start();
  await client.app.ready();
  const paths = [...client.schemas.keys()].filter((route) => route.startsWith('POST '));
  for (const route of paths.filter(
    (path) => path.includes('/jobs/:id/') || path.includes('queue'),
  )) {
    const path = route.replace('POST ', '').replace(':id', 'some-1');
    expect([404, 405], path).toContain((await client.ask('GET', path)).status);
  }
  expect(await client.services.jobs.isPaused()).toBe(false);
});

describe('files', () => {
  it('are found by opaque ids, never by paths', async () => {
    const { ask } = start();
    const paths = [
      '/api/v1/images/../../etc/passwd',
      '/api/v1/images/..%2F..%2Fetc%2Fpasswd/file',
      '/api/v1/images/%2Fetc%2Fpasswd/file',
      '/api/v1/images/..%5C..%5Cwindows/file',
      '/api/v1/images/a%00b/file',
      '/api/v1/images/file:%2F%2F%2Fetc%2Fpasswd/file',
      '/api/v1/reports/..%2Fsizes',
      '/api/v1/reports/sizes/files/..%2F..%2Fpackage.json',
      '/api/v1/reports/sizes/files/..',
      '/api/v1/reports/sizes/files/secret.txt',
      '/file=/etc/passwd',
      '/view?filename=../../etc/passwd',
      '/..%2f..%2fetc/passwd',
      '/assets/..%2f..%2f..%2fpackage.json',
      '/.env',
      '/%00',
      '/api/v1/images/%252e%252e%252fpasswd/file',
      '/api/v1/images/..%c0%af..%c0%afpasswd/file',
      '//evil.example/..',
      '/login/..//evil.example',
    ];
    for (const path of paths) {
      const { status, text, headers } = await ask('GET', path);
      expect([400, 403, 404], path).toContain(status);
      expect(headers.location, path).toBeUndefined();
      expect(text, path).not.toContain('root:');
    }
  });

  it('of reports open without scripts', async () => {
    const { headers, status } = await start().ask('GET', '/api/v1/reports/sizes/files/chart.png');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('image/png');
    expect(headers['content-security-policy']).toContain('sandbox');
    expect(headers['content-security-policy']).not.toContain('allow-scripts');
  });

  it('are deleted by the ids of pictures only', async () => {
    const { ask } = start();
    for (const id of ['..%2F..%2Fdata', 'upload-1', '%2Ftmp', 'C:%5Cx'])
      expect([400, 404], id).toContain((await ask('DELETE', `/api/v1/images/${id}`)).status);
  });
});

describe('bodies', () => {
  it('cannot change prototypes', async () => {
    const client = start();
    for (const body of [
      '{"model":"avatars","__proto__":{"count":9}}',
      '{"constructor":{"prototype":{}}}',
    ])
      expectRefused(await draw(client, {}, body), 'invalid');
    expect(({} as { count?: number }).count).toBeUndefined();
  });

  it('are limited in size, depth and number', async () => {
    const client = start();
    const large = await draw(client, {}, { ...draft, prompt: 'x'.repeat(2 ** 20) });
    expectRefused(large, 'too_large');
    expect(large.body.error.message).toMatch(/at most 1048576 bytes, got 10486\d\d$/);
    const chunks = () => Readable.from(Array.from({ length: 20 }, () => ' '.repeat(2 ** 16)));
    const endless = { payload: chunks(), headers: JSON_TYPE }; // its length is not said
    expectRefused(await client.ask('POST', '/api/v1/images', endless), 'too_large');
    const deep = `{"config":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`;
    const nested = await client.ask('POST', '/api/v1/train', { payload: deep, headers: JSON_TYPE });
    expectRefused(nested, 'invalid');
    expect(nested.body.error.message).toContain('nested too deeply');
    const cut = await draw(client, {}, '{\n"model":');
    expectRefused(cut, 'invalid');
    expect(cut.body.error.message).toBe('request: line 2, column 9: expected JSON, got the end');
    const nothing = await draw(client, {}, '');
    expectRefused(nothing, 'invalid');
    expect(nothing.body.error.message).toContain('expected JSON, got nothing; send {}');
    const { status } = await client.ask('GET', `/api/v1/images/${'a'.repeat(5000)}`);
    expect([400, 404, 414]).toContain(status);
  });

  it('hold no text or number that the database would stumble over', async () => {
    const client = start();
    const refused = [
      ['/api/v1/jobs?search=a%00b', 'search', 'expected text without the character NUL'],
      ['/api/v1/images?model=%00', 'model', 'expected text without the character NUL'],
      ['/api/v1/jobs/some-id/points?after=2147483648', 'after', 'from 0 to 2147483647'],
    ] as const;
    for (const [url, field, sentence] of refused) {
      const { status, body } = await client.ask('GET', url);
      expect({ status, ...body.error }).toMatchObject({ status: 400, field });
      expect(body.error.message).toContain(sentence);
    }
    const batch = { title: 'a\0', requests: [] };
    const { status, body } = await client.ask('POST', '/api/v1/batches', { payload: batch });
    expect(status, body.error.message).toBe(400);
  });

  it('hold no code, files or addresses that the server would run or fetch', async () => {
    let calls = 0;
    const elsewhere = createSocketServer((socket) => {
      calls++;
      socket.destroy();
    });
    await new Promise<void>((done) => elsewhere.listen(0, '127.0.0.1', done));
    const { port } = elsewhere.address() as { port: number };
    const url = `http://127.0.0.1:${port}/picture.png`;
    const client = start();
    const tries = [
      { ...draft, input: { image: url, strength: 1 } },
      { ...draft, model: url },
      { ...draft, prompt: url },
      { ...draft, prompt: '{{7*7}} $'.concat('{process.exit(1)} <script>') },
      { ...draft, init_image: url },
    ];
    for (const payload of tries) expectRefused(await draw(client, {}, payload), 'invalid');
    const payload = { config: {}, init: '../../model.pkl' };
    expectRefused(await client.ask('POST', '/api/v1/train', { payload }), 'invalid');
    expect(calls).toBe(0);
    elsewhere.close();
  });
});

describe('what is no request', () => {
  /** The answer to bytes on a socket, whole. */
  async function say(client: ReturnType<typeof createClient>, bytes: string): Promise<string> {
    if (!client.app.server.listening) await client.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = client.app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (part) => {
      answer += part;
    });
    await once(socket, 'close');
    return answer;
  }
  const head = (rest: string) =>
    `POST /api/v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${rest}`;
  const smuggled = '0\r\n\r\nGET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n';

  it('is answered once, in the form of all errors, and hung up on', async () => {
    const client = start();
    const odd: [string, number][] = [
      ['\x16\x03\x01\x02\x00', 400], // TLS
      ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
      ['GET /api/v1/images/a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
      [head(`Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled}`), 400],
      [head(`Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}${smuggled}`), 400],
      [head(`Transfer-Encoding: chunked, x\r\n\r\n${smuggled}`), 400],
      [head(`X-Long: ${'x'.repeat(20_000)}\r\n\r\n`), 431],
    ];
    for (const [bytes, status] of odd) {
      const answer = await say(client, bytes);
      expect(answer, bytes.slice(0, 40)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
      const { error } = JSON.parse(answer.split('\r\n\r\n')[1]!);
      expect(error).toEqual({ code: 'invalid', message: expect.stringContaining('expected') });
    }
    expect((await client.services.jobs.list({ limit: 1 })).items).toEqual([]);
  });

  it('is no tunnel and no mirror: CONNECT, TRACE, upgrades', async () => {
    const client = start({ token: TOKEN });
    const line = (method: string, more = '') =>
      `${method} / HTTP/1.1\r\nHost: localhost\r\nCookie: ropewalk=${TOKEN}\r\n${more}\r\n`;
    const close = 'Connection: close\r\n';
    expect(await say(client, line('CONNECT'))).toBe('');
    const traced = await say(client, line('TRACE', close));
    expect(traced).toMatch(/^HTTP\/1\.1 405 /);
    expect(traced).not.toContain(TOKEN);
    const upgrade = 'Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const events = line('GET', `Connection: Upgrade, close\r\n${upgrade}`);
    expect(await say(client, events)).not.toContain(' 101 ');
  });

  it('may not have two hosts in the name of one', async () => {
    const client = start();
    const get = (first: string, host: string) =>
      say(client, `GET ${first} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await get('http://localhost/api/v1/models', 'evil.example')).toMatch(/^HTTP\/1\.1 403/);
    expect(await get('/api/v1/models', 'evil.example\r\nHost: localhost')).toMatch(/ 403 /);
    expect(await get('/api/v1/models', '')).toMatch(/ 403 /);
  });

  it('is a path whose encoding is broken', async () => {
    const client = start();
    for (const path of ['%zz', '%c0%ae%c0%ae%c0%af', '%', '%ff']) {
      const { status, text, headers } = await client.ask('GET', `/api/v1/images/${path}`);
      expect(status).toBe(400);
      expect(JSON.parse(text).error).toMatchObject({ code: 'invalid' });
      expect(text).not.toContain(`images/${path}`);
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });
});

describe('uploads', () => {
  const png = () =>
    encodePng({ data: new Uint8Array(12), width: 2, height: 2 }, { recipe: { secret: 1 } });
  const upload = (file: Buffer | string, type = 'image/png', client = start()) =>
    client.ask('POST', '/api/v1/uploads', { payload: file, headers: { 'content-type': type } });

  it('are encoded anew: what else was in the file is gone', async () => {
    const client = start();
    const file = Buffer.concat([await png(), Buffer.from('<script>alert(1)</script>')]);
    const { status, body } = await upload(file, 'image/png', client);
    expect(status).toBe(201);
    const kept = (await client.services.jobs.pictures.read(body.id))!;
    expect(kept.includes('secret')).toBe(false);
    expect(kept.includes('script')).toBe(false);
  });

  it('come as a form too', async () => {
    const parts = ['--x', 'Content-Disposition: form-data; name="file"; filename="../../a.html"'];
    const head = [...parts, 'Content-Type: text/html', '', ''].join('\r\n');
    const form = Buffer.concat([Buffer.from(head), await png(), Buffer.from('\r\n--x--\r\n')]);
    const { status, body } = await upload(form, 'multipart/form-data; boundary=x');
    expect(status).toBe(201);
    expect(body.id).toMatch(/^[\w-]+$/);
  });

  it('are refused where they are no pictures, whatever they are called', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';
    for (const file of [svg, '<html></html>', 'GIF89a', '%PDF-1.4', 'PK\u0003\u0004', ''])
      expectRefused(await upload(file), 'invalid');
    for (const type of ['image/svg+xml', 'text/html', 'application/octet-stream', 'image/gif'])
      expectRefused(await upload(svg, type), 'unsupported');
    expectRefused(await upload((await png()).subarray(0, 40)), 'invalid');
  });

  it('are limited in pixels before they are decoded', async () => {
    const file = await png();
    file.writeUInt32BE(60_000, 16); // the width that the header declares
    file.writeUInt32BE(60_000, 20);
    const { body } = await upload(file);
    expect(body.error.code).toBe('invalid');
  });

  it('are limited in parts and names of forms', async () => {
    const part = (i: number) => `--x\r\nContent-Disposition: form-data; name="f${i}"\r\n\r\n1\r\n`;
    const many = `${Array.from({ length: 1000 }, (_, i) => part(i)).join('')}--x--\r\n`;
    const { status } = await upload(many, 'multipart/form-data; boundary=x');
    expect([400, 413]).toContain(status);
    const dashes = await upload('-'.repeat(1_000_000), 'multipart/form-data; boundary=x');
    expect([400, 413]).toContain(dashes.status);
  });
});

describe('too many requests', () => {
  it('are answered 429 with Retry-After', async () => {
    const client = start({ limits: { writes: 3, reads: 5 } });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await draw(client, {})).status);
    expect(statuses).toEqual([202, 202, 202, 429]);
    const refused = await draw(client, {});
    expectRefused(refused, 'too_many');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    for (let i = 0; i < 5; i++)
      expect((await client.ask('GET', '/api/v1/models')).status).toBe(200);
    expect((await client.ask('GET', '/api/v1/models')).status).toBe(429);
  });
});

it('are locked by their hashes', () => {
  const lock = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
  const { '': _, ...packages } = JSON.parse(lock).packages as Record<string, object>;
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  for (const [name, locked] of Object.entries(packages))
    expect(locked, name).toMatchObject({ integrity: expect.stringMatching(/^sha512-/) });
});

describe('answers', () => {
  it('carry headers that keep browsers from guessing, embedding and sending on', async () => {
    const { ask } = start();
    for (const path of ['/api/v1/models', '/nothing', '/', '/docs/', '/metrics']) {
      const { headers } = await ask('GET', path);
      expect(headers['x-content-type-options'], path).toBe('nosniff');
      expect(headers['referrer-policy'], path).toBe('no-referrer');
      const policy = String(headers['content-security-policy']);
      expect(policy, path).toContain("default-src 'none'");
      expect(policy, path).toContain("script-src 'self'");
      expect(policy, path).not.toMatch(/unsafe|https?:|\*/);
      expect(headers.server ?? headers['x-powered-by']).toBeUndefined();
    }
  });

  it('tell nothing of failures inside', async () => {
    const client = start();
    const broken = new TypeError("cannot read 'secret' of /home/me/ropewalk");
    Object.assign(client.services.jobs, { counts: () => Promise.reject(broken) });
    const { status, text } = await client.ask('GET', '/api/v1/jobs');
    expect(status).toBe(500);
    expect(text).not.toMatch(/secret|home|TypeError/);
  });
});

describe('the log', () => {
  it('has no prompts, no tokens, and no lines of others', async () => {
    const lines: string[] = [];
    const log = { write: (line: string) => void lines.push(line) };
    const client = start({ log, token: TOKEN });
    const authorization = `Bearer ${TOKEN}`;
    const forged = 'fine\r\n{"level":60,"msg":"forged"}\u001b[31m';
    await draw(client, { authorization }, { ...draft, prompt: `zebra ${forged}` });
    await draw(client, { authorization }, { ...draft, prompt: 'red hair' });
    await client.ask('GET', `/api/v1/images?search=${encodeURIComponent(`zebra ${forged}`)}`, {
      headers: { authorization },
    });
    await client.ask('GET', `/zebra/${encodeURIComponent(forged)}`, { headers: { authorization } });
    Object.assign(client.services.jobs, {
      counts: () => Promise.reject(new Error(`failed on 'zebra ${forged}'`)),
    });
    const failed = await client.ask('GET', '/api/v1/jobs', { headers: { authorization } });
    expect(failed.status).toBe(500);
    expect(lines.length).toBeGreaterThan(8);
    for (const line of lines) {
      for (const mark of ['\n', '\r', '\u001b']) expect(line.trimEnd()).not.toContain(mark);
      expect(() => JSON.parse(line)).not.toThrow();
      expect(line).not.toMatch(/zebra|red hair|hair color|forged/);
      expect(line).not.toContain(TOKEN);
    }
    expect(lines.some((line) => line.includes('failed on'))).toBe(true);
  });
});
