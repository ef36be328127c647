/** The door to queue, history and image store: what the server calls and what a worker is given. */
import type { Readable } from 'node:stream';
import type {
  Job,
  JobEvent,
  JobInput,
  JobKind,
  JobState,
  Point,
  Progress,
  StoredPicture,
} from './job.ts';
import type { RunKind } from './queue.ts';

export type Page<Item> = {
  readonly items: readonly Item[];
  /** Hand it in as `after` for what follows; absent at the end. */
  readonly next?: string;
};

export type JobQuery = {
  readonly kind?: JobKind;
  readonly state?: readonly JobState[];
  /** Render jobs of this batch; without it, jobs that belong to none. */
  readonly parent?: string;
  readonly search?: string;
  /** Newest first unless 'queue': the order in which waiting jobs are taken. */
  readonly order?: 'newest' | 'queue';
  readonly limit: number;
  readonly after?: string;
};

export type PictureQuery = {
  /** Of this job, or of all renders of this batch. */
  readonly job?: string;
  readonly model?: string;
  readonly search?: string;
  readonly order?: 'newest' | 'oldest';
  readonly limit: number;
  readonly after?: string;
};

export type Jobs = {
  /** Writes the row, then hands the job to the queue. Throws QueueFull over the limit. */
  add(input: JobInput, options?: { priority?: number; title?: string }): Promise<Job>;
  get(id: string): Promise<Job | undefined>;
  list(query: JobQuery): Promise<Page<Job>>;
  counts(): Promise<Readonly<Record<JobState, number>>>;
  /** These return the row as it then is, throw NotFound or Conflict (a state in which it cannot be). */
  cancel(id: string): Promise<Job>;
  pause(id: string): Promise<Job>;
  resume(id: string): Promise<Job>;
  /** A failed or cancelled job again; of a batch its failed requests. Pictures that exist are kept. */
  retry(id: string): Promise<Job>;
  /** Takes a waiting job just before another one, or first or last of all. */
  move(id: string, to: { before: string } | 'first' | 'last'): Promise<Job>;
  pauseAll(): Promise<void>;
  resumeAll(): Promise<void>;
  isPaused(): Promise<boolean>;
  points(job: string, after?: number): Promise<readonly Point[]>;

  readonly pictures: {
    get(id: string): Promise<StoredPicture | undefined>;
    list(query: PictureQuery): Promise<Page<StoredPicture>>;
    count(query: Omit<PictureQuery, 'limit' | 'after' | 'order'>): Promise<number>;
    /** The file, or undefined where there is none. */
    read(id: string): Promise<Buffer | undefined>;
    stream(id: string): Promise<Readable | undefined>;
    /** Hidden at once; the file goes when `restore` was not called within the time of undoing. */
    remove(id: string): Promise<void>;
    restore(id: string): Promise<StoredPicture>;
  };

  /** Pictures that people bring as inputs; already encoded anew. Returns an id. */
  keepUpload(file: Buffer): Promise<string>;

  /** Tells of everything, also of what other processes do. Returns how to stop listening. */
  listen(listener: (event: JobEvent) => void): () => void;

  /** Who takes jobs now, here and elsewhere. */
  workers(): Promise<readonly WorkerView[]>;
  /** Takes jobs from the queue until it is closed. */
  work(handler: JobHandler, options: WorkOptions): Promise<JobWorker>;

  /** Queue, database and store answer. One sentence for each that does not. */
  check(): Promise<{ readonly ready: boolean; readonly problems: readonly string[] }>;
  close(): Promise<void>;
};

/** What a handler may do while it runs a job. All may be called twice for the same thing. */
export type JobTask = {
  readonly job: Job;
  /** Pictures of the job that exist already: they need not be made again. */
  readonly existing: ReadonlySet<number>;
  /** Aborted when the job is cancelled or the worker has to stop; `signal.reason` is 'cancelled' or 'stopped'. */
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  preview(index: number, png: Uint8Array): void;
  /** Writes the file, then the row. */
  picture(
    index: number,
    png: Uint8Array,
    about: Pick<StoredPicture, 'model' | 'prompt' | 'seed' | 'width' | 'height' | 'recipe'>,
  ): Promise<void>;
  point(point: Point): void;
};
/**
 * Resolves with the job's `result`. A throw of Unrecoverable, Conflict, RangeError or TypeError fails the job with the error's
 * message; any other is tried again after a while, and fails the job the third time in a row. A store that is full
 * or down fails no job: it waits and says so.
 */
export type JobHandler = (task: JobTask) => Promise<unknown>;

export type WorkOptions = {
  /** Jobs in hand at the same time, of all kinds together or of some kinds and of others. */
  readonly concurrency: number | readonly Lane[];
  /** What it computes with, as others are told. */
  readonly device?: string;
};
export type Lane = { readonly kinds: readonly RunKind[]; readonly concurrency: number };
export type JobWorker = {
  /** Tells that a model was read, and how long it took. */
  loaded(model: string, seconds: number): void;
  /** Tells which models are in memory now. */
  keeps(models: readonly KeptModel[]): void;
  /** Aborts what runs with reason 'stopped', hands it back to the queue, takes no more. */
  stop(): Promise<void>;
};

/** A process that takes jobs, as it said within the last seconds. */
export type WorkerView = {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly device: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** What it has in hand. */
  readonly jobs: readonly Pick<Job, 'id' | 'kind' | 'title' | 'parent'>[];
  /** What it has in memory, so that it need not be read again. */
  readonly models: readonly KeptModel[];
};
export type KeptModel = { readonly id: string; readonly bytes: number };

/** These names become 404, 409 and 429. */
export class NotFound extends Error {}
export class Conflict extends Error {}
export class QueueFull extends Error {}

/** What a handler throws where trying again cannot help: a model that does not load, a request that cannot be met. */
export class Unrecoverable extends Error {}
const HOPELESS = [Unrecoverable, Conflict, RangeError, TypeError];
export const isHopeless = (error: unknown): boolean =>
  HOPELESS.some((kind) => error instanceof kind);
