/** The page's client of /api/v1: one function a call, the types of jobs/ and web/ as they stand. */
import type {
  BatchInput,
  EvaluateInput,
  Job,
  JobKind,
  JobState,
  Point,
  Progress,
  StoredPicture,
  TrainInput,
} from '../../jobs/job.ts';
import type { WorkerView } from '../../jobs/jobs.ts';
import type { ImageRequest } from '../../request.ts';
import type { ModelView, ReportView } from '../services.ts';

/** An answer that is not 2xx, or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;
  /** Seconds, of an answer that says when to come again. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    { status = 0, code = 'unreachable', field, retryAfter }: Partial<ApiError> = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
  }
}

/** What is wanted of a picture; whatever is absent the server takes from the model's card. */
export type Draft = Partial<Omit<ImageRequest, 'version' | 'sampling'>> & {
  readonly model: string;
  readonly prompt?: string;
  readonly negativePrompt?: string;
  readonly sampling?: Partial<ImageRequest['sampling']>;
  readonly priority?: number;
};

export type Grid = {
  readonly base: Draft;
  readonly axes: readonly { readonly name: string; readonly values: readonly string[] }[];
};
export type BatchBody = { readonly title: string } & (
  | { readonly requests: readonly Draft[] }
  | { readonly grid: Grid }
);
export type BatchCount = {
  readonly count: number;
  readonly dropped: readonly { readonly row: number; readonly reason: string }[];
  readonly pixels: number;
  readonly seconds?: number;
  readonly bytes: number;
  readonly sample: readonly ImageRequest[];
};

export type JobsQuery = {
  readonly kind?: JobKind;
  readonly state?: readonly JobState[];
  readonly parent?: string;
  readonly search?: string;
  readonly order?: 'newest' | 'queue';
  readonly limit?: number;
  readonly after?: string;
};
export type JobsPage = {
  readonly jobs: readonly Job[];
  readonly next?: string;
  readonly counts: Readonly<Record<JobState, number>>;
  readonly paused: boolean;
};
export type ImagesQuery = {
  readonly limit?: number;
  readonly after?: string;
  readonly search?: string;
  readonly model?: string;
  readonly job?: string;
  readonly order?: 'newest' | 'oldest';
};
export type ImagesPage = {
  readonly images: readonly StoredPicture[];
  readonly next?: string;
  readonly total: number;
};
export type PngInfo = {
  readonly source: 'ropewalk' | 'a1111' | 'comfyui' | 'invokeai' | 'swarmui' | 'none';
  readonly recipe?: unknown;
  readonly parameters?: string;
  /** What was made of it, by the names that programs show: Prompt, Steps, Seed. */
  readonly facts?: Readonly<Record<string, string>>;
  readonly items: Readonly<Record<string, string>>;
};

type Answer<T> = Promise<T>;
type Sent = { readonly body?: unknown; readonly signal?: AbortSignal };

/** Sends JSON unless the body is a file or text of another kind; throws ApiError. */
export async function call<T>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  { body, signal, type }: Sent & { readonly type?: string } = {},
): Answer<T> {
  const raw = body instanceof Blob || typeof body === 'string';
  const contentType = type ?? (body instanceof Blob ? body.type : 'application/json');
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      ...(body !== undefined && {
        body: raw ? body : JSON.stringify(body),
        headers: { 'content-type': contentType },
      }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('The server does not answer.');
  }
  if (response.ok) return (await answerOf(response)) as T;
  throw await errorOf(response);
}

const answerOf = async (response: Response): Promise<unknown> =>
  response.status === 204 ? undefined : response.json();

async function errorOf(response: Response): Promise<ApiError> {
  const { status } = response;
  const { error = {} } = (await response.json().catch(() => ({}))) as {
    error?: { message?: string; field?: string; code?: string };
  };
  const after = Number(response.headers.get('retry-after'));
  return new ApiError(error.message ?? `The server answers with status ${status}.`, {
    status,
    code: error.code ?? 'unknown',
    ...(error.field !== undefined && { field: error.field }),
    ...(after > 0 && { retryAfter: after }),
  });
}

/** `?a=1&b=2,3` of what is not undefined. */
export function queryOf(values: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(values).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, String(value)]],
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

const id = encodeURIComponent;

