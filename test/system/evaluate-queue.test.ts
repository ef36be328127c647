/** `ropewalk evaluate resolution --queue` as people run it: a database, two `ropewalk work`, one of which is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openJobs } from '../../jobs/open.ts';
import { decodePicture } from '../../png.ts';
import { writeTinyComparison } from '../evaluation/tiny-comparison.ts';
import { until } from '../jobs/toys.ts';
import { CLI } from './ropewalk-server.ts';
import { itNeeds, missingPostgres, type Server, startPostgres } from './servers.ts';

let folder: string;
let server: Server;
const started: ChildProcess[] = [];
const at = (...names: string[]) => join(folder, ...names);
beforeAll(async () => {
  if (missingPostgres !== undefined) return;
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-evaluate-'));
  await writeTinyComparison(at('models'));
  server = await startPostgres();
});
afterAll(async () => {
  for (const one of started) one.kill('SIGKILL');
  await server?.close();
  if (folder) await rm(folder, { recursive: true });
});

function ropewalk(...args: readonly string[]): ChildProcess {
  const { PATH } = process.env;
  const env = { PATH, DATABASE_URL: server.url, ROPEWALK_MODELS: at('models') };
  const one = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(one);
  return one;
}
const work = () => ropewalk('work', '--data', at('data'), '--threads', '1');
/** Enough steps that a worker has its pictures in hand for a while. */
function compare(out: string, ...more: readonly string[]): ChildProcess {
  const what = ['--models', 'tiny', '--sizes', '16,24', '--extend', 'none,yarn', '--steps', '60'];
  const judged = ['--samples', '40', '--reference', '40', '--features', at('models/pixels.onnx')];
  const where = ['--out', at(out), '--cache', at('cache'), '--threads', '1'];
  return ropewalk('evaluate', 'resolution', ...what, ...judged, ...where, ...more);
}
async function ended(command: ChildProcess): Promise<void> {
  const said = text(command.stderr!);
  const [code] = await once(command, 'exit');
  expect([code, await said]).toEqual([0, expect.stringContaining('of 120 pictures to draw')]);
}
/** Pixels by file, and the report without what pictures took. */
async function resultOf(out: string) {
  const names = (await readdir(at(out, 'cells'), { recursive: true })).sort();
  const pictures = names.filter((name) => name.endsWith('.png'));
  const pixels = pictures.map(async (name) => [
    name,
    (await decodePicture(await readFile(at(out, 'cells', name)))).data,
  ]);
  const report = JSON.parse(await readFile(at(out, 'report.json'), 'utf8'));
  for (const { numbers } of report.rows) {
    expect(numbers.seconds.value).toBeGreaterThan(0);
    delete numbers.seconds;
  }
  return { pixels: Object.fromEntries(await Promise.all(pixels)), report };
}

describe('evaluate resolution --queue', () => {
  itNeeds(missingPostgres, 'gives the report that one process gives, with kill -9', async () => {
    await ended(compare('here'));
    const jobs = await openJobs({ data: at('data'), database: server.url });
    const workers = [work(), work()];
    await until(async () => (await jobs.workers()).length === 2, { within: 60_000 });
    const comparing = ended(compare('queue', '--queue', '--data', at('data')));
    const [victim] = workers as [ChildProcess];
    const busy = async () =>
      (await jobs.workers()).find(({ pid, jobs }) => pid === victim.pid && jobs.length > 1);
    const { jobs: lost } = await until(busy, { within: 60_000 });
    victim.kill('SIGKILL');
    await comparing;
    const [here, queue] = [await resultOf('here'), await resultOf('queue')];
    expect(Object.keys(here.pixels)).toHaveLength(6); // a part of 32 and one of 8 in three cells
    expect(queue).toEqual(here);
    const resumed = await Promise.all(lost.map(async ({ id }) => (await jobs.get(id))!));
    expect(resumed.every(({ state }) => state === 'done')).toBe(true);
    expect(resumed.some(({ resumedAt }) => resumedAt !== undefined)).toBe(true);
    await jobs.close();
  });
});
