/**
 * Who runs which job. A job is taken by one statement, in the order of priority and position; whoever has it
 * knows it by its number of attempts, so that one who lost it can no longer end it.
 */
import type { Database } from './database.ts';
import type { Job, JobKind } from './job.ts';
import { JOB_COLUMNS, type JobRow, jobOf } from './rows.ts';
import { NOW } from './transitions.ts';

export type Claims = ReturnType<typeof createClaims>;
export type Claim = { readonly job: Job; readonly errors: number; readonly losses: number };
type Held = { readonly job: Pick<Job, 'id' | 'attempts'> };

const MINE = `id = $1 AND attempts = $2 AND state = 'running'`;

export function createClaims({ sql }: Database) {
  const claimOf = (row: JobRow | undefined): Claim | undefined =>
    row && { job: jobOf(row), errors: row.errors, losses: row.losses };
  const one = async (text: string, params: readonly unknown[]) =>
    (await sql<JobRow>(`${text} RETURNING ${JOB_COLUMNS}`, params))[0];

  return {
    /** The job that this ticket was running when its process ended, or else the first that waits. */
    async take(kind: JobKind, ticket: string, worker: string): Promise<Claim | undefined> {
      const resumed = await one(
        `UPDATE ropewalk.jobs SET worker = $2, attempts = attempts + 1, alive_at = ${NOW}, resumed_at = ${NOW}, losses = losses + 1
         WHERE ticket = $1 AND state = 'running'`,
        [ticket, worker],
      );
      if (resumed) return claimOf(resumed);
      const taken = await one(
        `UPDATE ropewalk.jobs SET state = 'running', ticket = $1, worker = $3, attempts = attempts + 1, alive_at = ${NOW},
           started_at = coalesce(started_at, ${NOW}), reason = NULL, interrupted = false,
           resumed_at = CASE WHEN interrupted THEN ${NOW} ELSE resumed_at END
         WHERE id = (
           SELECT id FROM ropewalk.jobs WHERE state = 'waiting' AND kind = $2 AND due_at <= ${NOW}
           ORDER BY priority, position, id LIMIT 1 FOR UPDATE SKIP LOCKED)`,
        [ticket, kind, worker],
      );
      return claimOf(taken);
    },

    /** Undefined where somebody cancelled or paused it meanwhile, or another process has it. */
    async finish(
      { job }: Held,
      end: { state: 'done'; result: unknown } | { state: 'failed'; reason: string },
    ): Promise<Job | undefined> {
      const row = await one(
        `UPDATE ropewalk.jobs SET state = $3, finished_at = ${NOW}, ticket = NULL, reason = $4, result = $5,
           done = CASE WHEN $3 = 'done' AND kind IN ('train', 'evaluate') THEN total ELSE done END
         WHERE ${MINE}`,
        [
          job.id,
          job.attempts,
          end.state,
          end.state === 'failed' ? end.reason : null,
          end.state === 'done' && end.result !== undefined ? JSON.stringify(end.result) : null,
        ],
      );
      return row && jobOf(row);
    },

    /** To wait again: at once where its process stops, after `delay` milliseconds where something failed. */
    async giveBack(
      { job }: Held,
      {
        reason = null,
        delay = 0,
        errors = 0,
      }: { reason?: string | null; delay?: number; errors?: number } = {},
    ): Promise<Job | undefined> {
      const row = await one(
        `UPDATE ropewalk.jobs SET state = 'waiting', ticket = NULL, interrupted = ($3::text IS NULL), reason = $3,
           due_at = ${NOW} + $4::bigint, errors = $5 WHERE ${MINE}`,
        [job.id, job.attempts, reason, delay, errors],
      );
      return row && jobOf(row);
    },

    /** Whether these jobs are still ours, and if not, what they are instead. */
    async statesOf(held: readonly Held[]): Promise<('mine' | 'cancelled' | 'lost')[]> {
      const rows = await sql<{ id: string; state: string; attempts: number }>(
        'SELECT id, state, attempts FROM ropewalk.jobs WHERE id = ANY($1)',
        [held.map(({ job }) => job.id)],
      );
      const found = new Map(rows.map((row) => [row.id, row]));
      return held.map(({ job: { id, attempts } }) => {
        const row = found.get(id);
        if (row?.state === 'running' && row.attempts === attempts) return 'mine';
        return row?.state === 'cancelled' ? 'cancelled' : 'lost';
      });
    },

    /** Says that these still run, and how far those without pictures are. */
    async alive(
      held: readonly (Held & { readonly done?: number; readonly total?: number })[],
    ): Promise<void> {
      const rows = held.map(({ job: { id, attempts }, done, total }) => ({
        ...{ id, attempts, done, total },
      }));
      await sql(
        `UPDATE ropewalk.jobs AS jobs SET alive_at = ${NOW},
           done = coalesce(given.done, jobs.done), total = coalesce(given.total, jobs.total)
         FROM json_to_recordset($1::json) AS given(id text, attempts int, done int, total int)
         WHERE jobs.id = given.id AND jobs.attempts = given.attempts AND state = 'running'`,
        [JSON.stringify(rows)],
      );
    },

    /** Jobs of processes that have not said for `silence` milliseconds that they live wait again; or all that run. */
    async takeBack(silence: number | 'all'): Promise<readonly Job[]> {
      const rows = await sql<JobRow>(
        `UPDATE ropewalk.jobs SET state = 'waiting', ticket = NULL, interrupted = true, losses = losses + 1
         WHERE state = 'running' AND kind <> 'batch' AND ($1::bigint IS NULL OR alive_at <= ${NOW} - $1::bigint)
         RETURNING ${JOB_COLUMNS}`,
        [silence === 'all' ? null : silence],
      );
      return rows.map(jobOf);
    },

    /** How many wait and may be taken now. */
    async waiting(): Promise<ReadonlyMap<JobKind, number>> {
      const rows = await sql<{ kind: JobKind; count: number }>(
        `SELECT kind, count(*)::int AS count FROM ropewalk.jobs
         WHERE state = 'waiting' AND kind <> 'batch' AND due_at <= ${NOW} GROUP BY kind`,
      );
      return new Map(rows.map(({ kind, count }) => [kind, count]));
    },
  };
}
