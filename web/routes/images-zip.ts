/** Pictures of the gallery as one archive: those of a search, or a few by their ids. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { Id } from '../../jobs/job.ts';
import { type Jobs, NotFound } from '../../jobs/jobs.ts';
import { VERSION } from '../../version.ts';
import { HttpError } from '../errors.ts';
import { filesOf, type PictureFile } from '../picture-files.ts';
import { answers, fileAnswer } from '../schemas.ts';
import { sendZip } from '../zip.ts';
import { MOST_IDS, MOST_PICTURES } from '../zip-limits.ts';
import { PictureFilter } from './images.ts';
import '../context.ts';

const PAGE = 500;

const ZipQuery = Type.Object(
  {
    ...PictureFilter,
    ids: Type.Optional(
      Type.Array(Id, {
        minItems: 1,
        maxItems: MOST_IDS,
        description: 'in place of a search; those that are deleted are left out',
      }),
    ),
  },
  { additionalProperties: false },
);
type ZipQuery = Static<typeof ZipQuery>;

export const imagesZipRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/v1/images/zip',
    {
      schema: {
        summary: 'Pictures of a search, or those named, with manifest.json',
        description: `At most ${MOST_PICTURES} pictures, newest first, each as <id>.png.`,
        tags: ['images'],
        querystring: ZipQuery,
        response: answers({ 200: fileAnswer('application/zip') }),
      },
    },
    async ({ query }, reply) => {
      const { jobs } = app.services;
      const pictures = query.ids
        ? await picturesByIds(jobs, query, query.ids)
        : await picturesFound(jobs, query);
      const about = { ...query, software: VERSION };
      const files = filesOf(pictures, { jobs, about, at: Date.now() });
      return sendZip(reply, 'ropewalk-pictures', files);
    },
  );
};

async function picturesByIds(
  jobs: Jobs,
  { ids: _, ...filter }: ZipQuery,
  ids: readonly string[],
): Promise<AsyncIterable<PictureFile>> {
  const beside = Object.keys(filter)[0];
  if (beside !== undefined)
    throw new HttpError('invalid', `query: expected 'ids' or '${beside}', got both`, {
      field: 'ids',
    });
  const found = await Promise.all([...new Set(ids)].map((id) => jobs.pictures.get(id)));
  const there = found.filter((picture) => picture !== undefined);
  if (there.length === 0)
    throw new NotFound(`images: expected ids of pictures, got '${ids[0]}' and none that is there`);
  return (async function* () {
    for (const picture of there) yield { name: `${picture.id}.png`, picture };
  })();
}

/** Page by page as they are sent: rows of thousands are never in memory together. */
async function picturesFound(jobs: Jobs, query: ZipQuery): Promise<AsyncIterable<PictureFile>> {
  const count = await jobs.pictures.count(query);
  if (count > MOST_PICTURES)
    throw new HttpError(
      'invalid',
      `images: expected at most ${MOST_PICTURES} pictures for one archive, got ${count}; search for fewer`,
    );
  return (async function* () {
    let after: string | undefined;
    do {
      const page = await jobs.pictures.list({ ...query, limit: PAGE, ...(after && { after }) });
      for (const picture of page.items) yield { name: `${picture.id}.png`, picture };
      after = page.next;
    } while (after !== undefined);
  })();
}
