/** A new embedded database is made beside its place, and is there whole or not at all. */

import * as fs from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openEmbedded } from '../../jobs/embedded.ts';
import { temporaryFolder } from './toys.ts';

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  return { ...real, fsyncSync: vi.fn(real.fsyncSync) };
});

let place: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  place = await temporaryFolder();
});
afterAll(() => place.remove());

it('is made anew where making it ended in the middle, keeps what it has, and moves into no other files', async () => {
  const left = join(place.folder, 'database-unfinished-AbCdEf');
  await mkdir(left);
  await writeFile(join(left, 'PG_VERSION'), '18'); // written first, so that it says nothing of the rest
  const where = join(place.folder, 'database');
  const made = await openEmbedded(where);
  await made.exec('CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)');
  await made.close();
  expect(await readdir(place.folder)).toEqual(['database']);

  const again = await openEmbedded(where);
  expect((await again.query('SELECT n FROM kept')).rows).toEqual([{ n: 7 }]);
  await again.close();

  const other = join(place.folder, 'other');
  await mkdir(other);
  await writeFile(join(other, 'letter.txt'), 'dear');
  await expect(openEmbedded(other)).rejects.toThrow(
    `database: expected an empty folder or none, got ${other}; move it away`,
  );
  expect(await readdir(other)).toEqual(['letter.txt']);
});

it('syncs every commit, and nothing that is only read', async () => {
  const database = await openEmbedded(join(place.folder, 'database'));
  const { rows } = await database.query('SHOW fsync');
  expect(rows).toEqual([{ fsync: 'on' }]);
  const syncs = vi.mocked(fs.fsyncSync).mock;
  const during = async (work: () => Promise<unknown>) => {
    const before = syncs.calls.length;
    await work();
    return syncs.calls.length - before;
  };
  const insert = () => database.query('INSERT INTO kept VALUES (8)');
  expect(await during(insert)).toBeGreaterThan(0);
  expect(await during(insert)).toBeGreaterThan(0);
  expect(await during(() => database.query('SELECT * FROM kept'))).toBe(0);
  await database.close();
});

it('stops where the disk cannot keep what was committed', async () => {
  const database = await openEmbedded(join(place.folder, 'database'));
  vi.mocked(fs.fsyncSync).mockImplementationOnce(() => {
    throw new Error('EIO: i/o error, fsync');
  });
  await expect(database.query('INSERT INTO kept VALUES (9)')).rejects.toThrow();
  const again = await openEmbedded(join(place.folder, 'database')); // as the next process would
  expect((await again.query('SELECT n FROM kept WHERE n < 9')).rows.length).toBe(3);
  await again.close();
});
