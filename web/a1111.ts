/**
 * The API of AUTOMATIC1111's web UI over our queue, so that programs written for it find us by their base
 * URL: `txt2img`, `progress`, `interrupt`, `samplers`, `sd-models`, `png-info` under /sdapi/v1.
 */
import { STATUS_CODES } from 'node:http';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Progress } from '../jobs/job.ts';
import { titleOfSolver } from '../request.ts';
import { infoOf, timestamp, titleOf, understand } from './a1111-request.ts';
import {
  Checkpoints,
  Detail,
  PngInfoAnswer,
  ProgressAnswer,
  Samplers,
  Txt2ImgAnswer,
  Txt2ImgBody,
  toDetail,
} from './a1111-schemas.ts';
import { describeError, HttpError, refuse } from './errors.ts';
import { unrouted } from './methods.ts';
import { readPngInfo } from './png-info.ts';
import { cancelRender, filesOfRender, RenderEnded, startRender, whenGone } from './renders.ts';
import { UPLOAD_BYTES } from './routes/uploads.ts';
import './context.ts';

const tags = ['AUTOMATIC1111'];
const answers = <Answer>(answer: Answer) => ({ 200: answer, '4xx': Detail, '5xx': Detail });

export const a1111Routes: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(routes, { prefix: '/sdapi/v1' });
};

/** A `txt2img` that goes on: what `progress` shows and `interrupt` ends. */
type Running = {
  readonly job: string;
  readonly count: number;
  readonly since: number;
  progress?: Progress;
  preview?: string;
};

const routes: FastifyPluginAsyncTypebox = async (app) => {
  /** The first one is the oldest. */
  const running = new Set<Running>();
  app.setErrorHandler((error, request, reply) => {
    const { status, retryAfter, body } = toDetail(error);
    if (status === 500) request.log.error({ err: error }, 'request failed');
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    return reply.code(status).type('application/json').send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const { status } = describeError(unrouted(request, reply));
    return reply.code(status).send({ detail: STATUS_CODES[status] });
  });

  app.post(
    '/txt2img',
    {
      schema: {
        summary: 'Pictures from a prompt',
        tags,
        body: Txt2ImgBody,
        response: answers(Txt2ImgAnswer),
      },
    },
    async ({ body }, reply) => {
      const { services } = app;
      const { request, model } = await understand(body, services);
      const { job, told } = await startRender(services.jobs, request, { signal: whenGone(reply) });
      const entry: Running = { job: job.id, count: request.count, since: Date.now() };
      running.add(entry);
      try {
        for await (const event of told) {
          if (event.type === 'progress') entry.progress = event.progress;
          if (event.type === 'preview') entry.preview = event.png;
        }
      } catch (error) {
        // Interrupted: what is finished is the answer, as there.
        if (!(error instanceof RenderEnded)) throw error;
        if (error.job.state !== 'cancelled') throw new HttpError('unavailable', error.message);
      } finally {
        running.delete(entry);
      }
      const files = await filesOfRender(services.jobs, job);
      const images = body.send_images === false ? [] : files;
      return {
        images: images.map(({ file }) => file.toString('base64')),
        parameters: { ...body, ...request.size, seed: body.seed ?? -1 },
        info: JSON.stringify(infoOf(body, { request, model, files })),
      };
    },
  );

  app.get(
    '/progress',
    {
      schema: {
        summary: 'How far the oldest txt2img is',
        tags,
        querystring: Type.Object({ skip_current_image: Type.Optional(Type.Boolean()) }),
        response: answers(ProgressAnswer),
      },
    },
    async ({ query }) => progressOf([...running], query.skip_current_image === true),
  );

  app.post(
    '/interrupt',
    {
      config: { accepts: ['application/json', ''] }, // their clients send no body
      schema: {
        summary: 'End the oldest txt2img, keeping what is finished',
        tags,
        response: answers(Type.Object({})),
      },
    },
    async () => {
      const [oldest] = running;
      if (oldest) await cancelRender(app.services.jobs, oldest.job);
      return {};
    },
  );

  app.get(
    '/samplers',
    {
      schema: { summary: 'Solvers and decoders of all models', tags, response: answers(Samplers) },
    },
    async () => {
      const models = await app.services.models.list();
      const names = models.flatMap(({ sampling }) =>
        sampling.kind === 'diffusion'
          ? sampling.solvers
          : sampling.decoders.map((decoder) => decoder.name),
      );
      return [...new Set(names)].map((name) => ({
        name,
        aliases: [titleOfSolver(name) ?? []].flat(),
        options: {},
      }));
    },
  );

  app.get(
    '/sd-models',
    { schema: { summary: 'Models', tags, response: answers(Checkpoints) } },
    async () =>
      (await app.services.models.list()).map((model) => ({
        title: titleOf(model),
        model_name: model.id,
        hash: model.digest.slice(0, 10),
        sha256: model.digest,
        filename: `${model.id}.safetensors`,
        config: null,
      })),
  );

  app.post(
    '/png-info',
    {
      bodyLimit: Math.ceil((UPLOAD_BYTES * 4) / 3) + 1000,
      schema: {
        summary: 'Read the recipe in a PNG',
        tags,
        body: Type.Object({ image: Type.String({ description: 'base64, or a data URL of it' }) }),
        response: answers(PngInfoAnswer),
      },
    },
    async ({ body }) => {
      const file = Buffer.from(body.image.replace(/^data:image\/[\w.+-]+;base64,/, ''), 'base64');
      const { parameters = '', items, facts } = await refuse(() => readPngInfo(file));
      return { info: parameters, items, parameters: facts };
    },
  );
};

/** As if the pictures were drawn one after the other, where several share each step. */
function progressOf([oldest]: readonly Running[], withoutImage: boolean) {
  const { step = 0, steps = 0 } = oldest?.progress ?? {};
  const count = oldest?.count ?? 0;
  const progress = steps > 0 ? step / steps : 0;
  const stepsOfOne = count > 0 ? steps / count : 0;
  const job_no = stepsOfOne > 0 ? Math.min(count - 1, Math.floor(step / stepsOfOne)) : 0;
  const elapsed = oldest ? (Date.now() - oldest.since) / 1000 : 0;
  const eta = oldest?.progress?.eta ?? (progress > 0 ? elapsed / progress - elapsed : 0);
  return {
    progress,
    eta_relative: eta,
    state: {
      skipped: false,
      interrupted: false,
      stopping_generation: false,
      job: oldest?.job ?? '',
      job_count: count,
      job_timestamp: oldest ? timestamp(oldest.since) : '0',
      job_no,
      sampling_step: step - job_no * stepsOfOne,
      sampling_steps: stepsOfOne,
    },
    current_image: withoutImage ? null : (oldest?.preview ?? null),
    textinfo: null,
  };
}
