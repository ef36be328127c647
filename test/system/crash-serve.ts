/**
 * kill -9 of `ropewalk serve` as people run it, and of the process that computes for it, in the middle of a batch by
 * the model that ships: `npx tsx test/system/crash-serve.ts [KILLS]`, after `npm run build`. The files are compared
 * with those that the same command makes of the same batch undisturbed.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isEnded, type Job, type StoredPicture } from '../../jobs/job.ts';
import { temporaryFolder } from '../jobs/toys.ts';
import { childOf, type RopewalkServer, startServer } from './ropewalk-server.ts';

const PICTURES = 100;
const PROMPTS = ['avataaars, red hair', 'avataaars, glasses', 'pixel art, blue hair'];

const kills = Number(process.argv[2] ?? 12);
const started = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${line}`);

async function get<Answer>({ address }: RopewalkServer, path: string): Promise<Answer> {
  const answer = await fetch(`${address}/api/v1${path}`);
  if (!answer.ok) throw new Error(`${path}: expected an answer, got ${answer.status}`);
  return (await answer.json()) as Answer;
}
const jobOf = async (server: RopewalkServer, id: string) =>
  (await get<{ job: Job }>(server, `/jobs/${id}`)).job;

async function addBatch({ address }: RopewalkServer): Promise<string> {
  const requests = Array.from({ length: PICTURES }, (_, i) => ({
    ...{ model: 'avatars', prompt: PROMPTS[i % PROMPTS.length], seed: 7 + i },
  }));
  const answer = await fetch(`${address}/api/v1/batches`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'killed', requests }),
  });
  return ((await answer.json()) as { job: Job }).job.id;
}

async function untilEnded(server: RopewalkServer, id: string): Promise<Job> {
  for (;;) {
    const job = await jobOf(server, id);
    if (isEnded(job.state)) return job;
    await sleep(100);
  }
}

/** Of each seed the SHA-256 of its file, and how many rows and files there are. */
async function inspect(server: RopewalkServer, id: string, data: string) {
  const { images } = await get<{ images: StoredPicture[] }>(server, `/images?job=${id}&limit=100`);
  const digests = new Map<number, string>();
  for (const picture of images) {
    const file = await fetch(`${server.address}/api/v1/images/${picture.id}/file`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    digests.set(picture.seed, createHash('sha256').update(bytes).digest('hex'));
  }
  const found = await readdir(join(data, 'pictures'), { recursive: true });
  const files = found.filter((path) => path.endsWith('.png')).length;
  return { digests, rows: images.length, files };
}

async function undisturbed(data: string) {
  const server = await startServer(data);
  const id = await addBatch(server);
  await untilEnded(server, id);
  const made = await inspect(server, id, data);
  await server.stop();
  return made;
}

/** By turns the process that computes and the whole server, so long as there is something left to make. */
async function killed(data: string) {
  let server = await startServer(data);
  const id = await addBatch(server);
  let random = 7;
  for (let kill = 1; kill <= kills; kill++) {
    random = (random * 48_271) % 2_147_483_647; // Park and Miller's, so that a run can be repeated
    await sleep(1000 + (random % 5000));
    const { done, state } = await jobOf(server, id);
    if (isEnded(state)) throw new Error(`expected a batch that goes on, got one that is ${state}`);
    if (kill % 2 === 1) {
      const child = childOf(server.process.pid!);
      process.kill(child, 'SIGKILL');
      say(`kill -9 number ${kill}: process ${child}, which computes; ${done} of ${PICTURES} done`);
      continue;
    }
    server.process.kill('SIGKILL');
    await once(server.process, 'exit');
    say(`kill -9 number ${kill}: server ${server.process.pid}; ${done} of ${PICTURES} done`);
    server = await startServer(data);
    say(`started again: server ${server.process.pid}`);
  }
  const job = await untilEnded(server, id);
  const made = await inspect(server, id, data);
  await server.stop();
  return { ...made, state: job.state, failed: job.failed };
}

const [one, two] = [await temporaryFolder(), await temporaryFolder()];
const expected = await undisturbed(one.folder);
say(`undisturbed: ${expected.rows} rows, ${expected.files} files`);
const { digests, ...found } = await killed(two.folder);
const same = [...expected.digests].filter(([seed, digest]) => digests.get(seed) === digest).length;
say(JSON.stringify({ kills, ...found, same }));
await Promise.all([one.remove(), two.remove()]);
const right = [found.rows, found.files, same].every((count) => count === PICTURES);
process.exit(right && found.state === 'done' ? 0 : 1);
