/** The queue as a whole. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answers, Nothing } from '../schemas.ts';
import '../context.ts';

const Paused = Type.Object({ paused: Type.Boolean() }, { additionalProperties: false });

export const queueRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/api/v1/queue/pause',
    {
      schema: {
        summary: 'Start no more jobs; what runs goes on',
        tags: ['queue'],
        body: Nothing,
        response: answers({ 200: Paused }),
      },
    },
    async () => {
      await app.services.jobs.pauseAll();
      return { paused: await app.services.jobs.isPaused() };
    },
  );

  app.post(
    '/api/v1/queue/resume',
    {
      schema: {
        summary: 'Start jobs again',
        tags: ['queue'],
        body: Nothing,
        response: answers({ 200: Paused }),
      },
    },
    async () => {
      await app.services.jobs.resumeAll();
      return { paused: await app.services.jobs.isPaused() };
    },
  );
};
