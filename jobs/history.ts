/** Jobs as rows: the truth of what is wanted and of what was done. Adding, finding, counting; and the points of curves. */
import { createConditions } from './conditions.ts';
import type { Database, Sql } from './database.ts';
import { gather } from './gather.ts';
import { createIds } from './ids.ts';
import {
  type BatchInput,
  JOB_STATES,
  type Job,
  type JobInput,
  type JobState,
  type Point,
} from './job.ts';
import type { JobQuery, Page } from './jobs.ts';
import { decodeKey, pageOf } from './paging.ts';
import { JOB_COLUMNS, type JobRow, jobOf, titleOf, totalOf } from './rows.ts';
import { keepingNamesApart } from './training-names.ts';

export type History = ReturnType<typeof createHistory>;

/** Rows of one statement: more make its text too long to be parsed quickly. */
const CHUNK = 1000;

export function createHistory({ sql, transaction }: Database) {
  const nextId = createIds();
  const find = gather(async (ids) => {
    const rows = await sql<JobRow>(`SELECT ${JOB_COLUMNS} FROM ropewalk.jobs WHERE id = ANY($1)`, [
      ids,
    ]);
    return new Map(rows.map((row) => [row.id, row]));
  });

  async function children(parent: string): Promise<BatchInput['requests']> {
    const rows = await sql<{ request: BatchInput['requests'][number] }>(
      `SELECT input->'request' AS request FROM ropewalk.jobs WHERE parent = $1 ORDER BY index`,
      [parent],
    );
    return rows.map(({ request }) => request);
  }

  return {
    /** The row, and those of a batch's requests, all or none. Throws Conflict where an open training has the name. */
    add(input: JobInput, options: { priority: number; title?: string | undefined }): Promise<Job> {
      const { priority, title = titleOf(input) } = options;
      const id = nextId();
      const adding = transaction(async (write) => {
        const job = await insert(write, { id, title, priority, input });
        if (input.kind === 'batch') await insertChildren(write, { nextId, job, input });
        return job;
      });
      return keepingNamesApart(adding);
    },

    async get(id: string): Promise<Job | undefined> {
      const row = await find(id);
      if (row === undefined) return undefined;
      const job = jobOf(row);
      if (job.input.kind !== 'batch') return job;
      return { ...job, input: { ...job.input, requests: await children(id) } };
    },

    async list(query: JobQuery): Promise<Page<Job>> {
      const { params, put, add, where } = createConditions();
      if (query.parent === undefined) add('parent IS NULL');
      else add('parent = ?', query.parent);
      if (query.kind !== undefined) add('kind = ?', query.kind);
      if (query.state !== undefined) add('state = ANY(?)', query.state);
      if (query.search !== undefined) add('title ILIKE ?', `%${escapeLike(query.search)}%`);
      const inQueue = query.order === 'queue';
      if (query.after !== undefined && inQueue)
        add(
          '(priority, position, id) > (?, ?, ?)',
          ...decodeKey(query.after, ['integer', 'double', 'text']),
        );
      else if (query.after !== undefined) add('id < ?', ...decodeKey(query.after, ['text']));
      const order = inQueue ? 'priority, position, id' : 'id DESC';
      const rows = await sql<JobRow>(
        `SELECT ${JOB_COLUMNS} FROM ropewalk.jobs ${where()} ORDER BY ${order} LIMIT ${put(query.limit + 1)}`,
        params,
      );
      return pageOf(rows, query.limit, {
        item: jobOf,
        key: ({ priority, position, id }) => (inQueue ? [priority, position, id] : [id]),
      });
    },

    /** Batches are not counted, their render jobs are. */
    async counts(): Promise<Record<JobState, number>> {
      const rows = await sql<{ state: JobState; count: number }>(
        `SELECT state, count(*)::int AS count FROM ropewalk.jobs WHERE kind <> 'batch' GROUP BY state`,
      );
      const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0]));
      for (const { state, count } of rows) counts[state] = count;
      return counts as Record<JobState, number>;
    },

    async openBatches(): Promise<readonly string[]> {
      const rows = await sql<{ id: string }>(
        `SELECT id FROM ropewalk.jobs WHERE kind = 'batch' AND state IN ('waiting', 'running', 'paused')`,
      );
      return rows.map(({ id }) => id);
    },

    async addPoints(job: string, points: readonly Point[]): Promise<void> {
      const last = new Map(points.map((point) => [point.step, point]));
      await sql(
        `INSERT INTO ropewalk.points (job, step, values)
         SELECT $1, step, values FROM json_to_recordset($2::json) AS given(step int, values json)
         ON CONFLICT (job, step) DO UPDATE SET values = excluded.values`,
        [job, JSON.stringify([...last.values()])],
      );
    },

    points: (job: string, after = -1): Promise<readonly Point[]> =>
      sql<Point>(
        'SELECT step, values FROM ropewalk.points WHERE job = $1 AND step > $2 ORDER BY step',
        [job, after],
      ),

    async setting(name: string): Promise<unknown> {
      const rows = await sql<{ value: unknown }>(
        'SELECT value FROM ropewalk.settings WHERE name = $1',
        [name],
      );
      return rows[0]?.value;
    },

    async set(name: string, value: unknown): Promise<void> {
      await sql(
        `INSERT INTO ropewalk.settings VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        [name, JSON.stringify(value)],
      );
    },
  };
}

const escapeLike = (text: string) => text.replace(/[\\%_]/g, '\\$&');

type NewJob = { id: string; title: string; priority: number; input: JobInput };

async function insert(sql: Sql, { id, title, priority, input }: NewJob): Promise<Job> {
  // Of a batch's requests the first is enough to show it by; its render jobs have them all.
  const stored =
    input.kind === 'batch' ? { ...input, requests: input.requests.slice(0, 1) } : input;
  const rows = await sql<JobRow>(
    `INSERT INTO ropewalk.jobs (id, kind, state, title, input, priority, position, total, created_at)
     VALUES ($1, $2, 'waiting', $3, $4, $5, nextval('ropewalk.position'), $6, $7) RETURNING ${JOB_COLUMNS}`,
    [id, input.kind, title, JSON.stringify(stored), priority, totalOf(input), Date.now()],
  );
  return jobOf(rows[0]!);
}

async function insertChildren(
  sql: Sql,
  { nextId, job, input }: { nextId: () => string; job: Job; input: BatchInput },
): Promise<void> {
  const rows = input.requests.map((request, index) => {
    const render = { kind: 'render', request } as const;
    return {
      id: nextId(),
      title: titleOf(render),
      input: render,
      index,
      total: request.count,
    };
  });
  for (let start = 0; start < rows.length; start += CHUNK)
    await sql(
      `INSERT INTO ropewalk.jobs (id, kind, state, title, input, parent, index, priority, position, total, created_at)
       SELECT id, 'render', 'waiting', title, input, $2, index, $3, nextval('ropewalk.position'), total, $4
       FROM json_to_recordset($1::json) AS given(id text, title text, input json, index int, total int)`,
      [JSON.stringify(rows.slice(start, start + CHUNK)), job.id, job.priority, job.createdAt],
    );
}
