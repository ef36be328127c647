/**
 * OpenAI's Images API over our queue, so that programs written for it find us by their base URL:
 * `POST /v1/images/generations`, also as a stream with pictures on the way, and `GET /v1/models`.
 */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { convertPicture, decodePicture, encodePng, resizePicture } from '../png.ts';
import type { ImageRequest } from '../request.ts';
import { HttpError } from './errors.ts';
import { unrouted } from './methods.ts';
import { findModel, type Output, shown, understand, usageOf } from './openai-request.ts';
import {
  GenerateBody,
  Generated,
  Model,
  Models,
  OpenAIError,
  toOpenAIError,
} from './openai-schemas.ts';
import { filesOfRender, type Render, RenderEnded, startRender, whenGone } from './renders.ts';
import { fileAnswer } from './schemas.ts';
import type { ModelView, Services } from './services.ts';
import './context.ts';

const tags = ['OpenAI'];
const errors = { '4xx': OpenAIError, '5xx': OpenAIError };

export const openaiRoutes: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(routes, { prefix: '/v1' });
};

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const answerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { status, retryAfter, body } = toOpenAIError(error);
    if (status === 500) request.log.error({ err: error }, 'request failed');
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    return reply.code(status).type('application/json').send(body);
  };
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) => answerError(unrouted(request, reply), request, reply));

  app.get(
    '/models',
    { schema: { summary: 'Models', tags, response: { 200: Models, ...errors } } },
    async () => ({
      object: 'list' as const,
      data: (await app.services.models.list()).map(modelOf),
    }),
  );
  app.get(
    '/models/:id',
    {
      schema: {
        summary: 'One model',
        tags,
        params: Type.Object({ id: Type.String({ maxLength: 64 }) }),
        response: { 200: Model, ...errors },
      },
    },
    async ({ params }) => modelOf(findModel(await app.services.models.list(), params.id)),
  );
  app.post(
    '/images/generations',
    {
      schema: {
        summary: 'Pictures from a prompt, at once or as a stream of events',
        tags,
        body: GenerateBody,
        response: {
          200: {
            description:
              'pictures, or with `stream` the events image_generation.partial_image and .completed',
            content: {
              'application/json': { schema: Generated },
              ...fileAnswer('text/event-stream').content,
            },
          },
          ...errors,
        },
      },
    },
    async ({ body, protocol, host }, reply) => {
      const { services } = app;
      const { request, output } = await understand(body, services);
      const render = await startRender(services.jobs, request, { signal: whenGone(reply) });
      const address = (id: string) => `${protocol}://${host}/api/v1/images/${id}/file`;
      if (!body.stream) return answer(render, { request, output, services, address });
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-cache, no-transform')
        .send(Readable.from(events(render, { request, output, services })) as never);
    },
  );
};

const modelOf = ({ id }: ModelView) => ({
  id,
  object: 'model' as const,
  created: 0, // a card has no date
  owned_by: 'ropewalk',
});

type Asked = {
  readonly request: ImageRequest;
  readonly output: Output;
  readonly services: Services;
};

async function answer(
  render: Render,
  { request, output, services, address }: Asked & { address: (id: string) => string },
): Promise<Generated> {
  await finished(render);
  const files = await filesOfRender(services.jobs, render.job);
  const data = await Promise.all(
    files.map(async ({ picture, file }) =>
      output.url
        ? { url: address(picture.id) }
        : { b64_json: (await encoded(file, output)).toString('base64') },
    ),
  );
  return { created: now(), data, ...shown(request, output), usage: usageOf(request) };
}

async function finished({ told }: Render): Promise<void> {
  try {
    for await (const _ of told);
  } catch (error) {
    throw explained(error);
  }
}

/** Why there are no pictures, for the client: our reasons are sentences already. */
const explained = (error: unknown) =>
  error instanceof RenderEnded
    ? new HttpError(error.job.state === 'cancelled' ? 'conflict' : 'unavailable', error.message)
    : error;

async function* events(render: Render, asked: Asked): AsyncGenerator<string> {
  const { request, output, services } = asked;
  const about = { created_at: now(), ...shown(request, output) };
  const usage = usageOf({ ...request, count: 1 });
  const isDue = partials(output.partial);
  let sent = 0;
  try {
    for await (const told of render.told) {
      if (told.type === 'quiet') yield ': \n\n';
      if (told.type === 'progress') isDue.progress(told.progress.step / told.progress.steps);
      if (told.type === 'preview' && isDue.now()) {
        const type = 'image_generation.partial_image';
        const b64_json = await preview(told.png, asked);
        yield event(type, { type, b64_json, partial_image_index: sent++, ...about });
      }
      if (told.type === 'picture') {
        const file = await services.jobs.pictures.read(told.picture.id);
        if (!file) continue;
        const type = 'image_generation.completed';
        const b64_json = (await encoded(file, output)).toString('base64');
        yield event(type, { type, b64_json, ...about, usage });
      }
    }
  } catch (error) {
    yield event('error', toOpenAIError(explained(error)).body);
  }
}

/** Spread evenly over the steps: of two, one after a third and one after two thirds. */
function partials(count: number) {
  let [reached, passed] = [0, 0];
  return {
    progress(part: number): void {
      reached = Math.min(count, Math.floor(part * (count + 1) + 1e-9));
    },
    now(): boolean {
      if (reached <= passed) return false;
      passed = reached;
      return true;
    },
  };
}

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const now = () => Math.floor(Date.now() / 1000);

const encoded = async (file: Buffer, { format, compression }: Output): Promise<Buffer> =>
  format === 'png' ? file : convertPicture(file, format, Math.max(1, compression));

/** A preview is small: here it has the size that was asked for. */
async function preview(png: string, { request, output }: Asked): Promise<string> {
  const small = await decodePicture(Buffer.from(png, 'base64'));
  const file = await encodePng(await resizePicture(small, request.size));
  return (await encoded(file, output)).toString('base64');
}
