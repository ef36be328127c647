/** The methods that each path knows: what is asked by another one is answered 405 and told these. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from './errors.ts';

export type MethodsOf = (path: string) => readonly string[];

/** To be called before there are routes. */
export function watchMethods(app: FastifyInstance): MethodsOf {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push({ pattern: patternOf(url), methods: [method].flat() });
  });
  return (path) => {
    const found = routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  };
}

/** `/jobs/:id` has any text but `/` in the place of `:id`; `*` is any text. */
function patternOf(route: string): RegExp {
  const parts = route.split(/(:\w+|\*)/).map((part, i) => {
    if (i % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return part === '*' ? '.*' : '[^/]*';
  });
  return new RegExp(`^${parts.join('')}$`);
}

/** What no route answers: a path that none has, or one that is asked by a method that it does not know. */
export function unrouted({ method, url, server }: FastifyRequest, reply: FastifyReply): HttpError {
  const path = url.split('?')[0]!;
  const shown = path.slice(0, 200);
  const methods = server.methodsOf(path);
  if (methods.length === 0)
    return new HttpError('not_found', `request: expected a known path, got ${method} ${shown}`);
  reply.header('allow', methods.join(', '));
  return new HttpError(
    'method_not_allowed',
    `request: expected ${methods.join(' or ')} for ${shown}, got ${method}`,
  );
}
