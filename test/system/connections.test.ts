/**
 * Many connections at once to a real server: readers of events that keep up, that never read, and clients that say
 * half of a request. All get what is theirs, and when they are gone the server is as it was.
 */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RopewalkServer, startServer } from './ropewalk-server.ts';

let data: string;
let server: RopewalkServer;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'ropewalk-connections-'));
  server = await startServer(data, ['--no-worker']);
});
afterAll(async () => {
  await server.stop();
  await rm(data, { recursive: true, force: true });
});

/** A raw connection that says this; `read` false leaves everything that comes in the system's buffers. */
async function open(says: string, { read = true } = {}) {
  const { port, hostname } = new URL(server.address);
  const connection = { socket: connect(Number(port), hostname), text: '', ended: false };
  connection.socket.setEncoding('utf8').on('error', () => {});
  connection.socket.on('close', () => {
    connection.ended = true;
  });
  if (read)
    connection.socket.on('data', (part: string) => {
      connection.text += part;
    });
  await new Promise((resolve) => connection.socket.once('connect', resolve));
  connection.socket.write(says);
  return connection;
}
const FOLLOW = 'GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n';

const post = (path: string, body: object) =>
  fetch(`${server.address}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.address}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}
const sockets = () => readdirSync(`/proc/${server.process.pid}/fd`).length;

async function until(what: () => boolean | Promise<boolean>, seconds: number): Promise<boolean> {
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; await delay(100))
    if (await what()) return true;
  return false;
}
const closeAll = (all: readonly { socket: Socket }[]) => {
  for (const { socket } of all) socket.destroy();
};

test('200 followers of events, some of whom never read: all others get every event', async () => {
  const before = { sockets: sockets(), heap: await metric('nodejs_heap_size_used_bytes') };
  const quick = await Promise.all(Array.from({ length: 180 }, () => open(FOLLOW)));
  const idle = await Promise.all(Array.from({ length: 20 }, () => open(FOLLOW, { read: false })));
  expect(await until(async () => (await metric('ropewalk_event_readers')) === 200, 30)).toBe(true);
  const refused = await open(FOLLOW);
  expect(await until(() => refused.text !== '', 10)).toBe(true);
  expect(refused.text).toMatch(/^HTTP\/1\.1 429/);

  const count = 60;
  for (let i = 0; i < count; i++)
    expect((await post(`/queue/${i % 2 === 0 ? 'pause' : 'resume'}`, {})).ok).toBe(true);
  const events = ({ text }: { text: string }) => text.split('event: queue').length - 1;
  expect(await until(() => quick.every((one) => events(one) >= count), 30)).toBe(true);
  expect(new Set(quick.map(events)).size).toBe(1);

  closeAll([...quick, ...idle, refused]);
  expect(await until(async () => (await metric('ropewalk_event_readers')) === 0, 10)).toBe(true);
  // Connections of the questions themselves may stay open for a while.
  expect(await until(() => sockets() <= before.sockets + 5, 30)).toBe(true);
  // A heap is collected when it likes: 32 MB is less than what 200 backlogs may hold (400 MB).
  const returned = async () =>
    (await metric('nodejs_heap_size_used_bytes')) < before.heap + 32 * 2 ** 20;
  expect(await until(returned, 30)).toBe(true);
});

test('half of a request is not waited for, and keeps nobody else waiting', async () => {
  const before = sockets();
  const halves = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      open(i % 2 === 0 ? 'GET /api/v1/health HTTP/1.1\r\nHost: local' : ''),
    ),
  );
  expect((await fetch(`${server.address}/api/v1/health`)).ok).toBe(true);
  expect(await until(() => halves.every(({ ended }) => ended), 30)).toBe(true);
  expect(await until(() => sockets() <= before + 5, 10)).toBe(true);
});
