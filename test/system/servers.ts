/**
 * Real servers for tests, each on a free port with its files in a folder of its own. On Debian: apt-get install
 * redis-server postgresql; for S3: pip install 'moto[server]'. Where one is missing the tests that need it are
 * skipped with a sentence, under CI they fail.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'vitest';

export type Server = {
  readonly url: string;
  /** Ends it as a crash would; `start` begins it again with the same files. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
};

/** A test where `missing` names nothing; skipped, or failed under CI, where it says what is missing. */
export function itNeeds(missing: string | undefined, name: string, test: () => Promise<void>) {
  if (missing === undefined) return it(name, test);
  if (!process.env.CI) return it.skip(`${name} (${missing})`, () => {});
  return it(name, () => {
    throw new Error(missing);
  });
}

const PATHS = [
  ...(process.env.PATH ?? '').split(delimiter),
  ...(existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
    : []),
];
export const find = (program: string) =>
  PATHS.map((path) => join(path, program)).find((path) => existsSync(path));

export const missingRedis = find('redis-server')
  ? undefined
  : 'redis-server is missing: apt-get install redis-server';
export const missingPostgres = find('initdb')
  ? undefined
  : 'PostgreSQL is missing: apt-get install postgresql';
/** Where .ci/run puts Python packages. */
export const PYTHON = join(import.meta.dirname, '../../node_modules/.cache/ropewalk/python');
export const missingS3 =
  find('moto_server') || existsSync(join(PYTHON, 'moto'))
    ? undefined
    : "moto is missing: pip install 'moto[server]'";

export async function startRedis(): Promise<Server> {
  const port = await freePort();
  return serve(`redis://127.0.0.1:${port}`, port, (folder) => ({
    program: find('redis-server')!,
    args: ['--port', `${port}`, '--dir', folder, '--save', '', '--appendonly', 'yes'],
  }));
}

export async function startPostgres(): Promise<Server> {
  const port = await freePort();
  const as = await unprivileged();
  const data = (folder: string) => join(folder, 'data');
  return serve(
    `postgres://ropewalk@127.0.0.1:${port}/postgres`,
    port,
    (folder) => ({
      program: find('postgres')!,
      args: ['-D', data(folder), '-p', `${port}`, '-k', folder, '-h', '127.0.0.1'],
      as,
    }),
    async (folder) => {
      if (as.uid !== undefined) await chown(folder, as.uid, as.gid!);
      const args = ['-D', data(folder), '-U', 'ropewalk', '--auth=trust', '-N', '-E', 'UTF8'];
      execFileSync(find('initdb')!, args, { ...as, stdio: 'ignore', cwd: folder });
    },
  );
}

/** A bucket; credentials are in the environment, as users give them. */
export async function startS3(): Promise<Server> {
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const port = await freePort();
  const given = ['-H', '127.0.0.1', '-p', `${port}`];
  const own = find('moto_server');
  const server = await serve(
    `s3://pictures/some/prefix?endpoint=${encodeURIComponent(`http://127.0.0.1:${port}`)}&region=us-east-1`,
    port,
    () =>
      own
        ? { program: own, args: given }
        : {
            program: 'python3',
            args: ['-m', 'moto.server', ...given],
            env: { PYTHONPATH: PYTHON },
          },
  );
  const made = await fetch(`http://127.0.0.1:${port}/pictures`, { method: 'PUT' });
  if (!made.ok) throw new Error(`moto: expected a bucket, got ${made.status}`);
  return server;
}

type Command = {
  readonly program: string;
  readonly args: readonly string[];
  readonly as?: { readonly uid?: number; readonly gid?: number };
  readonly env?: Record<string, string>;
};

async function serve(
  url: string,
  port: number,
  command: (folder: string) => Command,
  prepare: (folder: string) => Promise<void> = async () => {},
): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-server-'));
  await chmod(folder, 0o755);
  await prepare(folder);
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const { program, args, as = {}, env } = command(folder);
    child = spawn(program, args, {
      ...as,
      cwd: folder,
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
    const { exitCode } = child;
    for (let i = 0; i < 600 && exitCode === null; i++) {
      if (await answers(port)) return;
      await sleep(100);
    }
    throw new Error(`${program}: expected an answer on port ${port}, got none`);
  }
  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await start();
  return {
    url,
    start,
    kill,
    async close() {
      child?.kill('SIGINT'); // PostgreSQL's own processes end with it
      if (child && child.exitCode === null) await Promise.race([once(child, 'exit'), sleep(5000)]);
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root. */
async function unprivileged(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
