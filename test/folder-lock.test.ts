/** One process a folder, whatever became of the one before. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FolderInUse, lockFolder } from '../folder-lock.ts';
import { temporaryFolder } from './jobs/toys.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  place = await temporaryFolder();
});
afterEach(() => place.remove());

/** Another process that has the folder and does nothing. */
async function holdElsewhere(folder: string) {
  const path = join(import.meta.dirname, '../folder-lock.ts');
  const code = `import(${JSON.stringify(path)}).then(({ lockFolder }) => lockFolder(${JSON.stringify(folder)})).then(
    (lock) => { lock.announce('http://127.0.0.1:1234'); console.log('held'); setInterval(() => {}, 1000); },
    (error) => { console.log(error.message); });`;
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
}

it('says who has the folder, and is free again when that one is done', async () => {
  const lock = await lockFolder(place.folder);
  lock.announce('http://127.0.0.1:8123');
  const refused: FolderInUse = await lockFolder(place.folder).catch((error) => error);
  expect(refused).toBeInstanceOf(FolderInUse);
  expect(refused.holder).toMatchObject({ pid: process.pid, address: 'http://127.0.0.1:8123' });
  expect(refused.message).toMatch(
    new RegExp(
      `^data folder: expected one that no process uses, got ${place.folder}: process ${process.pid} has it since 20.*Z and serves http://127.0.0.1:8123$`,
    ),
  );
  await lock.release();
  expect(await readdir(place.folder)).toEqual([]);
  await (await lockFolder(place.folder)).release();
});

it('is free when its process was killed, and says so of a process that lives', async () => {
  const { child, said } = await holdElsewhere(place.folder);
  expect(said).toBe('held');
  const refused: FolderInUse = await lockFolder(place.folder).catch((error) => error);
  expect(refused.holder).toMatchObject({ pid: child.pid, address: 'http://127.0.0.1:1234' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await readdir(place.folder)).toEqual(['lock']); // what it left
  const lock = await lockFolder(place.folder);
  await lock.release();
});

it('has one winner of many who find a dead one', async () => {
  const { child } = await holdElsewhere(place.folder);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const tried = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(place.folder)));
  const won = tried.filter((one) => one.status === 'fulfilled');
  expect(won).toHaveLength(1);
  for (const { reason } of tried.filter((one) => one.status === 'rejected'))
    expect(reason).toBeInstanceOf(FolderInUse);
  await won[0]!.value.release();
  expect(await readdir(place.folder)).toEqual([]);
});

it('works where the path is too long for a socket', async () => {
  const deep = join(place.folder, 'x'.repeat(60), 'y'.repeat(60));
  await mkdir(deep, { recursive: true });
  const lock = await lockFolder(deep);
  await expect(lockFolder(deep)).rejects.toThrow(FolderInUse);
  await lock.release();
});
