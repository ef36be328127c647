/** Position extensions as they are written on the command line. */
import { readFile } from 'node:fs/promises';
import type { PositionConfig } from '../encoders/positions/compose.ts';
import { findMethod, POSITION_METHODS } from '../encoders/positions/registry.ts';

export type Extensions = NonNullable<PositionConfig['extend']>;
type Value = number | boolean | string | readonly number[];
type Extension = string | { readonly method: string; readonly [option: string]: Value };

/** The extension, all of them where there are several, or an empty list for 'none' alone. */
export async function readExtensions(texts: readonly string[]): Promise<Extensions> {
  if (texts.includes('none')) {
    if (texts.length === 1) return [];
    throw new RangeError(`--extend: expected none alone or none of it, got ${texts.join(' and ')}`);
  }
  const read = await Promise.all(
    texts.map((text) => (text.endsWith('.json') ? readExtension(text) : parseExtension(text))),
  );
  return read.length === 1 ? read[0]! : read;
}

/** 'method', or 'method:option=value,option=value'; a list goes on after a comma: 'gamma=16,2'. */
export function parseExtension(text: string): Extension {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const { options = {} } = findMethod(POSITION_METHODS, 'extend', name);
  if (colon < 0) return name;
  const given = new Map<string, (number | boolean | string)[]>();
  let last = '';
  for (const part of text.slice(colon + 1).split(',')) {
    const [, option, value = ''] = /^\s*([\w-]+)=(.*)$/.exec(part) ?? [];
    if (option === undefined && given.has(last)) given.get(last)!.push(scalar(part));
    else if (option !== undefined && !given.has(option)) given.set(option, [scalar(value)]);
    else
      throw new RangeError(
        `--extend: expected options such as '${name}:option=value', each once, got '${text}'`,
      );
    last = option ?? last;
  }
  const values = [...given].map(([option, [first, ...more]]) => {
    const listed = more.length > 0 || (Array.isArray(options[option]) && typeof first === 'number');
    return [option, listed ? [first, ...more] : first];
  });
  return { method: name, ...Object.fromEntries(values) };
}

function scalar(text: string): number | boolean | string {
  const value = text.trim();
  if (value === 'true' || value === 'false') return value === 'true';
  return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}

/** A file as `ropewalk search longrope` writes it: the method's name and its options. */
async function readExtension(path: string): Promise<Extension> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`--extend: expected a JSON file, got '${path}', which cannot be read`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TypeError(`${path}: expected JSON with an extension's method and options`);
  }
  const { method } = (value ?? {}) as { method?: unknown };
  if (typeof method === 'string') return value as Extension;
  throw new TypeError(`${path}: expected an object with the extension's 'method', got none`);
}
