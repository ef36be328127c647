/**
 * What a job is, as plain data that server, workers and page share: its input by kind, its row in the
 * history, and the events that tell of it. Nothing here runs.
 */
import { type Static, Type } from 'typebox';
import { ImageRequest } from '../request.ts';
import type { JobState } from './state.ts';

export { isEnded, JOB_STATES, type JobState } from './state.ts';

const exact = { additionalProperties: false } as const;

/** A job's or a picture's: opaque, of letters, digits and dashes. Ids of jobs sort by the time they were made. */
export const Id = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$', description: 'an id' });

/** One request, `request.count` pictures. */
export const RenderInput = Type.Object(
  { kind: Type.Literal('render'), request: ImageRequest },
  exact,
);
export type RenderInput = Static<typeof RenderInput>;

/** Many requests under one name; each becomes a render job whose `parent` is the batch. */
export const BatchInput = Type.Object(
  {
    kind: Type.Literal('batch'),
    title: Type.String({ minLength: 1, maxLength: 200 }),
    requests: Type.Array(ImageRequest, { minItems: 1, maxItems: 10_000 }),
    /** Of a grid: names and values of its axes, the last one turning fastest. Requests follow in that order. */
    axes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ maxLength: 64 }),
            values: Type.Array(Type.String({ maxLength: 4000 }), { minItems: 1, maxItems: 1000 }),
          },
          exact,
        ),
        { maxItems: 8 },
      ),
    ),
    /** Of a grid that lacks some combinations: which one each request is, counted from 0 in their order. */
    cells: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 10_000 })),
  },
  exact,
);
export type BatchInput = Static<typeof BatchInput>;

/** A training run; `config` is checked by the schema of its kind where it is taken in. */
export const TrainInput = Type.Object(
  {
    kind: Type.Literal('train'),
    config: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()),
    /** A model whose weights the run begins from. */
    init: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][\\w.-]{0,63}$' })),
  },
  exact,
);
export type TrainInput = Static<typeof TrainInput>;

/** A measurement; `config` is checked by the schema of its kind where it is taken in. */
export const EvaluateInput = Type.Object(
  {
    kind: Type.Literal('evaluate'),
    what: Type.Union([
      Type.Literal('model'),
      Type.Literal('resolution'),
      Type.Literal('decoding'),
      Type.Literal('trace'),
    ]),
    config: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()),
  },
  exact,
);
export type EvaluateInput = Static<typeof EvaluateInput>;

export type JobInput = RenderInput | BatchInput | TrainInput | EvaluateInput;
export type JobKind = JobInput['kind'];

/** A job's row. Times are milliseconds since 1970. */
export type Job = {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly title: string;
  readonly input: JobInput;
  /** The batch that this render belongs to, and which of its requests this is. */
  readonly parent?: string;
  readonly index?: number;
  /** 1 comes first; 100 unless asked for. */
  readonly priority: number;
  /** Pictures of a render or batch; steps of a training or an evaluation. */
  readonly total: number;
  readonly done: number;
  /** Requests of a batch that failed. */
  readonly failed: number;
  readonly attempts: number;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** One sentence: why it failed, or what it waits for. */
  readonly reason?: string;
  /** When it was taken up again after a process ended in its middle. */
  readonly resumedAt?: number;
  /** Of a render: RenderResult. Of training: the model's id. Of an evaluation: its report. */
  readonly result?: unknown;
};

/** Absent where another process made the pictures before it ended. */
export type RenderResult = {
  /** That one of its pictures took in the batch it was drawn in, without compiling. */
  readonly seconds: number;
};

/** A finished picture's row; the file is in the image store under the same id. */
export type StoredPicture = {
  /** `<job>-<index>`: the same picture always has the same id. */
  readonly id: string;
  readonly job: string;
  readonly index: number;
  readonly model: string;
  /** The condition as text; what a search looks through. */
  readonly prompt: string;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly createdAt: number;
  readonly bytes: number;
  /** The recipe that is inside the file too. */
  readonly recipe: unknown;
};

/** A measurement of a training step, for its curve. */
export type Point = { readonly step: number; readonly values: Readonly<Record<string, number>> };

/** How far a running job is. `eta` in seconds. */
export type Progress = {
  /** Of a render over all its pictures: each has the same number, and those that are finished have had theirs. */
  readonly step: number;
  readonly steps: number;
  readonly eta?: number;
  /** Pictures of the job that are finished. */
  readonly done: number;
  readonly values?: Readonly<Record<string, number>>;
};

export type JobEvent =
  /** The row as it is now: added, or its state, order or count changed. */
  | { readonly type: 'job'; readonly job: Job }
  | { readonly type: 'progress'; readonly job: string; readonly progress: Progress }
  /** What picture `index` looks like so far: a small PNG in base64. */
  | { readonly type: 'preview'; readonly job: string; readonly index: number; readonly png: string }
  | { readonly type: 'picture'; readonly picture: StoredPicture }
  | { readonly type: 'deleted'; readonly picture: string }
  /** A worker read a model into memory. */
  | { readonly type: 'load'; readonly model: string; readonly seconds: number }
  /** The whole queue was paused or goes on. */
  | { readonly type: 'queue'; readonly paused: boolean };

/**
 * The result of an evaluation 'trace', whose config is `{ request }`, an ImageRequest for tokens: how the tokens of its
 * first picture were decided, beside sequential decoding of the same seed.
 */
export type TraceReport = {
  readonly request: ImageRequest;
  readonly exactness: 'identical' | 'lossless' | 'approximate';
  /** Tokens down and across; place i is in row floor(i / width). */
  readonly grid: { readonly height: number; readonly width: number };
  readonly chosen: TraceRun;
  readonly sequential: TraceRun;
};
export type TraceRun = {
  readonly decoder: string;
  readonly seconds: number;
  readonly passes: readonly TracePass[];
  /** The finished picture: a PNG in base64. */
  readonly png: string;
};
/** What one pass of the network did, as `RowPass` of sampling/tokens has it. */
export type TracePass = {
  /** Seconds from the start of the decoding until this pass had ended. */
  readonly at: number;
  /** Place of the first draft. */
  readonly start: number;
  /** Tokens drafted for `start` and the places after it; none of a tree, where a place has several. */
  readonly drafted: readonly number[];
  /** How many of the decided tokens are drafts that were kept; they come first. */
  readonly accepted: number;
  readonly decided: readonly number[];
  /** Whether the last decided token took the place of a draft. */
  readonly redrawn: boolean;
  /** Places of the decided tokens, where they are not `start` and those after it. */
  readonly places?: readonly number[];
};
