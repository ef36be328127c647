/** A new embedded database is made beside its place, and is there whole or not at all. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEmbedded } from '../../jobs/embedded.ts';
import { temporaryFolder } from './toys.ts';

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
