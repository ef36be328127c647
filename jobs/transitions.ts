/** What people ask of jobs that are there: cancel, pause, resume, again, move. Of a batch: of its render jobs. */
import type { Database, Sql } from './database.ts';
import { isEnded, type Job, type JobKind, type JobState } from './job.ts';
import { Conflict, NotFound } from './jobs.ts';
import { JOB_COLUMNS, type JobRow, jobOf } from './rows.ts';
import { keepingNamesApart } from './training-names.ts';

export type Transitions = ReturnType<typeof createTransitions>;
/** A job's row as it is now, and how many jobs of its kind, or renders of the batch, were changed. */
export type Changed = { readonly job: Job; readonly kind: JobKind; readonly count: number };

export function createTransitions({ sql, transaction }: Database) {
  async function find(id: string): Promise<JobRow> {
    const rows = await sql<JobRow>(`SELECT ${JOB_COLUMNS} FROM ropewalk.jobs WHERE id = $1`, [id]);
    if (!rows[0]) throw new NotFound(`jobs: expected the id of a job, got '${id}'`);
    return rows[0];
  }

  async function act(id: string, from: readonly JobState[], change: string): Promise<Changed> {
    const { kind } = await find(id);
    const which = kind === 'batch' ? 'parent' : 'id';
    const writing = sql<JobRow>(
      `UPDATE ropewalk.jobs SET ${change} WHERE ${which} = $1 AND state = ANY($2) RETURNING ${kind === 'batch' ? 'id' : JOB_COLUMNS}`,
      [id, from],
    );
    const rows = await keepingNamesApart(writing);
    if (rows.length === 0) {
      const { state } = await find(id);
      throw new Conflict(`jobs: expected a job that is ${from.join(' or ')}, got ${state}`);
    }
    if (kind !== 'batch') return { job: jobOf(rows[0]!), kind, count: 1 };
    const refreshed = await refresh(id);
    return { job: refreshed.job, kind: 'render', count: rows.length };
  }

  /** Counts and state of a batch from its render jobs and pictures. */
  function refresh(id: string): Promise<{ job: Job; changed: boolean }> {
    return transaction(async (write) => {
      // Whoever comes second waits here, and so counts what the first one had counted, or more.
      const rows = await write<JobRow>(
        `SELECT ${JOB_COLUMNS} FROM ropewalk.jobs WHERE id = $1 FOR UPDATE`,
        [id],
      );
      const before = rows[0]!;
      const now = await summarise(write, id);
      const same =
        before.state === now.state && before.done === now.done && before.failed === now.failed;
      if (same) return { job: jobOf(before), changed: false };
      const [after] = await write<JobRow>(
        `UPDATE ropewalk.jobs SET state = $2, done = $3, failed = $4, reason = $5, started_at = $6, finished_at = $7
         WHERE id = $1 RETURNING ${JOB_COLUMNS}`,
        [id, now.state, now.done, now.failed, now.reason, now.started, now.finished],
      );
      return { job: jobOf(after!), changed: true };
    });
  }

  return {
    find,
    refresh,
    cancel: (id: string) =>
      act(
        id,
        ['waiting', 'running', 'paused'],
        `state = 'cancelled', finished_at = ${NOW}, ticket = NULL`,
      ),
    pause: (id: string) =>
      act(id, ['waiting', 'running'], `state = 'paused', reason = NULL, ticket = NULL`),
    resume: (id: string) => act(id, ['paused'], `state = 'waiting', due_at = 0`),
    retry: (id: string) =>
      act(
        id,
        ['failed', 'cancelled'],
        `state = 'waiting', finished_at = NULL, reason = NULL, due_at = 0, errors = 0, losses = 0, position = nextval('ropewalk.position')`,
      ),
    async move(id: string, to: { before: string } | 'first' | 'last'): Promise<Job> {
      const job = await find(id);
      if (typeof to === 'object') await find(to.before);
      return transaction(async (write) => jobOf(await moveRows(write, job, to)));
    },
  };
}

/** The database's clock, which all processes share. */
export const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

async function summarise(sql: Sql, id: string) {
  const rows = await sql<{ state: JobState; count: number; started: string; finished: string }>(
    `SELECT state, count(*)::int AS count, min(started_at) AS started, max(finished_at) AS finished
     FROM ropewalk.jobs WHERE parent = $1 GROUP BY state`,
    [id],
  );
  const [pictures] = await sql<{ count: number }>(
    'SELECT count(*)::int AS count FROM ropewalk.pictures WHERE batch = $1',
    [id],
  );
  const count = (state: JobState) => rows.find((row) => row.state === state)?.count ?? 0;
  const all = rows.reduce((sum, row) => sum + row.count, 0);
  const failed = count('failed');
  const state = stateOf(count);
  const times = (of: 'started' | 'finished') =>
    rows.map((row) => row[of]).filter((time) => time !== null);
  const starts = times('started').map(Number);
  const ends = times('finished').map(Number);
  return {
    state,
    failed,
    done: pictures!.count,
    reason: failed > 0 ? await whyFailed(sql, id, failed, all) : null,
    started: starts.length > 0 ? Math.min(...starts) : null,
    finished: isEnded(state) && ends.length > 0 ? Math.max(...ends) : null,
  };
}

