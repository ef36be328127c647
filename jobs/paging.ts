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

/** Throws unless it is the `next` of a page in this order, whose key has values of these types. */
export function decodeKey(after: string, types: readonly ('string' | 'number')[]): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(after, 'base64url').toString());
    const fits = Array.isArray(key) && key.length === types.length;
    if (fits && types.every((type, i) => typeof key[i] === type)) return key;
  } catch {} // no JSON: the same sentence
  throw new RangeError(`query: 'after': expected the 'next' of a page, got '${after}'`);
}
