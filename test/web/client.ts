/** A server on fake services, asked without sockets; every JSON answer is held to the schema of its route. */
import type { InjectOptions } from 'fastify';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { expect } from 'vitest';
import { ErrorBody } from '../../web/errors.ts';
import { createServer, type ServerOptions } from '../../web/server.ts';
import type { Services } from '../../web/services.ts';
import { createFakeServices, type FakeOptions } from './fake-services.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at parts of it
  readonly body: any;
};

type Asked = Omit<InjectOptions, 'url' | 'method'>;

export function createClient(options: ServerOptions & FakeOptions = {}, given?: Services) {
  const services = given ?? createFakeServices(options);
  const app = createServer(services, { page: import.meta.dirname, ...options });
  const schemas = new Map<string, Readonly<Record<string, TSchema>>>();
  app.addHook('onRoute', ({ method, url, schema }) => {
    for (const name of [method].flat())
      schemas.set(`${name} ${url}`, (schema?.response ?? {}) as Record<string, TSchema>);
  });

  const asked = new Map<number, (route: string | undefined) => void>();
  let count = 0;
  app.addHook('onRequest', async ({ headers, routeOptions }) => {
    asked.get(Number(headers['x-count']))?.(routeOptions.url);
  });

  /** Of the route that answered: OpenAPI's document is made of these. */
  function checkAnswer(route: string, status: number, body: unknown): void {
    const declared = schemas.get(route);
    const fallback = status >= 400 ? ErrorBody : undefined; // of pages, which the document leaves out
    const schema = declared?.[status] ?? declared?.[`${String(status)[0]}xx`] ?? fallback;
    expect(schema, `${route} ${status}`).toBeDefined();
    expect([...Value.Errors(schema!, body)], `${route} ${status}`).toEqual([]);
  }

  async function ask(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS',
    url: string,
    more: Asked = {},
  ): Promise<Answer> {
    let route: string | undefined;
    asked.set(++count, (url) => {
      route = url;
    });
    const headers = { ...more.headers, 'x-count': String(count) };
    const answer = await app.inject({ method, url, ...more, headers });
    const json = String(answer.headers['content-type'] ?? '').includes('json');
    const body = json ? answer.json() : undefined;
    if (json && route !== undefined) checkAnswer(`${method} ${route}`, answer.statusCode, body);
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.payload,
      bytes: answer.rawPayload,
      body,
    };
  }
  return { app, services, schemas, ask };
}
