/** Bodies in JSON by Fastify's own parser, which refuses what would change prototypes; its errors get a place. */
import type { FastifyInstance } from 'fastify';
import { HttpError } from './errors.ts';
import { parseJson } from './json-position.ts';

const TYPE = 'application/json';

export function acceptJson(app: FastifyInstance): void {
  const standard = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(TYPE);
  app.addContentTypeParser<string>(TYPE, { parseAs: 'string' }, (request, body, done) =>
    standard(request, body, (error, value) => done(error && placed(body), value)),
  );
}

function placed(body: string): HttpError {
  if (body === '') return new HttpError('invalid', 'request: expected JSON, got nothing; send {}');
  try {
    parseJson(body);
  } catch (found) {
    return new HttpError('invalid', `request: ${(found as Error).message}`);
  }
  return new HttpError(
    'invalid',
    "request: expected no key '__proto__' or 'constructor.prototype', got one",
  );
}
