/** Models: what forms and grid axes are made from. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { NotFound } from '../../jobs/jobs.ts';
import { answers, ModelSchema } from '../schemas.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
const ModelId = Type.String({ pattern: '^[A-Za-z0-9][\\w.-]{0,63}$', description: 'a model id' });

export const modelsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/v1/models',
    {
      schema: {
        summary: 'All models, and a sentence for each that cannot be read',
        tags: ['models'],
        response: answers({
          200: Type.Object(
            { models: Type.Array(ModelSchema), broken: Type.Array(Type.String()) },
            exact,
          ),
        }),
      },
    },
    async () => {
      const { models } = app.services;
      const [list, broken] = await Promise.all([models.list(), models.broken()]);
      return { models: [...list], broken: [...broken] };
    },
  );

  app.get(
    '/api/v1/models/:id',
    {
      schema: {
        summary: 'One model',
        tags: ['models'],
        params: Type.Object({ id: ModelId }, exact),
        response: answers({ 200: ModelSchema }),
      },
    },
    async ({ params }) => {
      const found = (await app.services.models.list()).find(({ id }) => id === params.id);
      if (!found) throw new NotFound(`models: expected the id of a model, got '${params.id}'`);
      return found;
    },
  );
};
