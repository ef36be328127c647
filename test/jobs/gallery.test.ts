/** The gallery at length: paging, searching, deleting with undo; and the session that everything shares. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../jobs/database.ts';
import { createGallery, type Gallery } from '../../jobs/gallery.ts';
import { NotFound } from '../../jobs/jobs.ts';
import { migrate } from '../../jobs/migrations.ts';

const COLOURS = ['red', 'green', 'blue'];
let database: Database;
let gallery: Gallery;
beforeAll(async () => {
  database = await openDatabase('memory:');
  await migrate(database);
  gallery = createGallery(database);
  for (const [job, batch] of [['a'], ['b', 'many'], ['c', 'many']] as const) {
    await database.sql(
      `INSERT INTO ropewalk.jobs (id, kind, state, title, input, parent, priority, position, total, created_at)
       VALUES ($1, 'render', 'running', 't', '{}', $2, 100, 1, 4, 0)`,
      [job, batch ?? null],
    );
    for (let index = 0; index < 4; index++) await gallery.add(picture(job, index), batch);
  }
});
afterAll(() => database.close());

const picture = (job: string, index: number) => ({
  ...{ job, index, model: job === 'c' ? 'dit' : 'var', seed: 2 ** 40 + index, bytes: 9 },
  ...{ prompt: `style=Adventurer, hair color=${COLOURS[index % 3]}`, width: 64, height: 32 },
  recipe: { z: 1, a: [index] },
});
const ids = async (query: Partial<Parameters<Gallery['list']>[0]>) =>
  (await gallery.list({ limit: 50, ...query })).items.map(({ id }) => id);

it('has each picture once, however often it is made', async () => {
  expect((await gallery.add(picture('a', 0), undefined)).picture).toBeUndefined();
  const { job } = await gallery.add(picture('a', 1), undefined);
  expect(job.done).toBe(4);
  expect(await ids({ job: 'a' })).toEqual(['a-3', 'a-2', 'a-1', 'a-0']);
  const found = await gallery.get('a-2');
  expect(found).toEqual({ id: 'a-2', createdAt: expect.any(Number), ...picture('a', 2) });
  expect(Object.keys(found!.recipe as object)).toEqual(['z', 'a']); // as it was written
});

it('pages in both orders, without gaps while pictures come', async () => {
  for (const order of ['newest', 'oldest'] as const) {
    const all: string[] = [];
    let after: string | undefined;
    do {
      const page = await gallery.list({ order, limit: 5, ...(after !== undefined && { after }) });
      all.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    const expected = ['a', 'b', 'c'].flatMap((job) => [0, 1, 2, 3].map((i) => `${job}-${i}`));
    expect(all).toEqual(order === 'oldest' ? expected : expected.reverse());
  }
  await expect(gallery.list({ limit: 5, after: 'W10' })).rejects.toThrow(
    "query: 'after': expected the 'next' of a page, got 'W10'",
  );
});

it('finds by job, by batch, by model and by beginnings of words', async () => {
  expect(await ids({ job: 'many' })).toHaveLength(8);
  expect(await ids({ job: 'b' })).toHaveLength(4);
  expect(await ids({ model: 'dit' })).toHaveLength(4);
  expect(await ids({ search: 'RED advent' })).toHaveLength(6);
  expect(await ids({ search: 'hair-color=green', job: 'a' })).toEqual(['a-1']);
  expect(await ids({ search: 'adventurers' })).toEqual([]);
  expect(await ids({ search: "' & | ! :* (" })).toHaveLength(12); // no word is asked for
  expect(await gallery.count({ search: 'blue', job: 'many' })).toBe(2);
  expect(await gallery.count({})).toBe(12);
});

it('hides what is deleted, gives it back, and forgets it later', async () => {
  await gallery.remove('b-1');
  expect(await gallery.get('b-1')).toBeUndefined();
  expect(await gallery.count({})).toBe(11);
  await expect(gallery.remove('b-1')).rejects.toThrow(NotFound);
  expect(await gallery.purge(Date.now() - 60_000)).toEqual([]); // it was deleted just now
  expect((await gallery.restore('b-1')).id).toBe('b-1');
  expect(await gallery.count({})).toBe(12);

  await gallery.remove('b-1');
  expect(await gallery.purge(Date.now() + 1)).toEqual(['b-1']);
  await expect(gallery.restore('b-1')).rejects.toThrow(NotFound);
  await expect(gallery.restore('nobody')).rejects.toThrow(NotFound);
  expect(await gallery.indices('b')).toEqual(new Set([0, 1, 2, 3])); // it is not made again
});

it('lets nobody between the statements of a transaction', async () => {
  const log: string[] = [];
  const count = async (who: string) => {
    const [row] = await database.sql<{ count: number }>(
      'SELECT count(*)::int AS count FROM ropewalk.settings',
    );
    log.push(`${who} ${row!.count}`);
  };
  const failing = database.transaction(async (sql) => {
    await sql(`INSERT INTO ropewalk.settings VALUES ('x', '1')`);
    void count('outside'); // has to wait
    await new Promise((resolve) => setTimeout(resolve, 20));
    log.push('still inside');
    await sql('SELECT 1 / 0');
  });
  await expect(failing).rejects.toThrow('division by zero');
  await count('afterwards');
  expect(log).toEqual(['still inside', 'outside 0', 'afterwards 0']);
});

it('is brought up to date once, and refuses tables of a newer version', async () => {
  await migrate(database);
  await database.sql('INSERT INTO ropewalk.migrations VALUES (99)');
  await expect(migrate(database)).rejects.toThrow(
    'database: expected tables of version 2 or older, got 99; a newer Ropewalk wrote it',
  );
  await database.sql('DELETE FROM ropewalk.migrations WHERE number = 99');
});
