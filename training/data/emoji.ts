/**
 * Emoji: one concept drawn by several makers (credits in NOTICE; no share-alike sets). Words are the maker as
 * style, the concept by its Unicode name, and its group. Of 240 concepts one style is kept out of training:
 * whether a model draws those cells says whether it joins what it knows of a concept and of a style.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Dataset } from './dataset.ts';
import { type Concept, type EmojiDrawing, type IconSet, joinEmoji } from './emoji-join.ts';
import { openPictures } from './picture-cache.ts';
import { rasterise } from './rasterise.ts';

const BACKGROUND = '#ffffff';
const HELD_OUT_CONCEPTS = 240;
/** A held-out cell is fair if its concept is seen in this many styles, the held-out one included. */
const FAIR = 5;

/** Versions are part of the data set: drawings change between them. */
export const emojiSets = {
  noto: '1.2.9',
  'noto-v1': '1.2.5',
  twemoji: '1.2.5',
  'fluent-emoji-flat': '1.2.6',
  emojione: '1.2.3',
  fxemoji: '1.2.2',
} as const satisfies Record<string, string>;
const NAMES = 'unicode-emoji-json@0.9.0';

export type EmojiSplit = 'train' | 'held-out-cells';

export type EmojiOptions = {
  readonly size: number;
  readonly split: EmojiSplit;
  readonly cache: string;
  readonly onProgress?: (done: number) => void;
};

/** Opens a split; the first call renders it into the cache (about a minute at 64 px). */
export async function openEmoji({
  size,
  split,
  cache,
  onProgress,
}: EmojiOptions): Promise<Dataset> {
  const all = await loadEmoji();
  const heldOut = heldOutCells(all);
  const drawings = all.filter(
    (drawing) => heldOut.has(cellOf(drawing)) === (split === 'held-out-cells'),
  );
  const vocabulary = [...new Set(all.flatMap(emojiWords))].sort();
  const ids = new Map(vocabulary.map((word, id) => [word, id]));
  const idsOf = (drawing: EmojiDrawing) =>
    emojiWords(drawing)
      .map((word) => ids.get(word)!)
      .sort((a, b) => a - b);
  const sources = () => ({
    pictures: drawings.map((drawing) => ({
      words: idsOf(drawing),
      draw: () => rasterise(drawing.svg, size, BACKGROUND),
    })),
  });
  const configuration = {
    version: 1,
    sets: emojiSets,
    names: NAMES,
    background: BACKGROUND,
    heldOut: [...heldOut],
  };
  return openPictures({
    cache,
    name: `emoji-${split}`,
    size,
    vocabulary,
    configuration,
    sources,
    onProgress,
  });
}

export function emojiWords({ set, concept }: EmojiDrawing): readonly string[] {
  return [`style=${set}`, `concept=${concept.label}`, `group=${concept.group}`];
}

export const cellOf = ({ set, concept }: EmojiDrawing): string => `${set}/${concept.codePoints}`;

/** One style of each of 240 well-covered concepts; chosen by digest, so that the choice knows nothing of the drawings. */
export function heldOutCells(drawings: readonly EmojiDrawing[]): ReadonlySet<string> {
  const byConcept = new Map<string, EmojiDrawing[]>();
  for (const drawing of drawings) {
    const points = drawing.concept.codePoints;
    byConcept.set(points, [...(byConcept.get(points) ?? []), drawing]);
  }
  const fair = [...byConcept].filter(([, group]) => group.length >= FAIR);
  const ordered = fair
    .map(([points, group]) => ({ rank: digest(points), group }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return new Set(
    ordered
      .slice(0, HELD_OUT_CONCEPTS)
      .map(({ rank, group }) => cellOf(group[Number.parseInt(rank.slice(-6), 16) % group.length]!)),
  );
}

const digest = (text: string) =>
  createHash('sha256').update(`ropewalk/emoji/${text}`).digest('hex');

/** Every drawing of the six sets that shows a Unicode emoji (skin tones left out). */
export async function loadEmoji(): Promise<readonly EmojiDrawing[]> {
  const names = Object.keys(emojiSets) as (keyof typeof emojiSets)[];
  const sets = await Promise.all(
    names.map(async (name): Promise<IconSet> => {
      const pack = `@iconify-json/${name}@${emojiSets[name]}`;
      const icons = (await readPackaged(`@iconify-json/${name}/icons.json`, pack)) as Omit<
        IconSet,
        'name' | 'chars'
      >;
      const chars = (await readPackaged(
        `@iconify-json/${name}/chars.json`,
        pack,
      )) as IconSet['chars'];
      return { ...icons, name, chars };
    }),
  );
  const unicode = (await readPackaged('unicode-emoji-json/data-by-emoji.json', NAMES)) as Record<
    string,
    { name: string; group: string }
  >;
  return joinEmoji(
    sets,
    Object.entries(unicode).map(([emoji, about]) => conceptOf(emoji, about)),
  );
}

function conceptOf(emoji: string, { name, group }: { name: string; group: string }): Concept {
  const points = [...emoji].map((character) => character.codePointAt(0)!.toString(16));
  const codePoints = points.filter((point) => point !== 'fe0f').join('-'); // the sets leave the emoji selector out
  return { label: name.toLowerCase(), group: group.toLowerCase(), codePoints };
}

/** A JSON file of an optional package; one sentence if it is not there. */
export async function readPackaged(path: string, pack: string): Promise<unknown> {
  const require = createRequire(import.meta.url);
  let found: string;
  try {
    found = require.resolve(path);
  } catch (cause) {
    throw new Error(`emoji: expected the package of ${path}, got none; install ${pack}`, { cause });
  }
  return JSON.parse(await readFile(found, 'utf8'));
}
