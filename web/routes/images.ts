/** Pictures: asking for them, the gallery, their files. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { LRUCache } from 'lru-cache';
import { Type } from 'typebox';
import { Id } from '../../jobs/job.ts';
import { NotFound } from '../../jobs/jobs.ts';
import { encodeThumbnail } from '../../png.ts';
import { checkedRequest, chooseModel, Draft } from '../draft.ts';
import { refuse } from '../errors.ts';
import { answers, fileAnswer, JobAnswer, PictureSchema } from '../schemas.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
const ById = Type.Object({ id: Id }, exact);
const tags = ['images'];

/** Which pictures of the gallery. */
export const PictureFilter = {
  search: Type.Optional(Type.String({ maxLength: 200 })),
  model: Type.Optional(Type.String({ maxLength: 64 })),
  job: Type.Optional(Id),
};
const PictureQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
    after: Type.Optional(Type.String({ maxLength: 200 })),
    ...PictureFilter,
    order: Type.Optional(Type.Union([Type.Literal('newest'), Type.Literal('oldest')])),
  },
  exact,
);
const PicturePage = Type.Object(
  {
    images: Type.Array(PictureSchema),
    next: Type.Optional(Type.String()),
    total: Type.Integer({ minimum: 0 }),
  },
  exact,
);
const Thumb = Type.Object(
  {
    size: Type.Union([Type.Literal(64), Type.Literal(128), Type.Literal(256)], { default: 128 }),
  },
  exact,
);
const Download = Type.Object(
  { download: Type.Optional(Type.Integer({ minimum: 0, maximum: 1 })) },
  exact,
);

const FOREVER = 'private, max-age=31536000, immutable';
/** A picture opened by itself runs nothing. */
const INERT = "default-src 'none'; sandbox";
const THUMBNAILS = 32_000_000;

export const imagesRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/api/v1/images',
    {
      schema: {
        summary: 'Ask for pictures: a whole request, or a draft that the model card completes',
        tags,
        body: Draft,
        response: answers({ 202: JobAnswer }),
      },
    },
    async ({ body }, reply) => {
      const { jobs, models } = app.services;
      const known = await models.list();
      const request = await refuse(() =>
        checkedRequest(body, chooseModel(known, body.model), models),
      );
      const { priority } = body;
      const options = priority === undefined ? {} : { priority };
      const job = await jobs.add({ kind: 'render', request }, options);
      return reply.code(202).send({ job });
    },
  );

  app.get(
    '/api/v1/images',
    {
      schema: {
        summary: 'Finished pictures, newest first',
        tags,
        querystring: PictureQuery,
        response: answers({ 200: PicturePage }),
      },
    },
    async ({ query }) => {
      const { pictures } = app.services.jobs;
      const { limit: _, after: __, order: ___, ...which } = query;
      const [page, total] = await Promise.all([
        refuse(() => pictures.list(query)),
        pictures.count(which),
      ]);
      return {
        images: [...page.items],
        ...(page.next !== undefined && { next: page.next }),
        total,
      };
    },
  );

  app.get(
    '/api/v1/images/:id',
    {
      schema: {
        summary: 'One picture, with its recipe',
        tags,
        params: ById,
        response: answers({ 200: PictureSchema }),
      },
    },
    async ({ params }) => {
      const picture = await app.services.jobs.pictures.get(params.id);
      if (!picture) throw unknown(params.id);
      return picture;
    },
  );

  app.delete(
    '/api/v1/images/:id',
    {
      schema: {
        summary: 'Delete a picture; it can be restored for a while',
        tags,
        params: ById,
        response: answers({ 204: Type.Null() }),
      },
    },
    async ({ params }, reply) => {
      await app.services.jobs.pictures.remove(params.id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/v1/images/:id/restore',
    {
      schema: {
        summary: 'Take back a deletion',
        tags,
        params: ById,
        body: Type.Object({}, exact),
        response: answers({ 200: PictureSchema }),
      },
    },
    async ({ params }) => app.services.jobs.pictures.restore(params.id),
  );

  await app.register(filesRoutes);
};

const filesRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const thumbnails = new LRUCache<string, Buffer>({
    maxSize: THUMBNAILS,
    sizeCalculation: (file) => file.length,
  });
  const shown = async (id: string) => {
    if (!(await app.services.jobs.pictures.get(id))) throw unknown(id); // a deleted one's file is still there
  };

  app.get(
    '/api/v1/images/:id/file',
    {
      schema: {
        summary: 'The PNG file, with its recipe inside',
        tags,
        params: ById,
        querystring: Download,
        response: answers({ 200: fileAnswer('image/png') }),
      },
    },
    async ({ params, query }, reply) => {
      await shown(params.id);
      const file = await app.services.jobs.pictures.stream(params.id);
      if (!file) throw unknown(params.id);
      const how = query.download === 1 ? 'attachment' : 'inline';
      return reply
        .type('image/png')
        .header('cache-control', FOREVER)
        .header('content-security-policy', INERT)
        .header('content-disposition', `${how}; filename="${params.id}.png"`)
        .send(file);
    },
  );

  app.get(
    '/api/v1/images/:id/thumb',
    {
      schema: {
        summary: 'A small WebP of the picture',
        tags,
        params: ById,
        querystring: Thumb,
        response: answers({ 200: fileAnswer('image/webp') }),
      },
    },
    async ({ params, query }, reply) => {
      await shown(params.id);
      const key = `${params.id} ${query.size}`;
      let thumbnail = thumbnails.get(key);
      if (!thumbnail) {
        const file = await app.services.jobs.pictures.read(params.id);
        if (!file) throw unknown(params.id);
        thumbnail = await encodeThumbnail(file, query.size);
        thumbnails.set(key, thumbnail);
      }
      return reply
        .type('image/webp')
        .header('cache-control', FOREVER)
        .header('content-security-policy', INERT)
        .send(thumbnail);
    },
  );
};

const unknown = (id: string) => new NotFound(`images: expected the id of a picture, got '${id}'`);
