/** Finished pictures as rows: each once, in the order they were made, searched by words. */
import { createConditions } from './conditions.ts';
import type { Database } from './database.ts';
import type { Job, StoredPicture } from './job.ts';
import { NotFound, type Page, type PictureQuery } from './jobs.ts';
import { decodeKey, pageOf } from './paging.ts';
import {
  JOB_COLUMNS,
  type JobRow,
  jobOf,
  PICTURE_COLUMNS,
  type PictureRow,
  pictureOf,
  searchWords,
} from './rows.ts';

export type Gallery = ReturnType<typeof createGallery>;
export type NewPicture = Omit<StoredPicture, 'id' | 'createdAt'>;

export const pictureId = (job: string, index: number) => `${job}-${index}`;

export function createGallery({ sql, transaction }: Database) {
  const one = async (text: string, params: readonly unknown[]) =>
    (await sql<PictureRow>(`${text} RETURNING ${PICTURE_COLUMNS}`, params))[0];

  return {
    /** The row of a picture whose file is there, and its job's; without the picture where the row was there. */
    add(picture: NewPicture, batch: string | undefined) {
      const { job, index, model, prompt, seed, width, height, bytes, recipe } = picture;
      const id = pictureId(job, index);
      return transaction(async (write): Promise<{ picture?: StoredPicture; job: Job }> => {
        const [made] = await write<PictureRow>(
          `INSERT INTO ropewalk.pictures (id, job, batch, index, model, prompt, words, seed, width, height, created_at, bytes, recipe)
           VALUES ($1, $2, $3, $4, $5, $6, array_to_tsvector($7::text[]), $8, $9, $10, $11, $12, $13)
           ON CONFLICT (id) DO NOTHING RETURNING ${PICTURE_COLUMNS}`,
          [
            ...[id, job, batch ?? null, index, model, prompt, searchWords(prompt), seed],
            ...[width, height, Date.now(), bytes, JSON.stringify(recipe ?? null)],
          ],
        );
        const [row] = await write<JobRow>(
          `UPDATE ropewalk.jobs SET losses = 0, errors = 0,
             done = CASE WHEN kind = 'render' THEN (SELECT count(*) FROM ropewalk.pictures WHERE job = $1) ELSE done END
           WHERE id = $1 RETURNING ${JOB_COLUMNS}`,
          [job],
        );
        return { ...(made && { picture: pictureOf(made) }), job: jobOf(row!) };
      });
    },

    /** Which pictures of a job were made, also those that were deleted since. */
    async indices(job: string): Promise<ReadonlySet<number>> {
      const rows = await sql<{ index: number }>(
        'SELECT index FROM ropewalk.pictures WHERE job = $1',
        [job],
      );
      return new Set(rows.map(({ index }) => index));
    },

    async get(id: string): Promise<StoredPicture | undefined> {
      const [row] = await sql<PictureRow>(
        `SELECT ${PICTURE_COLUMNS} FROM ropewalk.pictures WHERE id = $1 AND removed_at IS NULL`,
        [id],
      );
      return row && pictureOf(row);
    },

    async list(query: PictureQuery): Promise<Page<StoredPicture>> {
      const conditions = conditionsOf(query);
      const newest = query.order !== 'oldest';
      if (query.after !== undefined)
        conditions.add(`number ${newest ? '<' : '>'} ?`, ...decodeKey(query.after, ['bigint']));
      const rows = await sql<PictureRow>(
        `SELECT ${PICTURE_COLUMNS} FROM ropewalk.pictures ${conditions.where()}
         ORDER BY number ${newest ? 'DESC' : 'ASC'} LIMIT ${conditions.put(query.limit + 1)}`,
        conditions.params,
      );
      return pageOf(rows, query.limit, { item: pictureOf, key: (row) => [Number(row.number)] });
    },

    async count(query: Omit<PictureQuery, 'limit' | 'after' | 'order'>): Promise<number> {
      const { where, params } = conditionsOf(query);
      const [row] = await sql<{ count: number }>(
        `SELECT count(*)::int AS count FROM ropewalk.pictures ${where()}`,
        params,
      );
      return row!.count;
    },

    async remove(id: string): Promise<void> {
      const hidden = await one(
        'UPDATE ropewalk.pictures SET removed_at = $2 WHERE id = $1 AND removed_at IS NULL',
        [id, Date.now()],
      );
      if (!hidden) throw unknownPicture(id);
    },

    async restore(id: string): Promise<StoredPicture> {
      const row = await one(
        'UPDATE ropewalk.pictures SET removed_at = NULL WHERE id = $1 AND NOT purged',
        [id],
      );
      if (!row) throw unknownPicture(id);
      return pictureOf(row);
    },

    /** Those hidden before `time`, whose files are to go; they can no longer be restored. */
    async purge(time: number): Promise<readonly string[]> {
      const rows = await sql<{ id: string }>(
        `UPDATE ropewalk.pictures SET purged = true
         WHERE removed_at IS NOT NULL AND NOT purged AND removed_at <= $1 RETURNING id`,
        [time],
      );
      return rows.map(({ id }) => id);
    },
  };
}

const unknownPicture = (id: string) =>
  new NotFound(`images: expected the id of a picture, got '${id}'`);

function conditionsOf({ job, model, search }: Omit<PictureQuery, 'limit' | 'after' | 'order'>) {
  const conditions = createConditions();
  conditions.add('removed_at IS NULL');
  if (job !== undefined) conditions.add('(job = ? OR batch = ?)', job, job);
  if (model !== undefined) conditions.add('model = ?', model);
  // Each word begins a word of the prompt. They are letters and digits, so nothing needs an escape.
  const words = searchWords(search ?? '').map((word) => `${word}:*`);
  if (words.length > 0) conditions.add('words @@ ?::tsquery', words.join(' & '));
  return conditions;
}
