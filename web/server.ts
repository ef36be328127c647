/**
 * The HTTP API, live events and the page. It takes its services as an argument, also as a promise: it
 * listens at once and answers 503 until they are there.
 */
import { join } from 'node:path';
import compress from '@fastify/compress';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyServerOptions } from 'fastify';
import { a1111Routes } from './a1111.ts';
import './context.ts';
import { answerClientError, answerError, answerUnrouted, HttpError } from './errors.ts';
import { createLive, eventsRoutes, type LiveOptions } from './events.ts';
import { acceptJson } from './json-body.ts';
import { type LogLevel, logging } from './log.ts';
import { loginRoutes } from './login.ts';
import { unrouted, watchMethods } from './methods.ts';
import { createMetrics, metricsRoutes } from './metrics.ts';
import { openaiRoutes } from './openai.ts';
import { describeApi } from './openapi.ts';
import { pageRoutes } from './page.ts';
import { batchesRoutes } from './routes/batches.ts';
import { imagesRoutes } from './routes/images.ts';
import { imagesZipRoutes } from './routes/images-zip.ts';
import { jobsRoutes } from './routes/jobs.ts';
import { modelsRoutes } from './routes/models.ts';
import { pngInfoRoutes } from './routes/png-info.ts';
import { queueRoutes } from './routes/queue.ts';
import { reportsRoutes } from './routes/reports.ts';
import { systemRoutes } from './routes/system.ts';
import { trainRoutes } from './routes/train.ts';
import { uploadsRoutes } from './routes/uploads.ts';
import { protect, type SecurityOptions } from './security.ts';
import type { Services } from './services.ts';
import { serializerCompiler, validatorCompiler } from './validate.ts';

export type ServerOptions = SecurityOptions & {
  /** Where lines of the log go. Default: nowhere. */
  readonly log?: { write(line: string): void };
  /** `info` has every request, `error` what went wrong here. */
  readonly logLevel?: LogLevel;
  /** Folder of the built page. */
  readonly page?: string;
  readonly live?: LiveOptions;
};

export type Server = ReturnType<typeof createServer>;

const BODY_BYTES = 2 ** 20;
/** Who says half of a request and no more is gone after this. */
const HEADERS_MS = 10_000;
/** As long as an address can be: what is too long for a field is its schema's to say. */
const PARAM_LENGTH = 2 ** 14;
const PAGE = join(import.meta.dirname, 'ui');

export function createServer(
  services: Promise<Services> | Services,
  { log, logLevel = 'info', page = PAGE, live: liveOptions = {}, ...security }: ServerOptions = {},
) {
  const app = Fastify({
    ...(logging(log, logLevel) as Pick<FastifyServerOptions, 'logger'>),
    bodyLimit: BODY_BYTES,
    requestTimeout: 120_000,
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: 1000 },
    routerOptions: { maxParamLength: PARAM_LENGTH },
    forceCloseConnections: 'idle',
    frameworkErrors: answerUnrouted,
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  acceptJson(app);

  const live = createLive(liveOptions);
  const metrics = createMetrics();
  const door = openDoor(services, (event) => {
    metrics.event(event);
    live.publish(event);
  });
  app.decorate('methodsOf', watchMethods(app));
  app.decorate('live', { getter: () => live });
  app.decorate('metrics', { getter: () => metrics });
  app.decorate('services', { getter: () => door.services() });
  app.addHook('preClose', async () => live.close());
  app.addHook('onClose', async () => door.close());

  app.register(async (inner) => {
    await protect(inner, security);
    inner.addHook('onResponse', async ({ method, routeOptions }, reply) =>
      // By its route, never by its address, which may hold words of a person.
      metrics.request(
        method,
        routeOptions.url ?? 'none',
        reply.statusCode,
        reply.elapsedTime / 1e3,
      ),
    );
    inner.setNotFoundHandler((request, reply) => {
      throw unrouted(request, reply);
    });
    await inner.register(compress, { encodings: ['br', 'gzip'], threshold: 1024 });
    await describeApi(inner);
    await inner.register(metricsRoutes);
    const { token } = security;
    await inner.register(loginRoutes, token === undefined ? {} : { token });
    for (const routes of ROUTES) await inner.register(routes);
    await inner.register(pageRoutes, { folder: page });
  });
  return app;
}

const ROUTES = [
  systemRoutes,
  imagesRoutes,
  imagesZipRoutes,
  batchesRoutes,
  pngInfoRoutes,
  uploadsRoutes,
  jobsRoutes,
  queueRoutes,
  trainRoutes,
  modelsRoutes,
  reportsRoutes,
  eventsRoutes,
  openaiRoutes,
  a1111Routes,
];

/** The services once they are there; until then, or where they failed to start, 503 with the reason. */
function openDoor(
  promised: Promise<Services> | Services,
  listener: Parameters<Services['jobs']['listen']>[0],
) {
  let ready: Services | undefined;
  let problem = 'server: expected open services, got none yet; it is starting';
  let stop = () => {};
  let closed = false;
  Promise.resolve(promised).then(
    (services) => {
      ready = services;
      if (!closed) stop = services.jobs.listen(listener);
    },
    (error) => {
      problem = error instanceof Error ? error.message : String(error);
    },
  );
  return {
    services(): Services {
      if (!ready) throw new HttpError('unavailable', problem);
      return ready;
    },
    close(): void {
      closed = true;
      stop();
    },
  };
}
