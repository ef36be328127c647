/** Jobs of all kinds: what there is, how far it is, and what is to become of it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Id, JOB_STATES, type TraceReport } from '../../jobs/job.ts';
import { type Jobs, NotFound } from '../../jobs/jobs.ts';
import { decodePicture } from '../../png.ts';
import { traceGif } from '../../png-trace.ts';
import { HttpError, refuse } from '../errors.ts';
import {
  answers,
  briefly,
  fileAnswer,
  JobAnswer,
  JobKindName,
  JobSchema,
  JobStateName,
  Nothing,
  PointSchema,
  ProgressSchema,
} from '../schemas.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
const ById = Type.Object({ id: Id }, exact);
const tags = ['jobs'];
const Count = Type.Integer({ minimum: 0 });
const Step = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });

const JobQuery = Type.Object(
  {
    kind: Type.Optional(JobKindName),
    state: Type.Optional(Type.Array(JobStateName, { maxItems: JOB_STATES.length })),
    parent: Type.Optional(Id),
    search: Type.Optional(Type.String({ maxLength: 200 })),
    order: Type.Optional(Type.Union([Type.Literal('newest'), Type.Literal('queue')])),
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
    after: Type.Optional(Type.String({ maxLength: 200 })),
  },
  exact,
);
const JobPage = Type.Object(
  {
    jobs: Type.Array(JobSchema),
    next: Type.Optional(Type.String()),
    counts: Type.Object(Object.fromEntries(JOB_STATES.map((state) => [state, Count])), exact),
    paused: Type.Boolean(),
  },
  exact,
);
const JobDetail = Type.Object({ job: JobSchema, progress: Type.Optional(ProgressSchema) }, exact);
const Place = Type.Union([
  Type.Object({ before: Id }, exact),
  Type.Object({ to: Type.Union([Type.Literal('first'), Type.Literal('last')]) }, exact),
]);

export const jobsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/v1/jobs',
    {
      schema: {
        summary: 'Jobs, newest first or in the order in which they are taken',
        tags,
        querystring: JobQuery,
        response: answers({ 200: JobPage }),
      },
    },
    async ({ query }) => {
      const { jobs } = app.services;
      const [page, counts, paused] = await Promise.all([
        refuse(() => jobs.list(query)),
        jobs.counts(),
        jobs.isPaused(),
      ]);
      const next = page.next === undefined ? {} : { next: page.next };
      return { jobs: page.items.map(briefly), ...next, counts: { ...counts }, paused };
    },
  );

  app.get(
    '/api/v1/jobs/:id',
    {
      schema: {
        summary: 'A job and, while it runs, how far it is',
        tags,
        params: ById,
        response: answers({ 200: JobDetail }),
      },
    },
    async ({ params }) => {
      const job = await app.services.jobs.get(params.id);
      if (!job) throw new NotFound(`jobs: expected the id of a job, got '${params.id}'`);
      const progress = app.live.progressOf(job.id);
      return { job, ...(progress && { progress }) };
    },
  );

  app.get(
    '/api/v1/jobs/:id/points',
    {
      schema: {
        summary: 'The curve of a training, from a step on',
        tags,
        params: ById,
        querystring: Type.Object({ after: Type.Optional(Step) }, exact),
        response: answers({ 200: Type.Object({ points: Type.Array(PointSchema) }, exact) }),
      },
    },
    async ({ params, query }) => ({
      points: [...(await app.services.jobs.points(params.id, query.after))],
    }),
  );

  app.get(
    '/api/v1/jobs/:id/trace.gif',
    {
      schema: {
        summary: 'The passes of a trace as an animation',
        description:
          'Cells framed in green are drafts that were kept, in orange what was drawn; grey is undecided.',
        tags,
        params: ById,
        response: answers({ 200: fileAnswer('image/gif') }),
      },
    },
    async ({ params: { id } }, reply) => {
      const { grid, chosen } = await findTrace(app.services.jobs, id);
      const picture = await decodePicture(Buffer.from(chosen.png, 'base64'));
      return reply
        .type('image/gif')
        .header('cache-control', 'no-store')
        .header('content-disposition', `inline; filename="${id}.gif"`)
        .send(await refuse(() => traceGif({ picture, passes: chosen.passes, grid })));
    },
  );

  const actions = {
    cancel: 'Stop a job, keeping the pictures that are finished',
    pause: 'Hold a job back',
    resume: 'Let a paused job go on',
    retry: 'A failed or cancelled job again; of a batch what failed',
  } as const satisfies { readonly [action in keyof Jobs]?: string };
  for (const [action, summary] of Object.entries(actions))
    app.post(
      `/api/v1/jobs/:id/${action}`,
      {
        schema: {
          summary,
          tags,
          params: ById,
          body: Nothing,
          response: answers({ 200: JobAnswer }),
        },
      },
      async ({ params }) => ({
        job: briefly(await app.services.jobs[action as keyof typeof actions](params.id)),
      }),
    );

  app.post(
    '/api/v1/jobs/:id/move',
    {
      schema: {
        summary: 'Take a waiting job before another, or first or last of all',
        tags,
        params: ById,
        body: Place,
        response: answers({ 200: JobAnswer }),
      },
    },
    async ({ params, body }) => {
      const to = 'to' in body ? body.to : body;
      return { job: briefly(await app.services.jobs.move(params.id, to)) };
    },
  );
};

async function findTrace(jobs: Jobs, id: string): Promise<TraceReport> {
  const job = await jobs.get(id);
  if (job?.input.kind !== 'evaluate' || job.input.what !== 'trace')
    throw new NotFound(`jobs: expected the id of a trace, got '${id}'`);
  if (job.state !== 'done')
    throw new HttpError(
      'conflict',
      `jobs: expected a trace that is done, got one that is ${job.state}`,
    );
  return job.result as TraceReport;
}
