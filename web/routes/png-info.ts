/** What a picture that someone brings says of how it was made. The file is read, not kept. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Recipe } from '../../request.ts';
import type { PartialDraft } from '../columns.ts';
import { Draft } from '../draft.ts';
import { refuse } from '../errors.ts';
import { readPngInfo } from '../png-info.ts';
import { answers, oneOf } from '../schemas.ts';
import { acceptPictures, PICTURE_TYPES, pictureIn, UPLOAD_BYTES } from './uploads.ts';
import '../context.ts';

const exact = { additionalProperties: false } as const;
const Texts = Type.Record(Type.String(), Type.String());

const Info = Type.Object(
  {
    source: oneOf(['ropewalk', 'a1111', 'comfyui', 'invokeai', 'swarmui', 'none']),
    recipe: Type.Optional(Recipe),
    parameters: Type.Optional(Type.String()),
    facts: Texts,
    draft: Type.Optional(Type.Unsafe<PartialDraft>(Type.Partial(Draft, exact))),
    items: Texts,
  },
  exact,
);

export const pngInfoRoutes: FastifyPluginAsyncTypebox = async (app) => {
  await acceptPictures(app);
  app.post(
    '/api/v1/png-info',
    {
      bodyLimit: UPLOAD_BYTES,
      config: { accepts: PICTURE_TYPES },
      schema: {
        summary:
          'Read the recipe in a PNG of ours, or a picture of AUTOMATIC1111, ComfyUI, InvokeAI, SwarmUI',
        description: 'Only text is read; nothing in it is run or fetched.',
        tags: ['images'],
        consumes: PICTURE_TYPES,
        response: answers({ 200: Info }),
      },
    },
    async (request) => {
      const file = await pictureIn(request);
      return refuse(() => readPngInfo(file));
    },
  );
};
