/** Checks values from outside (requests, configurations, model cards) against one schema each. */
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** The value with defaults filled in; throws one sentence naming the field, what was expected and got. */
export function checkSchema<Schema extends TSchema>(
  schema: Schema,
  value: unknown,
  where: string,
): Static<Schema> {
  const filled = Value.Default(schema, Value.Clone(value));
  if (Value.Check(schema, filled)) return filled as Static<Schema>;
  const errors = [...Value.Errors(schema, filled)];
  const first = errors.find(({ keyword }) => keyword !== 'anyOf') ?? errors[0]!;
  const path = first.instancePath.slice(1).replaceAll('/', '.');
  throw new TypeError(`${where}: ${describe(first, path, valueAt(filled, first.instancePath))}`);
}

type Issue = { readonly keyword: string; readonly message: string; readonly params: unknown };

function describe({ keyword, message, params }: Issue, path: string, got: unknown): string {
  const field = path === '' ? 'the value' : `'${path}'`;
  if (keyword === 'additionalProperties') {
    const unknown = (params as { additionalProperties: string[] }).additionalProperties;
    return `${field}: expected no key ${unknown.map((key) => `'${key}'`).join(', ')}; remove it or check its spelling`;
  }
  if (keyword === 'required') {
    const missing = (params as { requiredProperties: string[] }).requiredProperties;
    return `${field}: expected ${missing.map((key) => `'${key}'`).join(', ')}, got nothing; add it`;
  }
  return `${field}: ${message.replace(/^must /, 'expected to ')}, got ${shown(got)}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const key of pointer.split('/').slice(1))
    at = (at as Record<string, unknown> | undefined)?.[key];
  return at;
}
