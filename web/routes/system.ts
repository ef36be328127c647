/** Health, readiness, who works, and what this machine is. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { VERSION } from '../../version.ts';
import { describeError } from '../errors.ts';
import { answers, WorkerSchema } from '../schemas.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
const tags = ['system'];
const Ready = Type.Object({ ready: Type.Literal(true) }, exact);
const NotReady = Type.Object(
  { ready: Type.Literal(false), problems: Type.Array(Type.String()) },
  exact,
);
const Workers = Type.Object({ workers: Type.Array(WorkerSchema) }, exact);

export const systemRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/v1/health',
    {
      config: { public: true },
      schema: {
        summary: 'Whether the server listens',
        tags,
        response: answers({ 200: Type.Object({ ok: Type.Literal(true) }, exact) }),
      },
    },
    async () => ({ ok: true as const }),
  );

  app.get(
    '/api/v1/ready',
    {
      schema: {
        summary: 'Whether queue, database and store answer',
        tags,
        response: { ...answers({ 200: Ready }), 503: NotReady },
      },
    },
    async (_, reply) => {
      const { ready, problems } = await checkAll();
      if (ready) return { ready: true as const };
      return reply
        .code(503)
        .header('retry-after', 2)
        .send({ ready: false as const, problems: [...problems] });
    },
  );

  const checkAll = async () => {
    try {
      return await app.services.jobs.check();
    } catch (error) {
      return { ready: false, problems: [describeError(error).message] };
    }
  };

  app.get(
    '/api/v1/workers',
    {
      schema: {
        summary:
          'Processes that take jobs: where, since when, what they have in hand and in memory',
        tags,
        response: answers({ 200: Workers }),
      },
    },
    async () => ({ workers: [...(await app.services.jobs.workers())] }),
  );

  app.get(
    '/api/v1/system',
    {
      schema: {
        summary: 'Version, engine, cores, storage, queue',
        tags,
        response: answers({
          200: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
        }),
      },
    },
    async () => ({ version: VERSION, ...(await app.services.system()) }),
  );
};
