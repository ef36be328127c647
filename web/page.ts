/** The built page: one index.html for all its paths, and files whose names change with their content. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsync } from 'fastify';
import { NotFound } from '../jobs/jobs.ts';
import './context.ts';

const PAGES = [
  'login',
  'more',
  'compare',
  'gallery',
  'batches',
  'queue',
  'train',
  'resolution',
  'decoding',
  'models',
  'system',
];

export const pageRoutes: FastifyPluginAsync<{ readonly folder: string }> = async (
  app,
  { folder },
) => {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, public: true }; // holds no data; it asks for the token itself
  });
  const built = existsSync(join(folder, 'index.html'));
  if (built)
    await app.register(fastifyStatic, {
      root: folder,
      index: false,
      wildcard: false, // a route a file: what is not there is told by whose path it is
      preCompressed: true,
      cacheControl: false,
      schemaHide: true,
      setHeaders: (reply, path) => {
        const named = /[/\\]assets[/\\]/.test(path);
        reply.header('cache-control', named ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  for (const path of ['/', ...PAGES.flatMap((name) => [`/${name}`, `/${name}/*`])])
    app.get(path, { schema: { hide: true } }, async (_, reply) => {
      if (!built) throw new NotFound("page: expected a built page, got none; run 'npm run build'");
      return reply.sendFile('index.html');
    });
};
