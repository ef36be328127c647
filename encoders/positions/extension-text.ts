/** Position extensions as people write them: 'method', or 'method:option=value,option=value'. */
import { readOptions } from '../../method-text.ts';
import { findMethod, POSITION_METHODS } from './registry.ts';

type Value = number | boolean | string | readonly number[];
export type ExtensionChoice =
  | string
  | { readonly method: string; readonly [option: string]: Value };

/** Names that papers use for a method. */
const ALIASES: Readonly<Record<string, string>> = { pi: 'interpolation' };

/** A list goes on after a comma: 'gamma=16,2'. Throws naming the methods where there is none of that name. */
export function parseExtension(text: string): ExtensionChoice {
  const colon = text.indexOf(':');
  const given = colon < 0 ? text : text.slice(0, colon);
  const name = ALIASES[given] ?? given;
  findMethod(POSITION_METHODS, 'extend', name);
  if (colon < 0) return name;
  const options = readOptions(text.slice(colon + 1));
  if (!options)
    throw new RangeError(
      `--extend: expected options such as '${name}:option=value', each once, got '${text}'`,
    );
  return { method: name, ...options } as ExtensionChoice;
}
