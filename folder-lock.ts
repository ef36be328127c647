/**
 * One process a folder: a server's data, a cache while it is drawn. The lock is a socket in the folder on which its
 * holder listens: the kernel ends that with the process, however it ends, and whoever comes second asks it who it is.
 */
import { createHash, randomUUID } from 'node:crypto';
import { link, realpath, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Holder = { readonly pid: number; readonly since: number; readonly address?: string };
export type Lock = {
  /** Where the holder can be reached, for those who come second. */
  announce(address: string): void;
  release(): Promise<void>;
};

/** Somebody else has the folder; `holder` says who. */
export class FolderInUse extends Error {
  readonly holder: Holder | undefined;
  constructor(folder: string, holder: Holder | undefined) {
    const who = holder
      ? `process ${holder.pid} has it since ${new Date(holder.since).toISOString()}${holder.address ? ` and serves ${holder.address}` : ''}`
      : 'a process that does not answer has it';
    super(`data folder: expected one that no process uses, got ${folder}: ${who}`);
    this.holder = holder;
  }
}

/** How long a process that saw a dead socket may need from seeing it to taking it away. */
const SETTLE = 100;
const TRIES = 20;

export async function lockFolder(folder: string): Promise<Lock> {
  const path = await socketPath(folder);
  let holder: Holder = { pid: process.pid, since: Date.now() };
  const own = `${path}.${randomUUID().slice(0, 8)}`;
  const server = await listen(process.platform === 'win32' ? path : own, () => holder);
  try {
    const mine = await inode(own);
    for (let i = 0; i < TRIES; i++) {
      if (!(await giveName(own, path))) {
        await takeAwayDead(folder, path);
        continue;
      }
      await sleep(SETTLE);
      // One who saw the dead socket that was here before may have taken this one away in its place.
      if ((await inode(path)) !== mine) continue;
      await rm(own, { force: true });
      return {
        announce(address) {
          holder = { ...holder, address };
        },
        async release() {
          if ((await inode(path)) === mine) await rm(path, { force: true });
          await new Promise((resolve) => server.close(resolve));
        },
      };
    }
    throw new FolderInUse(folder, undefined);
  } catch (error) {
    server.close();
    throw error;
  }
}

/** By one step, and only where the name is free. */
async function giveName(own: string, path: string): Promise<boolean> {
  if (process.platform === 'win32') return true; // a pipe has its name from the start
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** In the folder; elsewhere by the folder's name where a socket's path would be too long, or is no file. */
async function socketPath(folder: string): Promise<string> {
  const path = join(await realpath(folder), 'lock');
  const name = `ropewalk-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return Buffer.byteLength(path) < 100 ? path : join(tmpdir(), `${name}.lock`);
}

function listen(path: string, holder: () => Holder): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {}); // who asked is gone
      socket.end(JSON.stringify(holder()));
    });
    server.once('error', reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Throws where its holder lives. */
async function takeAwayDead(folder: string, path: string): Promise<void> {
  const holder = await ask(path);
  if (holder !== 'dead') throw new FolderInUse(folder, holder);
  // By one step under a name of our own: of several who try, one has it.
  const aside = `${path}.${randomUUID().slice(0, 8)}`;
  try {
    await rename(path, aside);
  } catch {
    return; // another one was quicker
  }
  await rm(aside, { force: true });
}

/** Who listens there; undefined if it does not say. */
function ask(path: string): Promise<Holder | undefined | 'dead'> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.setTimeout(2000, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'dead' : undefined),
    );
    socket.on('close', () => {
      try {
        resolve(JSON.parse(text) as Holder);
      } catch {
        resolve(undefined);
      }
    });
  });
}

const inode = async (path: string): Promise<number | undefined> =>
  process.platform === 'win32' ? 0 : (await stat(path).catch(() => undefined))?.ino;
