/** Runs `ropewalk serve`: listens first, opens queue and database after, and leaves nothing behind. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { OpenJobs } from '../jobs/open.ts';
import { checkExposure } from '../web/security.ts';
import { createServer } from '../web/server.ts';
import type { Worker } from '../workers/main.ts';
import { type Context, Exit } from './context.ts';
import type { ServeOptions } from './serve.ts';
import { aborted, forkOptions, placesOf } from './worker.ts';

/** What is given to the process that computes, so that the page stays quick. */
const NICE = 3;

export async function serve(options: ServeOptions, context: Context): Promise<void> {
  const { host, allowHost } = options;
  const token = tokenFor(host, context);
  checkExposure(host, token);
  const parts = openParts(options, context);
  const services = parts.opened.then(async (jobs) => {
    const { createServices } = await import('./serve-services.ts');
    return createServices(jobs, options, context);
  });
  services.catch(() => {}); // told below, and by the server until it closes
  const server = createServer(services, {
    allowedHosts: allowHost,
    log: context.stderr,
    logLevel: context.env.ROPEWALK_DEBUG ? 'info' : 'error',
    ...(token === undefined ? {} : { token }),
  });
  try {
    const address = await listen(() => server.listen({ port: options.port, host }), options);
    parts.start(address);
    greet(address, token, options, context);
    await Promise.race([aborted(context.signal), failureOf(services)]);
  } finally {
    await server.close();
    await parts.close();
  }
  throw new Exit(0);
}

/** A stranger's way in is known to whoever reads this process's output alone. */
function tokenFor(host: string, { env }: Pick<Context, 'env'>): string | undefined {
  const isLocal = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return env.ROPEWALK_TOKEN || (isLocal ? undefined : randomBytes(24).toString('base64url'));
}

/** Queue and worker, from when the server listens until it leaves. */
function openParts(options: ServeOptions, context: Context) {
  let worker: Worker | undefined;
  let jobs: OpenJobs | undefined;
  let start = (_address: string) => {};
  const opened = new Promise<OpenJobs>((resolve, reject) => {
    start = (address) => {
      const opening = open(address);
      opening.then(resolve, reject);
    };
  });
  async function open(address: string): Promise<OpenJobs> {
    const [{ openJobs }, { startWorker }] = await Promise.all([
      import('../jobs/open.ts'),
      import('../workers/main.ts'),
    ]);
    const opening = openJobs(placesOf(options, context));
    if (options.worker) worker = startWorker(opening, forkOptions(options, context, NICE));
    jobs = await opening;
    jobs.announce(address);
    await worker?.ready();
    return jobs;
  }
  return {
    opened,
    start: (address: string) => start(address),
    async close(): Promise<void> {
      await worker?.stop();
      await jobs?.close();
    },
  };
}

async function listen(
  start: () => Promise<string>,
  { port, host }: Pick<ServeOptions, 'port' | 'host'>,
): Promise<string> {
  try {
    return await start();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new Error(
        `serve: expected a free port, got ${port}, where another program listens; choose one with --port`,
        { cause: error },
      );
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Error(`serve: expected an address of this machine, got --host ${host}`, {
        cause: error,
      });
    throw error;
  }
}

const failureOf = (services: Promise<unknown>): Promise<never> =>
  new Promise((_, reject) => {
    services.catch(reject);
  });

function greet(
  address: string,
  token: string | undefined,
  { open, data }: ServeOptions,
  { env, stdout }: Context,
): void {
  const isNew = token !== undefined && !env.ROPEWALK_TOKEN;
  const pictures = env.STORAGE_URL?.split('?')[0] ?? data;
  const queue = env.REDIS_URL ? 'Redis' : env.DATABASE_URL ? 'PostgreSQL' : data;
  const kept = pictures === queue ? 'Pictures and queue' : `The queue is in ${queue}, pictures`;
  stdout.write(
    [
      `Ropewalk is at ${address}`,
      ...(isNew ? [`The token, shown this once: ${token}`] : []),
      `${kept} are kept in ${pictures}; Ctrl-C stops\n`,
    ].join('\n'),
  );
  if (open) openBrowser(address);
}

function openBrowser(address: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '']
        : ['xdg-open'];
  const browser = spawn(command!, [...args, address], { stdio: 'ignore', detached: true });
  browser.on('error', () => {}); // the address has been printed
  browser.unref();
}
