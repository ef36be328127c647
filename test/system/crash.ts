/**
 * kill -9 again and again while a batch is worked on, then: is everything there, once, and as it should be?
 * `npx tsx test/system/crash.ts [KILLS]` does it at length with one embedded process and prints what happened; with
 * `redis` after the number it is three workers on Redis and PostgreSQL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { STORE_MARK } from '../../jobs/one-store.ts';
import { type OpenOptions, openJobs } from '../../jobs/open.ts';
import { drawToy, temporaryFolder } from '../jobs/toys.ts';
import { startPostgres, startRedis } from './servers.ts';
import type { WorkerTask } from './worker-process.ts';

export type CrashOptions = {
  readonly options: OpenOptions;
  /** Processes that work at the same time; an embedded folder has one. */
  readonly processes: number;
  readonly kills: number;
  /** Requests of the batch, one picture each. */
  readonly requests: number;
  /** Milliseconds of each of the four steps of a picture. */
  readonly step?: number;
  /** The least milliseconds from when a process works to its end, and the most that chance adds. */
  readonly pause?: readonly [least: number, more: number];
  readonly say?: (line: string) => void;
};
export type CrashReport = {
  readonly kills: number;
  /** How many jobs were running, and so were taken up again, of all kills. */
  readonly resumed: number;
  readonly pictures: number;
  /** In the store, of pictures and of anything else, but for those that were there before. */
  readonly files: number;
  /** What is not as it should be, a sentence each. */
  readonly wrong: readonly string[];
};

type Worker = { readonly child: ChildProcess; readonly lines: string[]; working(): Promise<void> };

export async function crash(given: CrashOptions): Promise<CrashReport> {
  const { processes, kills, pause: [least, more] = [100, 900], say = () => {} } = given;
  const filesBefore = await countFiles(given);
  const first = start({ ...taskOf(given), add: given.requests });
  await first.working();
  const id = JSON.parse(first.lines.find((line) => line.includes('"batch"'))!).batch as string;
  const workers = [first];
  while (workers.length < processes) workers.push(start(taskOf(given)));
  let random = 7;
  for (let kill = 1; kill <= kills; kill++) {
    random = (random * 48_271) % 2_147_483_647; // Park and Miller's, so that a run can be repeated
    const at = random % workers.length;
    await workers[at]!.working();
    await sleep(least + (random % more));
    await end(workers[at]!.child);
    say(`kill -9 number ${kill}, process ${workers[at]!.child.pid}`);
    workers[at] = start(kill < kills ? taskOf(given) : { ...taskOf(given), until: id });
    if (kill === kills) await once(workers[at]!.child, 'exit');
  }
  await Promise.all(workers.map(({ child }) => end(child)));
  const { wrong, ...found } = await inspect(given, id);
  const files = (await countFiles(given)) - filesBefore;
  if (files !== given.requests) wrong.push(`there are ${files} files`);
  return { kills, ...found, files, wrong };
}

const taskOf = ({ options, processes, step = 25 }: CrashOptions): WorkerTask => ({
  ...{ options, concurrency: processes === 1 ? 2 : 1, step },
});

function start(task: WorkerTask): Worker {
  const path = join(import.meta.dirname, 'worker-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', path, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout! });
  reader.on('line', (line) => lines.push(line));
  return {
    child,
    lines,
    /** It is in the middle of a job, or, of several processes, has been without one for a while: the others have all. */
    async working() {
      const patience = task.concurrency === 1 ? 150 : 3000;
      for (let i = 0; i < patience && !lines.some((line) => line.includes('"step"')); i++) {
        if (child.exitCode !== null) throw new Error(`worker: ended with ${child.exitCode}`);
        await sleep(100);
      }
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Compares with what one undisturbed process would have made. */
async function inspect({ options, requests }: CrashOptions, id: string) {
  const jobs = await openJobs(options);
  const wrong: string[] = [];
  const batch = (await jobs.get(id))!;
  if (batch.state !== 'done' || batch.done !== requests || batch.failed > 0)
    wrong.push(
      `the batch is ${batch.state} with ${batch.done} done and ${batch.failed} failed, of ${requests}: ${batch.reason}`,
    );
  const seen = new Set<string>();
  let resumed = 0;
  let after: string | undefined;
  do {
    const page = await jobs.list({ parent: id, limit: 100, ...(after !== undefined && { after }) });
    for (const job of page.items) {
      if (job.state !== 'done') wrong.push(`job ${job.index} is ${job.state}: ${job.reason}`);
      if (job.resumedAt !== undefined) resumed++;
      const pictures = (await jobs.pictures.list({ job: job.id, limit: 10 })).items;
      if (pictures.length !== 1) wrong.push(`job ${job.index} has ${pictures.length} pictures`);
      if (job.input.kind !== 'render') continue;
      const file = await jobs.pictures.read(`${job.id}-0`);
      if (!file?.equals(drawToy(job.input.request, 0))) wrong.push(`picture ${job.index} differs`);
      seen.add(`${job.index}`);
    }
    after = page.next;
  } while (after !== undefined);
  if (seen.size !== requests) wrong.push(`${seen.size} of ${requests} jobs are there`);
  const pictures = await jobs.pictures.count({ job: id });
  if (pictures !== requests) wrong.push(`there are ${pictures} pictures`);
  await jobs.close();
  return { resumed, pictures, wrong };
}

/** What a process that ended left half written is in a folder of its own, and no picture. */
async function countFiles({ options: { data } }: CrashOptions): Promise<number> {
  const folder = join(data, 'pictures');
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const others = ['.unfinished', `${STORE_MARK}.png`];
  return names.filter(
    (file) =>
      file.isFile() && !others.includes(file.name) && !others.includes(basename(file.parentPath)),
  ).length;
}

/** Three workers, of which one ends every few seconds. */
async function crashOnServers(given: Pick<CrashOptions, 'kills' | 'say'>, data: string) {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  try {
    const options = { data, database: postgres.url, redis: redis.url };
    const slowly = { step: 250, pause: [1000, 3000] } as const;
    return await crash({ ...given, ...slowly, options, processes: 3, requests: 300 });
  } finally {
    await Promise.all([redis.close(), postgres.close()]);
  }
}

if (process.argv[1] === import.meta.filename) {
  const kills = Number(process.argv[2] ?? 20);
  const { folder, remove } = await temporaryFolder();
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1).padStart(7)} s`;
  const given = { kills, say: (line: string) => console.log(`${seconds()}  ${line}`) };
  const report =
    process.argv[3] === 'redis'
      ? await crashOnServers(given, folder)
      : await crash({ ...given, options: { data: folder }, processes: 1, requests: 30 * kills });
  console.log(`${seconds()}  ${JSON.stringify(report)}`);
  await remove();
  process.exit(report.wrong.length === 0 ? 0 : 1);
}
