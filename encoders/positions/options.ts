/** Options of a method as given, checked against those it declares and completed with its defaults. */
import { nearest } from '../../tensor/nearest.ts';
import type { Method, OptionDefault, Options } from './contract.ts';

/** Throws naming the option, what it may be and what it was. */
export function completeOptions(method: Method, given: Options): Options {
  const where = `positions.${method.hook} '${method.name}'`;
  const declared = method.options ?? {};
  for (const name of Object.keys(given)) {
    if (name in declared) continue;
    const names = Object.keys(declared);
    const near = nearest(name, names)[0];
    throw new RangeError(
      `${where}: expected ${names.length > 0 ? `options among ${names.join(', ')}` : 'no options'}, got '${name}'; ${near ? `did you mean '${near}'?` : 'leave it out'}`,
    );
  }
  return Object.fromEntries(
    Object.entries(declared).map(([name, standard]) => [
      name,
      name in given ? checkOption(`${where}.${name}`, given[name]!, standard) : defaultOf(standard),
    ]),
  );
}

const isChoice = (standard: OptionDefault): standard is readonly string[] =>
  Array.isArray(standard) && typeof standard[0] === 'string';

const defaultOf = (standard: OptionDefault): Options[string] =>
  isChoice(standard) ? standard[0]! : standard;

function checkOption(where: string, value: Options[string], standard: OptionDefault) {
  const got = `got ${JSON.stringify(value)}`;
  if (isChoice(standard)) {
    if (standard.includes(value as string)) return value;
    throw new RangeError(`${where}: expected one of ${standard.join(', ')}, ${got}`);
  }
  if (Array.isArray(standard)) {
    const list = [value].flat(); // a text cannot tell a list of one from a number
    if (list.every(Number.isFinite)) return list as number[];
    throw new TypeError(`${where}: expected a list of numbers, ${got}`);
  }
  const fits =
    typeof value === typeof standard && (typeof value !== 'number' || Number.isFinite(value));
  if (fits) return value;
  throw new TypeError(`${where}: expected a ${typeof standard}, ${got}`);
}
