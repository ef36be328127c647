/** Reports that evaluations left behind. */
import { extname } from 'node:path';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { NotFound } from '../../jobs/jobs.ts';
import { answers, fileAnswer, ReportSchema } from '../schemas.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
const Name = Type.String({ pattern: '^\\w[\\w.-]{0,127}$', description: 'a name, not a path' });
const tags = ['reports'];

/** Files of reports by their ending; others are not given out. */
const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.gif': 'image/gif',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.csv': 'text/csv; charset=utf-8',
};
/** A report opened by itself shows its own pictures and style, and runs nothing. */
const INERT = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox";

export const reportsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/v1/reports',
    {
      schema: {
        summary: 'Reports on resolutions and decoders',
        tags,
        response: answers({ 200: Type.Object({ reports: Type.Array(ReportSchema) }, exact) }),
      },
    },
    async () => ({ reports: [...(await app.services.reports.list())] }),
  );

  app.get(
    '/api/v1/reports/:id',
    {
      schema: {
        summary: 'What a report says, as data',
        tags,
        params: Type.Object({ id: Name }, exact),
        response: answers({ 200: Type.Unknown() }),
      },
    },
    async ({ params }) => {
      const reports = await app.services.reports.list();
      if (!reports.some(({ id }) => id === params.id)) throw unknown(params.id);
      return app.services.reports.read(params.id);
    },
  );

  app.get(
    '/api/v1/reports/:id/files/:name',
    {
      schema: {
        summary: 'A chart or a table of a report',
        tags,
        params: Type.Object({ id: Name, name: Name }, exact),
        response: answers({ 200: fileAnswer(...Object.values(TYPES)) }),
      },
    },
    async ({ params }, reply) => {
      const type = TYPES[extname(params.name)];
      const reports = await app.services.reports.list();
      const file = reports.some(({ id }) => id === params.id)
        ? await app.services.reports.file(params.id, params.name)
        : undefined;
      if (!type || !file) throw unknown(`${params.id}/${params.name}`);
      return reply.type(type).header('content-security-policy', INERT).send(file);
    },
  );
};

const unknown = (id: string) => new NotFound(`reports: expected the id of a report, got '${id}'`);
