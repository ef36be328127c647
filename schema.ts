/** Checks values from outside (requests, configurations, model cards) against one schema each. */
import type { Static, TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { nearest } from './tensor/nearest.ts';

// The issue to tell may be the last of a long union's.
Settings.Set({ maxErrors: 1000 });

/** The value with defaults filled in; throws one sentence naming the field, what was expected and got. */
export function checkSchema<Schema extends TSchema>(
  schema: Schema,
  value: unknown,
  where: string,
): Static<Schema> {
  const filled = Value.Default(schema, Value.Clone(value));
  if (Value.Check(schema, filled)) {
    checkText(filled, where);
    return filled as Static<Schema>;
  }
  const issue = worst(meant([...Value.Errors(schema, filled)]));
  const path = issue.instancePath.slice(1).replaceAll('/', '.');
  const field = path === '' ? 'the value' : `'${path}'`;
  const got = at(filled, issue.instancePath);
  throw new TypeError(`${where}: ${field}: ${explain(issue, at(schema, issue.schemaPath), got)}`);
}

/** No database keeps the character NUL in a text, and no text that is meant has it. */
function checkText(value: unknown, where: string, path: readonly string[] = []): void {
  if (typeof value === 'string' && value.includes('\0')) {
    const field = path.length === 0 ? 'the value' : `'${path.join('.')}'`;
    throw new TypeError(
      `${where}: ${field}: expected text without the character NUL, got ${shown(value)}`,
    );
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) checkText(inner, where, [...path, key]);
}

type Issue = {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly params: unknown;
};
/** A node of JSON Schema, as far as sentences speak of it. */
type Node = {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly pattern?: string;
  /** Of a pattern: what it accepts, in words. */
  readonly description?: string;
  readonly [limit: string]: unknown;
};

/**
 * The issue to tell: the deepest, because a union reports each variant and the one that was meant
 * fits furthest down; at the same depth the union itself, which names all that is possible.
 */
function worst(issues: readonly Issue[]): Issue {
  const depth = ({ instancePath }: Issue) => instancePath.split('/').length;
  const told = issues.filter(({ keyword }) => keyword !== 'boolean'); // said by additionalProperties too
  const deepest = Math.max(...told.map(depth));
  const candidates = told.filter((issue) => depth(issue) === deepest);
  const keys = ['required', 'additionalProperties'];
  return (
    candidates.find(({ keyword }) => keys.includes(keyword)) ??
    candidates.find(({ keyword }) => keyword === 'anyOf') ??
    candidates[0]!
  );
}

/** Without what the variants of a union say that are of another kind than the value is. */
function meant(issues: readonly Issue[]): readonly Issue[] {
  const variantOf = ({ schemaPath }: Issue) => /^.*\/anyOf\/\d+(?=\/|$)/.exec(schemaPath)?.[0];
  const unionOf = (variant: string) => variant.replace(/\/\d+$/, '');
  const strange = new Set(
    issues
      .filter(
        ({ keyword, schemaPath }) => keyword === 'const' && /\/properties\/\w+$/.test(schemaPath),
      )
      .flatMap((issue) => variantOf(issue) ?? []),
  );
  const fitting = new Set(
    issues
      .flatMap((issue) => variantOf(issue) ?? [])
      .filter((variant) => !strange.has(variant))
      .map(unionOf),
  );
  return issues.filter((issue) => {
    const variant = variantOf(issue);
    return variant === undefined || !strange.has(variant) || !fitting.has(unionOf(variant));
  });
}

function explain({ keyword, params }: Issue, schema: unknown, got: unknown): string {
  const node = (schema ?? {}) as Node;
  if (keyword === 'additionalProperties') {
    const unknown = (params as { additionalProperties: string[] }).additionalProperties;
    const known = Object.keys(node.properties ?? {});
    const near = unknown.flatMap((key) => nearest(key, known, { count: 1 }));
    const advice =
      near.length > 0 ? `did you mean ${quoted(near)}?` : `known keys are ${quoted(known)}`;
    return `expected no key ${quoted(unknown)}; ${advice}`;
  }
  if (keyword === 'required') {
    const missing = (params as { requiredProperties: string[] }).requiredProperties;
    return `expected ${quoted(missing)}, got nothing; add it`;
  }
  const texts = (node.anyOf ?? [])
    .map((variant) => variant.const)
    .filter((v) => typeof v === 'string');
  const near = typeof got === 'string' ? nearest(got, texts, { count: 1 }) : [];
  const advice = near.length > 0 ? `; did you mean ${quoted(near)}?` : '';
  return `expected ${described(node)}, got ${shown(got)}${advice}`;
}

const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ');

/** What a schema accepts, in words. */
function described(node: Node): string {
  if ('const' in node) return JSON.stringify(node.const);
  if (node.anyOf) return [...new Set(node.anyOf.map(described))].join(' or ');
  switch (node.type) {
    case 'integer':
      return `a whole number${range(node)}`;
    case 'number':
      return `a number${range(node)}`;
    case 'string':
      if (node.pattern !== undefined) return node.description ?? `text like ${node.pattern}`;
      return `text${counted(node, 'Length', 'characters')}`;
    case 'array':
      return `a list${counted(node, 'Items', 'entries')}`;
    case 'boolean':
      return 'true or false';
    case 'object':
      return 'an object';
    case 'null':
      return 'null';
    default:
      return 'another value';
  }
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Node): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const limits = [
    ...(minimum === undefined ? [] : [`of at least ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(maximum === undefined ? [] : [`of at most ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`]),
  ];
  return limits.length > 0 ? ` ${limits.join(' and ')}` : '';
}

function counted(node: Node, what: 'Length' | 'Items', unit: string): string {
  const [least, most] = [node[`min${what}`], node[`max${what}`]];
  if (least === undefined && most === undefined) return '';
  if (most === undefined) return ` of at least ${least} ${unit}`;
  return ` of ${least ?? 0} to ${most} ${unit}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The value at a JSON pointer (RFC 6901), with or without the leading `#`. */
function at(value: unknown, pointer: string): unknown {
  let found = value;
  for (const key of pointer.split('/').slice(1)) {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
    found = (found as Record<string, unknown> | null | undefined)?.[name];
  }
  return found;
}
