import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { POSITION_METHODS } from '../../../encoders/positions/registry.ts';

const page = readFileSync(new URL('../../../docs/extensions.md', import.meta.url), 'utf8');

/** First cells of the table, each with its row's last cell. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map((cells) => ({ names: words(cells[1]!), options: words(cells.at(-2)!) }));

function words(cell: string): string[] {
  return [...cell.matchAll(/`([\w-]+)`/g)].map(([, word]) => word!);
}

test('the page on extensions names all of them and all of their options, and no others', () => {
  const listed = rows.flatMap(({ names, options }) =>
    names.map((name) => [name, [...options].sort()]),
  );
  const there = POSITION_METHODS.extend.map(({ name, options = {} }) => [
    name,
    Object.keys(options).sort(),
  ]);
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(there));
  expect(listed).toHaveLength(there.length);
});
