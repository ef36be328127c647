/** Pages by key: `next` is the place of the last item in its order, so that no page costs more than the first. */
import type { Page } from './jobs.ts';

type Key = readonly (string | number)[];

/** One more row than the page holds was asked for: it says whether anything follows. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { item, key }: { item: (row: Row) => Item; key: (row: Row) => Key },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined && encodeKey(key(last));
  return { items: shown.map(item), ...(next && { next }) };
}

const encodeKey = (key: Key) => Buffer.from(JSON.stringify(key)).toString('base64url');

/** What columns of a key's types hold; anything else would be an error of the database. */
const FITS = {
  text: (value: unknown) => typeof value === 'string' && !value.includes('\0'),
  integer: (value: unknown) => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31,
  bigint: (value: unknown) => Number.isSafeInteger(value),
  double: (value: unknown) => typeof value === 'number',
} as const;

/** Throws unless it is the `next` of a page in this order, whose key has values of these types. */
export function decodeKey(after: string, types: readonly (keyof typeof FITS)[]): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(after, 'base64url').toString());
    const fits = Array.isArray(key) && key.length === types.length;
    if (fits && types.every((type, i) => FITS[type](key[i]))) return key;
  } catch {} // no JSON: the same sentence
  throw new RangeError(`query: 'after': expected the 'next' of a page, got '${after}'`);
}
