/** Who works here: a row for each process that takes jobs, which it writes anew while it lives. */
import { randomUUID } from 'node:crypto';
import type { Database } from './database.ts';
import type { KeptModel, WorkerView } from './jobs.ts';
import { NOW } from './transitions.ts';

/** How often the database is told that a job, and who runs it, still lives. */
export const HEARTBEAT = 2000;
/** Milliseconds without a sign of life after which a process counts as ended. */
export const SILENCE = 4 * HEARTBEAT;

export type Presence = ReturnType<typeof createPresence>;
type About = Pick<WorkerView, 'host' | 'pid' | 'device'>;
type Row = Omit<WorkerView, 'since'> & { readonly since: string };

export function createPresence({ sql }: Pick<Database, 'sql'>) {
  return {
    /** Throws where the database is away; later signs of life are given when it is there again. */
    async enlist({ host, pid, device }: About) {
      const id = randomUUID();
      let models: readonly KeptModel[] = [];
      let last: Promise<unknown> = Promise.resolve();
      /** One after the other, so that the row says the latest. */
      const write = () => {
        last = last.then(() =>
          sql(
            `INSERT INTO ropewalk.workers (id, host, pid, device, models, since, alive_at) VALUES ($1, $2, $3, $4, $5, ${NOW}, ${NOW})
             ON CONFLICT (id) DO UPDATE SET models = excluded.models, alive_at = excluded.alive_at`,
            [id, host, pid, device, JSON.stringify(models)],
          ).catch(() => {}),
        );
      };
      await sql(`DELETE FROM ropewalk.workers WHERE alive_at <= ${NOW} - $1::bigint`, [SILENCE]);
      write();
      await last;
      const timer = setInterval(write, HEARTBEAT).unref();
      return {
        id,
        keeps(now: readonly KeptModel[]): void {
          models = now;
          write();
        },
        async leave(): Promise<void> {
          clearInterval(timer);
          await last;
          await sql('DELETE FROM ropewalk.workers WHERE id = $1', [id]).catch(() => {}); // its silence says so
        },
      };
    },

    /** Those that gave a sign of life lately, the oldest first. */
    async list(): Promise<readonly WorkerView[]> {
      const rows = await sql<Row>(
        `SELECT id, host, pid, device, since, models, coalesce(
           (SELECT json_agg(json_strip_nulls(json_build_object('id', jobs.id, 'kind', kind, 'title', title, 'parent', parent)) ORDER BY jobs.id)
            FROM ropewalk.jobs WHERE worker = workers.id AND state = 'running'), '[]') AS jobs
         FROM ropewalk.workers WHERE alive_at > ${NOW} - $1::bigint ORDER BY since, id`,
        [SILENCE],
      );
      return rows.map((row) => ({ ...row, since: Number(row.since) }));
    },

    /** Where no other process can be. */
    clear: () => sql('DELETE FROM ropewalk.workers'),
  };
}