function stateOf(count: (state: JobState) => number): JobState {
  const open = count('waiting') + count('running') + count('paused');
  if (open === 0) {
    if (count('failed') > 0) return 'failed';
    return count('cancelled') > 0 ? 'cancelled' : 'done';
  }
  if (count('paused') === open) return 'paused';
  return count('running') + count('done') + count('failed') > 0 ? 'running' : 'waiting';
}

async function whyFailed(sql: Sql, id: string, failed: number, all: number): Promise<string> {
  const [first] = await sql<{ index: number; reason: string | null }>(
    `SELECT index, reason FROM ropewalk.jobs WHERE parent = $1 AND state = 'failed' ORDER BY index LIMIT 1`,
    [id],
  );
  return `${failed} of ${all} requests failed; request ${first!.index + 1}: ${first!.reason}`;
}

/** Rows that a move takes along: the job, or the waiting renders of a batch; and the batch's row, for lists. */
async function moveRows(
  sql: Sql,
  job: JobRow,
  to: { before: string } | 'first' | 'last',
): Promise<JobRow> {
  const which = job.kind === 'batch' ? 'parent' : 'id';
  const moved = await sql<{ id: string }>(
    `SELECT id FROM ropewalk.jobs WHERE ${which} = $1 AND state = 'waiting' ORDER BY priority, position, id FOR UPDATE`,
    [job.id],
  );
  if (moved.length === 0)
    throw new Conflict(`jobs: expected a job that is waiting, got ${job.state}`);
  const ids = moved.map(({ id }) => id);
  const { priority, from, until } = await gap(sql, ids, to);
  const step = (until - from) / (ids.length + 1);
  await sql(
    `UPDATE ropewalk.jobs SET priority = $3, position = $4::float8 + $5::float8 * place
     FROM unnest($1::text[]) WITH ORDINALITY AS given(moved, place) WHERE id = moved OR (place = 1 AND id = $2)`,
    [ids, job.id, priority, from, step],
  );
  const [row] = await sql<JobRow>(`SELECT ${JOB_COLUMNS} FROM ropewalk.jobs WHERE id = $1`, [
    job.id,
  ]);
  return row!;
}

type Gap = { readonly priority: number; readonly from: number; readonly until: number };

/** Between which positions rows can be put so that they are where they were asked to be. */
async function gap(
  sql: Sql,
  ids: readonly string[],
  to: { before: string } | 'first' | 'last',
): Promise<Gap> {
  const others = `FROM ropewalk.jobs WHERE state = 'waiting' AND kind <> 'batch' AND NOT id = ANY($1)`;
  if (typeof to !== 'object') {
    const order = to === 'first' ? 'priority, position' : 'priority DESC, position DESC';
    const [end] = await sql<{ priority: number; position: number }>(
      `SELECT priority, position ${others} ORDER BY ${order} LIMIT 1`,
      [ids],
    );
    const { priority, position } = end ?? { priority: 100, position: 0 };
    if (to === 'first') return { priority, from: position - ids.length - 1, until: position };
    const until = await raise(sql, position, ids.length + 1);
    return { priority, from: until - ids.length - 1, until };
  }
  const [target] = await sql<{ priority: number; position: number }>(
    `SELECT priority, position ${others} AND (id = $2 OR parent = $2) ORDER BY priority, position LIMIT 1`,
    [ids, to.before],
  );
  if (!target)
    throw new Conflict(`jobs: expected 'before' to be another job that waits, got '${to.before}'`);
  const { priority, position: until } = target;
  const [previous] = await sql<{ position: number }>(
    `SELECT position ${others} AND priority = $2 AND position < $3 ORDER BY position DESC LIMIT 1`,
    [ids, priority, until],
  );
  const from = previous?.position ?? until - ids.length - 1;
  if ((until - from) / (ids.length + 1) > 1e-6) return { priority, from, until };
  await spread(sql);
  return gap(sql, ids, to);
}

/** Gives all waiting jobs positions that are 1024 apart, in the order they have. */
async function spread(sql: Sql): Promise<void> {
  await sql(
    `UPDATE ropewalk.jobs SET position = place * 1024 FROM (
       SELECT id AS placed, row_number() OVER (ORDER BY priority, position, id) AS place
       FROM ropewalk.jobs WHERE state = 'waiting' AND kind <> 'batch'
     ) AS places WHERE id = placed`,
  );
  const [end] = await sql<{ position: number | null }>(
    `SELECT max(position) AS position FROM ropewalk.jobs WHERE state = 'waiting' AND kind <> 'batch'`,
  );
  await raise(sql, end?.position ?? 0, 1);
}

/** Lets positions of jobs that come later begin after `position` and `room` more; returns where. */
async function raise(sql: Sql, position: number, room: number): Promise<number> {
  const [row] = await sql<{ until: string }>(
    `SELECT setval('ropewalk.position', greatest(nextval('ropewalk.position'), $1::bigint) + $2::bigint) AS until`,
    [Math.ceil(position), room],
  );
  return Number(row!.until);
}
