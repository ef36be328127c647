/** Rows of the database as the types of job.ts, and what a job is called before it has run. */
import type { Job, JobInput, JobKind, JobState, StoredPicture } from './job.ts';

/** As both drivers give it: 64-bit integers are text, JSON is parsed. */
export type JobRow = {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly title: string;
  readonly input: JobInput;
  readonly parent: string | null;
  readonly index: number | null;
  readonly priority: number;
  readonly position: number;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly attempts: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly resumed_at: string | null;
  readonly reason: string | null;
  readonly result: unknown;
  readonly errors: number;
  readonly losses: number;
};

export const JOB_COLUMNS =
  'id, kind, state, title, input, parent, index, priority, position, total, done, failed, attempts, created_at, started_at, finished_at, resumed_at, reason, result, errors, losses';

export function jobOf(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    title: row.title,
    input: row.input,
    ...(row.parent !== null && { parent: row.parent }),
    ...(row.index !== null && { index: row.index }),
    priority: row.priority,
    total: row.total,
    done: row.done,
    failed: row.failed,
    attempts: row.attempts,
    createdAt: Number(row.created_at),
    ...(row.started_at !== null && { startedAt: Number(row.started_at) }),
    ...(row.finished_at !== null && { finishedAt: Number(row.finished_at) }),
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.resumed_at !== null && { resumedAt: Number(row.resumed_at) }),
    ...(row.result !== null && { result: row.result }),
  };
}

export type PictureRow = {
  readonly number: string;
  readonly id: string;
  readonly job: string;
  readonly index: number;
  readonly model: string;
  readonly prompt: string;
  readonly seed: string;
  readonly width: number;
  readonly height: number;
  readonly created_at: string;
  readonly bytes: number;
  readonly recipe: unknown;
};

export const PICTURE_COLUMNS =
  'number, id, job, index, model, prompt, seed, width, height, created_at, bytes, recipe';

export function pictureOf(row: PictureRow): StoredPicture {
  const { id, job, index, model, prompt, width, height, bytes, recipe } = row;
  const [seed, createdAt] = [Number(row.seed), Number(row.created_at)];
  return { id, job, index, model, prompt, seed, width, height, createdAt, bytes, recipe };
}

/** Pictures of a render or batch, steps of a training; of an evaluation 1 until its first progress says how many. */
export function totalOf(input: JobInput): number {
  if (input.kind === 'render') return input.request.count;
  if (input.kind === 'batch') return input.requests.reduce((sum, { count }) => sum + count, 0);
  const { steps } = input.kind === 'train' ? input.config : {};
  return Number.isInteger(steps) && Number(steps) > 0 ? Number(steps) : 1;
}

export function titleOf(input: JobInput): string {
  if (input.kind === 'batch') return input.title;
  if (input.kind === 'evaluate') return `evaluation of ${input.what}`;
  if (input.kind === 'train')
    return typeof input.config.name === 'string' ? input.config.name.slice(0, 200) : 'training';
  const { condition, model } = input.request;
  const words = condition.map((word) => (typeof word === 'string' ? word : word.word));
  return words.join(', ').slice(0, 200) || model;
}

/** Lower-case runs of letters and digits: what is indexed of a prompt, and looked for. */
export const searchWords = (text: string): string[] =>
  [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])].slice(0, 200);
