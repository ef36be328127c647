/** docs/positions.md against the registry: a row for every method, with its options as they are. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { composePositions, type PositionConfig } from '../../../encoders/positions/compose.ts';
import type { OptionDefault } from '../../../encoders/positions/contract.ts';
import { raster } from '../../../encoders/positions/grid.ts';
import { POSITION_PRESETS } from '../../../encoders/positions/presets.ts';
import { POSITION_METHODS } from '../../../encoders/positions/registry.ts';

const page = readFileSync(new URL('../../../docs/positions.md', import.meta.url), 'utf8');
const cells = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
/** Rows of the table under a hook's heading. */
const rowsOf = (hook: string) =>
  (page.split(`\n## ${hook}\n`)[1] ?? '')
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map(cells);

const shown = (standard: OptionDefault): string => {
  if (!Array.isArray(standard)) return String(standard);
  if (standard.length === 0) return 'none';
  return standard.length > 4 ? `${standard[0]} ... ${standard.at(-1)}` : standard.join(', ');
};
const optionsCell = (options: Readonly<Record<string, OptionDefault>> = {}) =>
  Object.entries(options)
    .map(([name, standard]) => `\`${name}\` (${shown(standard)})`)
    .join(', ');

describe.each(Object.entries(POSITION_METHODS))('docs/positions.md, %s', (hook, methods) => {
  test('has a row for every method that ships, and for no other', () => {
    const named = rowsOf(hook).map(([name]) => name!.replaceAll('`', ''));
    expect([...named].sort()).toEqual(methods.map(({ name }) => name).sort());
  });

  test.each(methods.map((method) => [method.name, method] as const))(
    '%s: its options, what it reduces to, and every cell filled',
    (name, { options, reducesTo }) => {
      const row = rowsOf(hook).find(([first]) => first === `\`${name}\``)!;
      expect(row.length).toBe(6);
      const [, does, given, paper, special, when] = row;
      expect(given).toBe(optionsCell(options));
      expect(special).toBe(reducesTo);
      for (const cell of [does, paper, when]) expect(cell!.length).toBeGreaterThan(3);
    },
  );
});

const presetRows = rowsOf('Presets');
test('every preset has a row with its configuration, which a network can be made of', () => {
  const shape = { width: 32, heads: 2, trained: raster(4, 4) };
  for (const [name, config] of Object.entries(POSITION_PRESETS)) {
    const row = presetRows.find(([first]) => first === `\`${name}\``)!;
    expect(JSON.parse(row[1]!.replaceAll('`', ''))).toEqual(config);
    expect(() => composePositions(config, shape)).not.toThrow();
  }
  expect(presetRows.length).toBe(Object.keys(POSITION_PRESETS).length);
});

test('the configurations of the introduction are valid', () => {
  const shape = { width: 32, heads: 2, trained: raster(4, 4) };
  const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text!);
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks)
    expect(() => composePositions(JSON.parse(block) as PositionConfig, shape)).not.toThrow();
});
