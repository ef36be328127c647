/** Pictures that people bring: decoded and encoded anew, so that nothing else in the file survives. */
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { decodePicture, encodePng } from '../../png.ts';
import { HttpError, refuse } from '../errors.ts';
import { answers } from '../schemas.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
export const UPLOAD_BYTES = 32 * 2 ** 20;
const UPLOAD_PIXELS = 2 ** 25;
const IMAGES = ['image/png', 'image/jpeg', 'image/webp'];

/** Lets the routes of this plugin read a picture as the body or as the file of a form. */
export async function acceptPictures(app: FastifyInstance): Promise<void> {
  app.addContentTypeParser(
    IMAGES,
    { parseAs: 'buffer', bodyLimit: UPLOAD_BYTES },
    async (_: FastifyRequest, body: Buffer | string) => body,
  );
  const limits = {
    fileSize: UPLOAD_BYTES,
    files: 1,
    fields: 4,
    fieldSize: 10_000,
    parts: 5,
    headerPairs: 20,
  };
  await app.register(multipart, { limits, throwFileSizeLimit: true });
}

/** Media types of `acceptPictures`, for a route's `config.accepts`. */
export const PICTURE_TYPES = [...IMAGES, 'multipart/form-data'];

/** The bytes of the one picture in a request. */
export async function pictureIn(request: FastifyRequest): Promise<Buffer> {
  if (Buffer.isBuffer(request.body)) return request.body;
  try {
    const part = await request.file();
    if (part) return await part.toBuffer();
  } catch (error) {
    if ((error as FastifyError).statusCode !== undefined) throw error; // over a limit
    throw new HttpError('invalid', 'request: expected a whole form, got a broken one');
  }
  throw new HttpError('invalid', 'request: expected a file in the form, got none');
}

export const uploadsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  await acceptPictures(app);
  app.post(
    '/api/v1/uploads',
    {
      bodyLimit: UPLOAD_BYTES,
      config: { accepts: PICTURE_TYPES },
      schema: {
        summary: 'Keep a picture as the input of requests',
        tags: ['images'],
        consumes: PICTURE_TYPES,
        response: answers({ 201: Type.Object({ id: Type.String() }, exact) }),
      },
    },
    async (request, reply) => {
      const file = await pictureIn(request);
      const picture = await refuse(() => decodePicture(file, { maxPixels: UPLOAD_PIXELS }));
      const id = await app.services.jobs.keepUpload(await encodePng(picture));
      return reply.code(201).send({ id });
    },
  );
};
