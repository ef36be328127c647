/** What the native API answers, as schemas for OpenAPI and for tests; the types are those of jobs/ and services.ts. */
import type { Readable } from 'node:stream';
import { type Static, type TSchema, Type } from 'typebox';
import {
  BatchInput,
  EvaluateInput,
  Id,
  JOB_STATES,
  type Job,
  type JobKind,
  type Point,
  type Progress,
  RenderInput,
  type StoredPicture,
  TrainInput,
} from '../jobs/job.ts';
import type { WorkerView } from '../jobs/jobs.ts';
import { ImageRequest } from '../request.ts';
import { ErrorBody } from './errors.ts';
import type { Choice, ModelView, ReportView } from './services.ts';

const exact = { additionalProperties: false } as const;
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });
const Time = Type.Integer({ description: 'milliseconds since 1970' });
const Values = <Value extends TSchema>(value: Value) => Type.Record(Type.String(), value);
export const oneOf = <const Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Name>(Type.Union(names.map((name) => Type.Literal(name))));

/** A schema whose values are of a type that is declared elsewhere; what it lets through must fit there. */
const of =
  <T>() =>
  <Schema extends TSchema>(schema: Static<Schema> extends T ? Schema : never) =>
    Type.Unsafe<T>(schema);

export const JobStateName = oneOf(JOB_STATES);
export const JobKindName = oneOf<JobKind>(['render', 'batch', 'train', 'evaluate']);

/** In lists without its requests. */
const BatchShown = Type.Object(
  { ...BatchInput.properties, requests: Type.Array(ImageRequest) },
  exact,
);

export const JobSchema = of<Job>()(
  Type.Object(
    {
      id: Id,
      kind: JobKindName,
      state: JobStateName,
      title: Text,
      input: Type.Union([RenderInput, BatchShown, TrainInput, EvaluateInput]),
      parent: Type.Optional(Id),
      index: Type.Optional(Count),
      priority: Type.Integer(),
      total: Count,
      done: Count,
      failed: Count,
      attempts: Count,
      createdAt: Time,
      startedAt: Type.Optional(Time),
      finishedAt: Type.Optional(Time),
      reason: Type.Optional(Text),
      resumedAt: Type.Optional(Time),
      result: Type.Optional(Type.Unknown()),
    },
    exact,
  ),
);

export const ProgressSchema = of<Progress>()(
  Type.Object(
    {
      step: Type.Number(),
      steps: Type.Number(),
      eta: Type.Optional(Type.Number()),
      done: Count,
      values: Type.Optional(Values(Type.Number())),
    },
    exact,
  ),
);

export const PointSchema = of<Point>()(
  Type.Object({ step: Type.Number(), values: Values(Type.Number()) }, exact),
);

export const PictureSchema = of<StoredPicture>()(
  Type.Object(
    {
      id: Id,
      job: Id,
      index: Count,
      model: Text,
      prompt: Text,
      seed: Count,
      width: Count,
      height: Count,
      createdAt: Time,
      bytes: Count,
      recipe: Type.Unknown(),
    },
    exact,
  ),
);

const ChoiceFields = {
  name: Text,
  title: Text,
  options: Type.Array(
    Type.Object(
      {
        name: Text,
        kind: oneOf(['number', 'integer', 'boolean', 'text'] as const),
        default: Type.Optional(Type.Union([Type.Number(), Type.Boolean(), Text])),
        minimum: Type.Optional(Type.Number()),
        maximum: Type.Optional(Type.Number()),
        choices: Type.Optional(Type.Array(Text)),
        description: Type.Optional(Text),
      },
      exact,
    ),
  ),
};
const ChoiceSchema = of<Choice>()(Type.Object(ChoiceFields, exact));

const SamplingSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('diffusion'),
      solver: Text,
      steps: Count,
      guidance: Type.Number(),
      shift: Type.Number(),
      solvers: Type.Array(Text),
      extensions: Type.Array(ChoiceSchema),
    },
    exact,
  ),
  Type.Object(
    {
      kind: Type.Literal('tokens'),
      decoder: Text,
      temperature: Type.Number(),
      topK: Type.Optional(Count),
      topP: Type.Optional(Type.Number()),
      guidance: Type.Number(),
      decoders: Type.Array(
        Type.Object(
          { ...ChoiceFields, exactness: oneOf(['identical', 'lossless', 'approximate'] as const) },
          exact,
        ),
      ),
    },
    exact,
  ),
]);

export const ModelSchema = of<ModelView>()(
  Type.Object(
    {
      id: Text,
      title: Text,
      architecture: Text,
      licence: Text,
      digest: Text,
      parameters: Count,
      data: Text,
      vocabulary: Type.Array(Text),
      styles: Type.Optional(Values(Type.Array(Text))),
      trained: Type.Object({ width: Count, height: Count }, exact),
      training: Type.Optional(
        Type.Object({ pictures: Count, hours: Type.Optional(Type.Number()) }, exact),
      ),
      size: Type.Object(
        {
          ...{ multiple: Count, largestSide: Count, fixed: Type.Boolean() },
          trained: Type.Object({ width: Count, height: Count }, exact),
        },
        exact,
      ),
      sampling: SamplingSchema,
      positions: Values(Type.Unknown()),
      numbers: Values(Type.Union([Type.Number(), Text])),
    },
    exact,
  ),
);

export const ReportSchema = of<ReportView>()(
  Type.Object(
    { id: Text, kind: oneOf(['resolution', 'decoding'] as const), title: Text, createdAt: Time },
    exact,
  ),
);

export const WorkerSchema = of<WorkerView>()(
  Type.Object(
    {
      id: Text,
      host: Text,
      pid: Count,
      device: Text,
      since: Time,
      jobs: Type.Array(
        Type.Object({ id: Id, kind: JobKindName, title: Text, parent: Type.Optional(Id) }, exact),
      ),
      models: Type.Array(Type.Object({ id: Text, bytes: Count }, exact)),
    },
    exact,
  ),
);

export const JobAnswer = Type.Object({ job: JobSchema }, exact);
/** A body that says nothing: still JSON, so that no form of another site can send it. */
export const Nothing = Type.Object({}, exact);

/** A file of one of these media types. */
export const fileAnswer = (...types: readonly string[]) => ({
  description: 'the file',
  content: Object.fromEntries(
    types.map((type) => [type, { schema: Type.Unsafe<Buffer | Readable>(Type.String()) }]),
  ),
});

/** Answers by status; what every route may answer besides is added. */
export const answers = <Answers extends Record<number, unknown>>(own: Answers) => ({
  ...own,
  '4xx': ErrorBody,
  '5xx': ErrorBody,
});

/**
 * A job as lists and events show it: without the requests of a batch, which may be thousands, and the
 * result of a trace, which holds pictures. Both are in `GET /jobs/:id`.
 */
export function briefly(job: Job): Job {
  const { input } = job;
  if (input.kind === 'batch') return { ...job, input: { ...input, requests: [] } };
  if (input.kind !== 'evaluate' || input.what !== 'trace') return job;
  const { result: _, ...rest } = job;
  return rest;
}
