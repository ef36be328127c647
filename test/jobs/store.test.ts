/** The folder of pictures: whole files or none, and no way out of it. */
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../jobs/database.ts';
import { createIds } from '../../jobs/ids.ts';
import { migrate } from '../../jobs/migrations.ts';
import { checkOneStore } from '../../jobs/one-store.ts';
import { openStore, type Store, StoreUnavailable } from '../../jobs/store.ts';
import { temporaryFolder } from './toys.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let store: Store;
const open = () => openStore(pathToFileURL(place.folder).href);
beforeEach(async () => {
  place = await temporaryFolder();
  store = await open();
});
afterEach(() => place.remove());

it('is the same for all who share a database', async () => {
  const database = await openDatabase('memory:');
  await migrate(database);
  const [one, other] = await Promise.all(
    ['one', 'other'].map((name) => openStore(pathToFileURL(join(place.folder, name)).href)),
  );
  await Promise.all([checkOneStore(database, one!), checkOneStore(database, one!)]);
  await checkOneStore(database, one!);
  await expect(checkOneStore(database, other!)).rejects.toThrow(
    "storage: expected the place where this database's pictures are, got another one",
  );
  const down = { ...other!, read: () => Promise.reject(new Error('down')) };
  await checkOneStore(database, down); // cannot be asked now
  await database.close();
});

it('keeps, reads, streams and removes', async () => {
  await store.put('0abc-0', Buffer.from('one'));
  await store.put('0abc-0', Buffer.from('the same again'));
  expect(await store.read('0abc-0')).toEqual(Buffer.from('the same again'));
  expect(await buffer((await store.stream('0abc-0'))!)).toEqual(Buffer.from('the same again'));
  await store.remove('0abc-0');
  await store.remove('0abc-0');
  expect(await store.read('0abc-0')).toBeUndefined();
  expect(await store.stream('0abc-0')).toBeUndefined();
  await store.check();
  expect(await readdir(join(place.folder, '.unfinished'))).toEqual([]);
});

it('has nothing to do with names that are no ids', async () => {
  for (const id of ['../x', 'a/b', '', '.', 'a\0', 'A', '-a', 'a'.repeat(100), '.unfinished'])
    await expect(async () => store.read(id), id).rejects.toThrow(
      'storage: expected the id of a picture',
    );
});

it('removes what a process left that ended while it wrote, not what another is writing', async () => {
  const unfinished = join(place.folder, '.unfinished');
  await writeFile(join(unfinished, 'old'), 'half');
  await writeFile(join(unfinished, 'new'), 'half');
  await utimes(join(unfinished, 'old'), 1, 1);
  await open();
  expect(await readdir(unfinished)).toEqual(['new']);
});

it('says in a sentence what is wrong', async () => {
  await place.remove();
  await writeFile(place.folder, 'no folder');
  const refused = expect(store.put('0abc-0', Buffer.from('x'))).rejects;
  await refused.toThrow(new StoreUnavailable('storage: ENOTDIR: not a directory')); // no path
  await expect(store.check()).rejects.toThrow(/^storage: /);
  await expect(openStore('ftp://x')).rejects.toThrow(
    "storage: expected an address like file:///folder or s3://bucket/prefix, got 'ftp://x'",
  );
});

it('makes ids that sort as they were made, whatever the clock does', () => {
  let time = 1_800_000_000_000;
  const next = createIds(() => time);
  const ids = Array.from({ length: 5000 }, (_, i) => {
    if (i % 100 === 0) time += i % 200 === 0 ? 3 : -2;
    return next();
  });
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids.slice(0, 5)) expect(id).toMatch(/^[a-z0-9]{18}$/);
});
