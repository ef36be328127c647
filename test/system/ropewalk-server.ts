/** `ropewalk serve` as people run it: the built command in a process of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '../..');
/** The built command. */
export const CLI = join(ROOT, 'dist/cli.js');

export type RopewalkServer = {
  readonly address: string;
  readonly process: ChildProcess;
  /** Ends it by SIGTERM and waits until it is gone. */
  stop(): Promise<void>;
};

/** Starts a server on a folder of data, at a port of its own, and waits until it is ready. */
export async function startServer(
  data: string,
  args: readonly string[] = [],
): Promise<RopewalkServer> {
  if (!existsSync(CLI)) throw new Error(`expected a built ${CLI}, got none; run npm run build`);
  const own = /^(ROPEWALK_|REDIS_URL|DATABASE_URL|STORAGE_URL)/; // of who runs the tests
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
  const server = spawn(process.execPath, [CLI, 'serve', '--port', '0', '--data', data, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  server.stdout.on('data', (text) => {
    said += text;
  });
  const answer = async <Value>(look: () => Promise<Value>): Promise<NonNullable<Value>> => {
    for (;;) {
      const found = await look();
      if (found) return found;
      if (server.exitCode !== null || server.signalCode !== null)
        throw new Error(`serve: expected a server, got one that ended; it said '${said}'`);
      await delay(50);
    }
  };
  const address = await answer(async () => /at (http:\S+)/.exec(said)?.[1]);
  await answer(async () => (await fetch(`${address}/api/v1/ready`)).ok);
  return {
    address,
    process: server,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGTERM');
      await once(server, 'exit');
    },
  };
}

/** The process that computes: the server's only child. */
export const childOf = (pid: number) =>
  Number(
    execFileSync('pgrep', ['-P', String(pid)])
      .toString()
      .trim()
      .split('\n')[0],
  );
