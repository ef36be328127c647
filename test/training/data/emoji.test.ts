import { beforeAll, describe, expect, test } from 'vitest';
import {
  cellOf,
  emojiSets,
  emojiWords,
  heldOutCells,
  loadEmoji,
} from '../../../training/data/emoji.ts';
import {
  type EmojiDrawing,
  type IconSet,
  joinEmoji,
  slug,
} from '../../../training/data/emoji-join.ts';
import { rasterise } from '../../../training/data/rasterise.ts';

describe('joining', () => {
  const concept = (label: string, codePoints: string) => ({ label, group: 'things', codePoints });
  const set = (name: string, icons: string[], rest: Partial<IconSet> = {}): IconSet => ({
    name,
    icons: Object.fromEntries(icons.map((icon) => [icon, { body: `<g id="${icon}"/>` }])),
    chars: {},
    width: 8,
    height: 8,
    ...rest,
  });
  const found = (drawings: readonly EmojiDrawing[]) =>
    drawings.map(
      ({ set: name, concept: { label }, svg }) =>
        `${name} ${label} ${/id="(.*?)"/.exec(svg(8))?.[1]}`,
    );

  test('by code points, names of other sets, aliases and without spaces', () => {
    const sets = [
      set('a', ['ripe-apple'], { chars: { '1f34e': 'ripe-apple' } }),
      set('b', ['ripe-apple', 'red-boat']),
      set('c', ['redboat', 'fruit'], { aliases: { 'red-apple': { parent: 'fruit' } } }),
    ];
    const concepts = [concept('red apple', '1f34e'), concept('Red boat', '1f6a3')];
    expect(found(joinEmoji(sets, concepts))).toEqual([
      'a red apple ripe-apple',
      'b red apple ripe-apple',
      'b Red boat red-boat',
      'c red apple fruit',
      'c Red boat redboat',
    ]);
  });

  test('a drawing is used once, a withdrawn one never', () => {
    const hidden = { icons: { boat: { body: '', hidden: true } } };
    expect(joinEmoji([set('a', [], hidden)], [concept('boat', '1')])).toEqual([]);
    expect(
      joinEmoji([set('a', ['boat'])], [concept('boat', '1'), concept('BOAT', '2')]),
    ).toHaveLength(1);
  });

  test('an icon keeps its own box', () => {
    const wide = { icons: { flag: { body: '<g/>', width: 12 } } };
    const [drawing] = joinEmoji([set('a', [], wide)], [concept('flag', '1')]);
    expect(drawing!.svg(64)).toContain('width="64" height="64" viewBox="0 0 12 8"');
  });

  test.each([
    ['man’s shoe', 'mans-shoe'],
    ['piñata', 'pinata'],
    ['keycap: #', 'keycap-#'],
    ['A button (blood type)', 'a-button-blood-type'],
  ])('%s is named %s', (label, name) => expect(slug(label)).toBe(name));
});

describe('the six sets', () => {
  let drawings: readonly EmojiDrawing[];
  beforeAll(async () => {
    drawings = await loadEmoji();
  });

  test('7,913 drawings of 1,912 concepts', () => {
    expect(drawings).toHaveLength(7913);
    expect(new Set(drawings.map(({ concept }) => concept.codePoints)).size).toBe(1912);
    expect([...new Set(drawings.map(({ set }) => set))]).toEqual(Object.keys(emojiSets));
    expect(new Set(drawings.map(cellOf)).size).toBe(7913);
  });

  test('a concept is the same thing in every style', async () => {
    const apples = drawings.filter(({ concept }) => concept.label === 'red apple');
    expect(apples.map(({ set }) => set)).toEqual(
      expect.arrayContaining(['noto', 'noto-v1', 'twemoji', 'fluent-emoji-flat', 'emojione']),
    );
    for (const apple of apples) {
      expect(emojiWords(apple)).toEqual([
        `style=${apple.set}`,
        'concept=red apple',
        'group=food & drink',
      ]);
      const pixels = await rasterise(apple.svg, 32, '#ffffff');
      const at = 3 * (16 * 32 + 16);
      const [red, green, blue] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
      expect(red, apple.set).toBeGreaterThan(1.5 * Math.max(green, blue));
    }
  });

  test('240 held-out cells: each another concept, still seen in four other styles, spread over the sets', () => {
    const cells = heldOutCells(drawings);
    const out = drawings.filter((drawing) => cells.has(cellOf(drawing)));
    expect(out).toHaveLength(240);
    expect(new Set(out.map(({ concept }) => concept.codePoints)).size).toBe(240);
    for (const { concept } of out) {
      const kept = drawings.filter(
        (other) => other.concept.codePoints === concept.codePoints && !cells.has(cellOf(other)),
      );
      expect(kept.length).toBeGreaterThanOrEqual(4);
    }
    for (const set of Object.keys(emojiSets))
      expect(out.filter((drawing) => drawing.set === set).length).toBeGreaterThan(15);
    expect(heldOutCells(drawings)).toEqual(cells);
  });
});
