/** Tables of jobs, pictures and points, brought up to date by the program when it opens a database. */
import { runMigrations } from 'bullmq';
import { type Database, QUEUE_SCHEMA } from './database.ts';

/** Applied in this order and never changed afterwards; what is new is added at the end. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE ropewalk.jobs (
    id text PRIMARY KEY,
    kind text NOT NULL,
    state text NOT NULL,
    title text NOT NULL,
    input json NOT NULL, -- of a batch without its requests: its render jobs have them
    parent text,
    index integer,
    priority integer NOT NULL,
    position double precision NOT NULL, -- among those of its priority; the lowest is taken first
    total integer NOT NULL,
    done integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0, -- times that it was taken; who runs it knows the number it had then
    created_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint,
    resumed_at bigint,
    reason text,
    result json,
    due_at bigint NOT NULL DEFAULT 0, -- not taken before
    errors integer NOT NULL DEFAULT 0, -- in a row
    losses integer NOT NULL DEFAULT 0, -- processes that ended in its middle without anything finished
    interrupted boolean NOT NULL DEFAULT false,
    ticket text, -- the queue's name for who runs it
    alive_at bigint -- when who runs it last said so
  );
  CREATE INDEX jobs_waiting ON ropewalk.jobs (kind, priority, position) WHERE state = 'waiting';
  CREATE INDEX jobs_running ON ropewalk.jobs (alive_at) WHERE state = 'running';
  CREATE INDEX jobs_state ON ropewalk.jobs (state);
  CREATE INDEX jobs_children ON ropewalk.jobs (parent, state) WHERE parent IS NOT NULL;
  CREATE INDEX jobs_top ON ropewalk.jobs (id) WHERE parent IS NULL;
  CREATE SEQUENCE ropewalk.position;

  CREATE TABLE ropewalk.pictures (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of the gallery
    id text NOT NULL UNIQUE,
    job text NOT NULL,
    batch text,
    index integer NOT NULL,
    model text NOT NULL,
    prompt text NOT NULL,
    words tsvector NOT NULL, -- of the prompt, for searching
    seed bigint NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    created_at bigint NOT NULL,
    bytes integer NOT NULL,
    recipe json NOT NULL,
    removed_at bigint,
    purged boolean NOT NULL DEFAULT false -- the file is gone; the row says that it was made
  );
  CREATE INDEX pictures_job ON ropewalk.pictures (job, number);
  CREATE INDEX pictures_batch ON ropewalk.pictures (batch, number) WHERE batch IS NOT NULL;
  CREATE INDEX pictures_model ON ropewalk.pictures (model, number);
  CREATE INDEX pictures_words ON ropewalk.pictures USING gin (words);
  CREATE INDEX pictures_removed ON ropewalk.pictures (removed_at) WHERE removed_at IS NOT NULL AND NOT purged;

  CREATE TABLE ropewalk.points (
    job text NOT NULL,
    step integer NOT NULL,
    values json NOT NULL,
    PRIMARY KEY (job, step)
  );

  CREATE TABLE ropewalk.settings (name text PRIMARY KEY, value json NOT NULL);
  -- Events too long for a notification of the database.
  CREATE UNLOGGED TABLE ropewalk.notices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  `,
  `
  ALTER TABLE ropewalk.jobs ADD COLUMN worker text; -- who took it last
  -- Processes that take jobs: each writes its row again and again while it lives.
  CREATE UNLOGGED TABLE ropewalk.workers (
    id text PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    device text NOT NULL,
    models json NOT NULL,
    since bigint NOT NULL,
    alive_at bigint NOT NULL
  );
  -- Two trainings of one name would leave one model: only the first goes on.
  UPDATE ropewalk.jobs AS later SET state = 'failed', reason = 'another training has this name; add it again under a new one'
    WHERE kind = 'train' AND state IN ('waiting', 'running', 'paused') AND EXISTS (
      SELECT FROM ropewalk.jobs AS first WHERE first.kind = 'train' AND first.state IN ('waiting', 'running', 'paused')
        AND first.input #>> '{config,name}' = later.input #>> '{config,name}' AND first.id < later.id);
  CREATE UNIQUE INDEX jobs_training ON ropewalk.jobs ((input #>> '{config,name}'))
    WHERE kind = 'train' AND state IN ('waiting', 'running', 'paused');
  `,
];

/** Any number will do that nobody else uses in this database. */
const LOCK = 7_261_155;

/** Throws where the database was written by a newer version of Ropewalk. */
export async function migrate(database: Database): Promise<void> {
  await migrateQueue(database);
  await database.transaction(async (sql) => {
    await sql('SELECT pg_advisory_xact_lock($1)', [LOCK]); // of several processes that start, one migrates
    await sql('CREATE SCHEMA IF NOT EXISTS ropewalk');
    await sql('CREATE TABLE IF NOT EXISTS ropewalk.migrations (number integer PRIMARY KEY)');
    const [row] = await sql<{ last: number }>(
      'SELECT coalesce(max(number), 0)::int AS last FROM ropewalk.migrations',
    );
    const { last } = row!;
    if (last > MIGRATIONS.length)
      throw new RangeError(
        `database: expected tables of version ${MIGRATIONS.length} or older, got ${last}; a newer Ropewalk wrote it`,
      );
    for (const [i, migration] of MIGRATIONS.entries()) {
      if (i < last) continue;
      await sql(migration);
      await sql('INSERT INTO ropewalk.migrations VALUES ($1)', [i + 1]);
    }
  });
}

/** The queue's own tables, which are there even where Redis has the queue: they are empty then. */
async function migrateQueue(database: Database): Promise<void> {
  const client = await database.pool.connect();
  try {
    await runMigrations(client as unknown as Parameters<typeof runMigrations>[0], QUEUE_SCHEMA);
  } finally {
    client.release();
  }
}
