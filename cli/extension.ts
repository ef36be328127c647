/** What is changed of a model's positions, as it is written on the command line. */
import { readFile } from 'node:fs/promises';
import type { PositionChange } from '../encoders/positions/choose.ts';
import type { PositionConfig } from '../encoders/positions/compose.ts';
import { readMethodTexts } from '../encoders/positions/coordinates-text.ts';
import { type ExtensionChoice, parseExtension } from '../encoders/positions/extension-text.ts';

export type Extensions = NonNullable<PositionConfig['extend']>;

/** Extensions, and options of coordinates. */
export async function readPositionChange(texts: readonly string[]): Promise<PositionChange> {
  const { extensions, coordinates } = readMethodTexts(texts);
  return {
    ...(extensions.length > 0 ? { extend: await readExtensions(extensions) } : {}),
    ...(coordinates === undefined ? {} : { coordinates }),
  };
}

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

/** A file as `ropewalk search longrope` writes it: the method's name and its options. */
async function readExtension(path: string): Promise<ExtensionChoice> {
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
  if (typeof method === 'string') return value as ExtensionChoice;
  throw new TypeError(`${path}: expected an object with the extension's 'method', got none`);
}
