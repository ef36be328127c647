/** Trainings and evaluations: jobs whose configurations are checked before they are taken in. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { EvaluateInput, type JobInput, TrainInput } from '../../jobs/job.ts';
import { refuse } from '../errors.ts';
import { answers, JobAnswer } from '../schemas.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
const { kind: _, ...trainFields } = TrainInput.properties;
const { kind: __, ...evaluateFields } = EvaluateInput.properties;

const Configs = Type.Object(
  { configs: Type.Array(Type.Object({ name: Type.String(), config: Type.Unknown() }, exact)) },
  exact,
);

export const trainRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const start = async (input: JobInput) => {
    await refuse(() => app.services.checkConfig(input));
    return { job: await app.services.jobs.add(input) };
  };

  app.post(
    '/api/v1/train',
    {
      schema: {
        summary: 'Train a model',
        tags: ['train'],
        body: Type.Object(trainFields, exact),
        response: answers({ 202: JobAnswer }),
      },
    },
    async ({ body }, reply) => reply.code(202).send(await start({ kind: 'train', ...body })),
  );

  app.get(
    '/api/v1/train/configs',
    {
      schema: {
        summary: 'Configurations that ship, to begin with',
        tags: ['train'],
        response: answers({ 200: Configs }),
      },
    },
    async () => ({ configs: [...(await app.services.configs())] }),
  );

  app.post(
    '/api/v1/evaluate',
    {
      schema: {
        summary: 'Measure a model, sizes, or decoders',
        tags: ['train'],
        body: Type.Object(evaluateFields, exact),
        response: answers({ 202: JobAnswer }),
      },
    },
    async ({ body }, reply) => reply.code(202).send(await start({ kind: 'evaluate', ...body })),
  );
};
