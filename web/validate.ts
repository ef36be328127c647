/** Fastify checks requests with the same sentences as the command line, and writes plain JSON. */
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { checkSchema } from '../schema.ts';

const WHERE: Readonly<Record<string, string>> = {
  body: 'request',
  querystring: 'query',
  params: 'path',
  headers: 'headers',
};

/** Text of query and path becomes the number or list that the schema asks for; `a,b` is a list. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> =
  ({ schema, httpPart }) =>
  (value) => {
    try {
      const given = httpPart === 'body' ? value : Value.Convert(schema, splitLists(schema, value));
      return { value: checkSchema(schema, given, WHERE[httpPart ?? 'body'] ?? 'request') };
    } catch (error) {
      return { error: isTooDeep(error) ? TOO_DEEP : (error as Error) };
    }
  };

const TOO_DEEP = new TypeError('request: expected a shallower body, got one nested too deeply');
const isTooDeep = (error: unknown) => /call stack/.test((error as Error).message);

function splitLists(schema: TSchema, value: unknown): unknown {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  const entries = Object.entries((value ?? {}) as Record<string, unknown>).map(([key, given]) => [
    key,
    properties[key]?.type === 'array' && typeof given === 'string' ? given.split(',') : given,
  ]);
  return Object.fromEntries(entries);
}

/** Tests hold the answers to their schemas; nothing is left out silently here. */
export const serializerCompiler: FastifySerializerCompiler<TSchema> = () => (data) =>
  JSON.stringify(data);