export const api = {
  models: () => call<{ models: readonly ModelView[]; broken: readonly string[] }>('GET', '/models'),
  system: () => call<Readonly<Record<string, unknown>>>('GET', '/system'),
  workers: () => call<{ workers: readonly WorkerView[] }>('GET', '/workers'),
  ready: () => call<{ ready: boolean; problems?: readonly string[] }>('GET', '/ready'),

  render: (draft: Draft) => call<{ job: Job }>('POST', '/images', { body: draft }),
  images: (query: ImagesQuery = {}, signal?: AbortSignal) =>
    call<ImagesPage>('GET', `/images${queryOf(query)}`, signal ? { signal } : {}),
  image: (picture: string) => call<StoredPicture>('GET', `/images/${id(picture)}`),
  removeImage: (picture: string) => call<unknown>('DELETE', `/images/${id(picture)}`),
  restoreImage: (picture: string) =>
    call<StoredPicture>('POST', `/images/${id(picture)}/restore`, { body: {} }),
  pngInfo: (file: Blob) => call<PngInfo>('POST', '/png-info', { body: file, type: 'image/png' }),
  upload: (file: Blob) => call<{ id: string }>('POST', '/uploads', { body: file }),

  jobs: (query: JobsQuery = {}) => call<JobsPage>('GET', `/jobs${queryOf(query)}`),
  job: (job: string) => call<{ job: Job; progress?: Progress }>('GET', `/jobs/${id(job)}`),
  points: (job: string, after?: number) =>
    call<{ points: readonly Point[] }>('GET', `/jobs/${id(job)}/points${queryOf({ after })}`),
  /** Cancels, pauses, resumes or retries. */
  act: (job: string, action: 'cancel' | 'pause' | 'resume' | 'retry') =>
    call<{ job: Job }>('POST', `/jobs/${id(job)}/${action}`, { body: {} }),
  move: (job: string, to: { before: string } | { to: 'first' | 'last' }) =>
    call<{ job: Job }>('POST', `/jobs/${id(job)}/move`, { body: to }),
  queue: (action: 'pause' | 'resume') => call<unknown>('POST', `/queue/${action}`, { body: {} }),

  batch: (body: BatchBody) => call<{ job: Job }>('POST', '/batches', { body }),
  countBatch: (body: BatchBody, signal?: AbortSignal) =>
    call<BatchCount>('POST', '/batches/count', { body, ...(signal && { signal }) }),
  /** Rows of a file: text/csv or application/x-ndjson. */
  batchFile: (
    text: string,
    type: 'text/csv' | 'application/x-ndjson',
    about: { title: string; model: string },
  ) => call<{ job: Job }>('POST', `/batches${queryOf(about)}`, { body: text, type }),
  countFile: (
    text: string,
    type: 'text/csv' | 'application/x-ndjson',
    about: { title: string; model: string },
  ) => call<BatchCount>('POST', `/batches/count${queryOf(about)}`, { body: text, type }),

  train: (body: Omit<TrainInput, 'kind'>) => call<{ job: Job }>('POST', '/train', { body }),
  evaluate: (body: Omit<EvaluateInput, 'kind'>) =>
    call<{ job: Job }>('POST', '/evaluate', { body }),
  reports: () => call<{ reports: readonly ReportView[] }>('GET', '/reports'),
  report: <T = unknown>(report: string) => call<T>('GET', `/reports/${id(report)}`),
};

/** Where the browser itself loads from. */
export const urls = {
  file: (picture: string) => `/api/v1/images/${id(picture)}/file`,
  download: (picture: string) => `/api/v1/images/${id(picture)}/file?download=1`,
  thumb: (picture: string, size: 64 | 128 | 256 = 128) =>
    `/api/v1/images/${id(picture)}/thumb?size=${size}`,
  zip: (batch: string) => `/api/v1/batches/${id(batch)}/zip`,
  pictures: (which: Pick<ImagesQuery, 'search' | 'model' | 'job'> | { ids: readonly string[] }) =>
    `/api/v1/images/zip${queryOf(which)}`,
  sheet: (batch: string, axes: { x?: string; y?: string; z?: string } = {}) =>
    `/api/v1/batches/${id(batch)}/sheet.png${queryOf(axes)}`,
  traceGif: (job: string) => `/api/v1/jobs/${id(job)}/trace.gif`,
  reportFile: (report: string, name: string) => `/api/v1/reports/${id(report)}/files/${id(name)}`,
};
/** A preview of an event as an image's address. */
export const previewUrl = (base64: string): string => `data:image/png;base64,${base64}`;

export type { BatchInput, ImageRequest, Job, JobState, ModelView, Progress, StoredPicture };
