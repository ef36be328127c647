/** The built server as people start it, in a process of its own, and what is seen of it from outside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, 'dist', 'cli.js');
const STAMP = new URL('stamp-steps.mjs', import.meta.url).href;
const MEBI = 1024;
/** Milliseconds of the unit in which Linux tells of processor time. */
const TICK = 10;

/** Milliseconds of a clock that all processes of a machine share. */
export const clock = (): number => Number(process.hrtime.bigint()) / 1e6;

export type Stamped = { readonly step: number; readonly at: number };
export type BenchServer = {
  readonly address: string;
  /** When the process was started. */
  readonly began: number;
  get(path: string): Promise<Response>;
  /** The answer's JSON; throws where it is none of success. */
  post<Answer>(path: string, body: object): Promise<Answer>;
  /** Waits until GET answers with success; returns when. */
  answers(path: string): Promise<number>;
  /** Resident memory in MiB: now, and at its peak. */
  memory(): { readonly now: number; readonly peak: number };
  /** Milliseconds that the server has computed, without its worker's process. */
  processor(): number;
  /** Steps that its worker has done, by the clock of the process that computes. */
  steps(): Stamped[];
  stop(): Promise<void>;
};

/** A folder for data, and how to remove it. */
export async function temporaryData() {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-bench-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export async function startServer(data: string): Promise<BenchServer> {
  if (!existsSync(CLI)) throw new Error(`expected a built ${CLI}, got none; run npm run build`);
  const port = await freePort();
  const stepsFile = join(data, 'steps.txt');
  writeFileSync(stepsFile, '');
  const own = /^(ROPEWALK_|REDIS_URL|DATABASE_URL|STORAGE_URL)/; // of who measures
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
  const args = ['--import', STAMP, CLI, 'serve', '--port', `${port}`, '--data', data];
  const began = clock();
  const server = spawn(process.execPath, args, {
    env: { ...env, STEPS_FILE: stepsFile },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const address = `http://127.0.0.1:${port}`;
  const get = (path: string) => fetch(address + path);
  return {
    address,
    began,
    get,
    async post(path, body) {
      const answer = await fetch(address + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as never;
    },
    async answers(path) {
      for (;;) {
        const found = await get(path).catch(() => undefined);
        await found?.arrayBuffer();
        if (found?.ok) return clock();
        if (server.exitCode !== null) throw new Error('expected a server, got one that ended');
        await delay(5);
      }
    },
    memory() {
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
      const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / MEBI;
      return { now: of('VmRSS'), peak: of('VmHWM') };
    },
    processor() {
      const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return (Number(fields[11]) + Number(fields[12])) * TICK; // of user and system
    },
    steps: () =>
      readFileSync(stepsFile, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split(' ').map(Number))
        .map(([step, at]) => ({ step: step!, at: at! })),
    async stop() {
      const gone = once(server, 'exit');
      server.kill('SIGTERM');
      await gone;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export type Watched = {
  /** Finished pictures that were told of. */
  pictures(): number;
  /** Steps since the watching began, and milliseconds after which each was told of. */
  steps(): readonly Stamped[];
  late(): readonly number[];
  stop(): void;
};

/** Follows the events of a server as a client does, and compares them with the clock of the process that computes. */
export async function watchEvents({ address, steps }: BenchServer): Promise<Watched> {
  const already = steps().length;
  const told: Stamped[] = [];
  let pictures = 0;
  const stop = new AbortController();
  const { body } = await fetch(`${address}/api/v1/events`, { signal: stop.signal });
  const read = async () => {
    let rest = '';
    for await (const text of body!.pipeThrough(new TextDecoderStream())) {
      const at = clock();
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const [, type, data] = /^event: (\w+)\ndata: (.*)$/m.exec(block) ?? [];
        if (type === 'picture') pictures++;
        if (type === 'progress') told.push({ step: JSON.parse(data!).progress.step, at });
      }
    }
  };
  read().catch(() => {}); // it ends with the watching, or the server
  const own = () => steps().slice(already);
  return {
    pictures: () => pictures,
    steps: own,
    late: () =>
      own()
        .slice(0, told.length)
        .map(({ step, at }, i) => {
          const { step: other, at: heard } = told[i]!;
          if (step !== other) throw new Error(`events: expected step ${step}, got ${other}`);
          return heard - at;
        }),
    stop: () => stop.abort(),
  };
}
