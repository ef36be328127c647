/** Batches: files and grids of requests, what they would cost, their pictures as an archive and as a sheet. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { Id } from '../../jobs/job.ts';
import { ImageRequest } from '../../request.ts';
import { filesOfBatch, findBatch, largestOf, pictureFinder, picturesOf } from '../batch-files.ts';
import { BatchBody, costOf, planBatch } from '../batch-plan.ts';
import { HttpError, refuse } from '../errors.ts';
import { answers, briefly, fileAnswer, JobSchema } from '../schemas.ts';
import { drawSheet } from '../sheet.ts';
import { sendZip } from '../zip.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
const ById = Type.Object({ id: Id }, exact);
const tags = ['batches'];
const BODY_BYTES = 16 * 2 ** 20;
const CSV = 'text/csv';
const JSONL = 'application/x-ndjson';
const TYPES = ['application/json', CSV, JSONL];

/** For a file, which has no room for them. */
const FileQuery = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    model: Type.Optional(Type.String({ maxLength: 64 })),
    priority: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  },
  exact,
);
const body = {
  content: {
    'application/json': { schema: BatchBody },
    [CSV]: { schema: Type.Unsafe<Buffer>({ description: 'names of columns, then rows' }) },
    [JSONL]: { schema: Type.Unsafe<Buffer>({ description: 'a draft a line' }) },
  },
};
const Dropped = Type.Array(
  Type.Object({ row: Type.Integer({ minimum: 1 }), reason: Type.String() }, exact),
);
const Added = Type.Object({ job: JobSchema, dropped: Dropped }, exact);
const Counted = Type.Object(
  {
    count: Type.Integer({ description: 'pictures' }),
    requests: Type.Integer(),
    dropped: Dropped,
    pixels: Type.Integer(),
    seconds: Type.Optional(Type.Number({ description: 'on one worker' })),
    bytes: Type.Integer(),
    sample: Type.Array(ImageRequest, { maxItems: 3 }),
  },
  exact,
);

export const batchesRoutes: FastifyPluginAsyncTypebox = async (app) => {
  acceptFiles(app);
  const how = { bodyLimit: BODY_BYTES, config: { accepts: TYPES } };

  app.post(
    '/api/v1/batches',
    {
      ...how,
      schema: {
        summary: 'Queue many requests as one job: drafts, a grid, CSV or JSON lines',
        tags,
        querystring: FileQuery,
        body,
        response: answers({ 202: Added }),
      },
    },
    async (request, reply) => {
      const { jobs, models } = app.services;
      const given = givenIn(request);
      const { dropped, ...plan } = await refuse(() => planBatch(given.plan, models));
      const { length } = plan.requests;
      const { title = length === 1 ? '1 request' : `${length} requests`, priority } = given;
      const options = priority === undefined ? {} : { priority };
      const job = await jobs.add({ kind: 'batch', title, ...plan }, options);
      return reply.code(202).send({ job: briefly(job), dropped: [...dropped] });
    },
  );

  app.post(
    '/api/v1/batches/count',
    {
      ...how,
      schema: {
        summary: 'What a batch would be and cost; starts nothing',
        tags,
        querystring: FileQuery,
        body,
        response: answers({ 200: Counted }),
      },
    },
    async (request) => {
      const { jobs, models } = app.services;
      const { requests, dropped } = await refuse(() => planBatch(givenIn(request).plan, models));
      const cost = await costOf(requests, jobs);
      const sample = requests.slice(0, 3);
      return { ...cost, requests: requests.length, dropped: [...dropped], sample };
    },
  );

  await app.register(picturesRoutes);
};

const picturesRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/v1/batches/:id/zip',
    {
      schema: {
        summary: 'The pictures that are there, with manifest.json',
        tags,
        params: ById,
        response: answers({ 200: fileAnswer('application/zip') }),
      },
    },
    async ({ params }, reply) => {
      const { jobs } = app.services;
      const batch = await findBatch(jobs, params.id);
      const entries = await picturesOf(jobs, batch);
      return sendZip(reply, batch.id, filesOfBatch(jobs, batch, entries));
    },
  );

  app.get(
    '/api/v1/batches/:id/sheet.png',
    {
      schema: {
        summary: 'The pictures of a grid beside the values of its axes',
        description: 'x goes across, y down, z and all others make sections.',
        tags,
        params: ById,
        querystring: Type.Object(
          {
            x: Type.Optional(Type.String({ maxLength: 64 })),
            y: Type.Optional(Type.String({ maxLength: 64 })),
            z: Type.Optional(Type.String({ maxLength: 64 })),
            download: Type.Optional(Type.Integer({ minimum: 0, maximum: 1 })),
          },
          exact,
        ),
        response: answers({ 200: fileAnswer('image/png') }),
      },
    },
    async ({ params, query: { download, ...choice } }, reply) => {
      const { jobs } = app.services;
      const batch = await findBatch(jobs, params.id);
      const { axes } = batch.input;
      if (!axes)
        throw new HttpError('conflict', `batches: expected a grid, got '${batch.title}' of a list`);
      const pictureAt = await pictureFinder(jobs, batch);
      const sheet = { ...choice, title: batch.title, axes, cell: largestOf(batch), pictureAt };
      const how = download === 1 ? 'attachment' : 'inline';
      return reply
        .type('image/png')
        .header('cache-control', 'no-store')
        .header('content-disposition', `${how}; filename="${batch.id}-sheet.png"`)
        .send(await refuse(() => drawSheet(sheet)));
    },
  );
};

/** CSV and JSON lines are read whole, as bytes. */
function acceptFiles(app: FastifyInstance): void {
  app.addContentTypeParser(
    [CSV, JSONL],
    { parseAs: 'buffer' },
    async (_: unknown, body: Buffer) => body,
  );
}

type Given = {
  readonly title?: string | undefined;
  readonly priority?: number | undefined;
  readonly plan: Parameters<typeof planBatch>[0];
};

function givenIn({ body, headers, query }: FastifyRequest): Given {
  const { model, ...asked } = query as Static<typeof FileQuery>;
  if (!Buffer.isBuffer(body)) {
    const { title = asked.title, priority = asked.priority, ...plan } = body as BatchBody;
    return { title, priority, plan };
  }
  const type = headers['content-type']!.toLowerCase().startsWith(CSV) ? 'csv' : 'jsonl';
  return { ...asked, plan: { type, bytes: body, ...(model !== undefined && { model }) } };
}
