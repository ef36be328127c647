/** The OpenAPI document and its reader, from the schemas that check requests. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig, FastifyInstance, FastifySchema } from 'fastify';
import { VERSION } from '../version.ts';
import './context.ts';

/** To be registered before the routes that it describes. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Ropewalk',
        version: VERSION,
        description: 'Pictures, batches, trainings and evaluations as jobs.',
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'ropewalk' },
        },
      },
      security: [{}, { token: [] }, { cookie: [] }],
    },
    transform: ({ schema, url, route }) => ({ schema: withFile(schema, route.config), url }),
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.register(swaggerUi, { routePrefix: '/docs' });
}

/** A route that takes a file has no schema to check it by; the document says what it takes. */
function withFile(schema: FastifySchema, config: FastifyContextConfig | undefined): FastifySchema {
  const isFile = config?.accepts?.every((type) => type !== ''); // else a body is not even expected
  if (schema === undefined || !isFile || schema.body) return schema;
  const file = { type: 'string', format: 'binary' };
  return { ...schema, consumes: [...config!.accepts!], body: file };
}
