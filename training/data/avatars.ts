/**
 * Avatars: unlimited drawings with exact attributes, from DiceBear's vector styles (credits in NOTICE).
 * Ours: which options become which words, the chances of optional parts, seeds, splits and the held-out list.
 */
import { createHash } from 'node:crypto';
import { type StyleName, styleNames, styles } from './avatar-traits.ts';
import { specWithWords } from './avatars-ask.ts';
import {
  type AvatarSpec,
  type StyleChoices,
  styleOf,
  vocabularyOf,
  wordsOf,
} from './avatars-words.ts';
import type { Dataset } from './dataset.ts';
import { type DiceBear, loadDiceBear } from './dicebear.ts';
import { heldOut, isHeldOut } from './held-out.ts';
import { isDrawn, openPictures } from './picture-cache.ts';
import { rasterise } from './rasterise.ts';

const BACKGROUND = '#ffffff';

export type AvatarSplit = 'train' | 'validation' | 'held-out-combinations';

export type Avatars = {
  readonly vocabulary: readonly string[];
  /** The drawing that a seed name gives in a style. */
  random(style: StyleName, seed: string): AvatarSpec;
  /** All that is to be seen in a drawing, sorted. */
  words(spec: AvatarSpec): readonly string[];
  /** size * size * 3 bytes of RGB; the same drawing at any size. */
  render(spec: AvatarSpec, size: number): Promise<Uint8Array>;
  /** A drawing that shows `words`, the rest as `seed` has it. */
  withWords(words: readonly string[], seed: string): AvatarSpec;
  readonly choices: Readonly<Record<StyleName, StyleChoices>>;
};

/** Loads the drawings; throws one sentence if DiceBear is not installed. */
export async function loadAvatars(): Promise<Avatars> {
  const dicebear = await loadDiceBear();
  const choices = Object.fromEntries(
    styleNames.map((style) => [style, choicesOf(dicebear, style)]),
  ) as Record<StyleName, StyleChoices>;
  const words = (spec: AvatarSpec) => wordsOf(spec, paintedColors(dicebear, spec));
  const random = (style: StyleName, seed: string) =>
    randomSpec(dicebear, choices[style], style, seed);
  return {
    vocabulary: vocabularyOf(choices),
    choices,
    random,
    words,
    render: (spec, size) =>
      rasterise((side) => dicebear.draw(spec.style, optionsOf(spec, side)).svg, size, BACKGROUND),
    withWords: (asked, seed) => specWithWords({ choices, random, words }, asked, seed),
  };
}

export type AvatarOptions = {
  readonly size: number;
  readonly count: number;
  readonly split: AvatarSplit;
  /** Folder for rendered pictures. */
  readonly cache: string;
  readonly onProgress?: (done: number) => void;
};

/** Opens `count` drawings of a split; the first call renders them into the cache, later calls read it. */
export async function openAvatars(options: AvatarOptions): Promise<Dataset> {
  const { size, count, split, onProgress } = options;
  const avatars = await loadAvatars();
  const ids = new Map(avatars.vocabulary.map((word, id) => [word, id]));
  const sources = () => ({
    pictures: [...splitSpecs(avatars, split, count)].map(({ spec, words }) => ({
      words: words.map((word) => ids.get(word)!),
      draw: () => avatars.render(spec, size),
    })),
  });
  return openPictures({ ...placeOf(avatars, options), sources, onProgress });
}

/** Whether opening these renders nothing. */
export const areDrawn = (avatars: Avatars, options: AvatarOptions): boolean =>
  isDrawn(placeOf(avatars, options));

const placeOf = ({ vocabulary }: Avatars, { cache, size, count, split }: AvatarOptions) => ({
  ...{ cache, size, vocabulary, name: `avatars-${split}-${count}` },
  configuration: { version: 1, drawings: '9.4.3', styles, background: BACKGROUND, heldOut },
});

/**
 * The drawings of a split in order, styles in turn. Seeds of splits differ in name; train and validation leave out
 * held-out combinations, and 'held-out-combinations' has every combination of the list equally often.
 */
export function* splitSpecs(
  avatars: Avatars,
  split: AvatarSplit,
  count: number,
): Generator<{ spec: AvatarSpec; words: readonly string[] }> {
  const cells =
    split === 'held-out-combinations' ? heldOut : styleNames.map((style) => ({ style, words: [] }));
  const tried = cells.map(() => 0);
  for (let i = 0; i < count; i++) {
    const at = i % cells.length;
    const cell = cells[at]!;
    for (;;) {
      const spec = avatars.random(
        cell.style,
        `ropewalk/${split}/${cell.style}/${at}/${tried[at]!++}`,
      );
      const words = avatars.words(spec);
      const wanted =
        split === 'held-out-combinations'
          ? cell.words.every((w) => words.includes(w))
          : !isHeldOut(cell.style, words);
      if (!wanted) continue;
      yield { spec, words };
      break;
    }
  }
}

/** Options with a choice; those with one value carry no word and stay as the style has them. */
function choicesOf(dicebear: DiceBear, style: StyleName): StyleChoices {
  const properties = dicebear.properties(style);
  const choices = (option: string) => {
    const values = properties[option]?.default;
    if (!Array.isArray(values))
      throw new Error(
        `avatars: expected ${style} to have an option ${option}, got none; install version 9.4.3 of the drawings`,
      );
    return values as string[];
  };
  const { parts, colors } = styleOf(style);
  const read = (names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, choices(name)]));
  return { parts: read(parts), colors: read(colors) };
}

function chancesOf(style: StyleName): Record<string, number> {
  return Object.fromEntries(
    Object.entries(styleOf(style).chances ?? {}).map(([part, percent]) => [
      `${part}Probability`,
      percent,
    ]),
  );
}

function randomSpec(
  dicebear: DiceBear,
  choices: StyleChoices,
  style: StyleName,
  name: string,
): AvatarSpec {
  // DiceBear's generator gives seeds that differ at their end nearly the same start; a digest spreads them.
  const seed = createHash('sha256').update(name).digest('hex');
  const { extra } = dicebear.draw(style, { seed, backgroundColor: [], ...chancesOf(style) });
  const parts: Record<string, string> = {};
  for (const part of Object.keys(choices.parts))
    if (typeof extra[part] === 'string') parts[part] = extra[part];
  const colors: Record<string, string> = {};
  for (const option of Object.keys(choices.colors))
    colors[option] = String(extra[option]).replace('#', '');
  return { style, seed, parts, colors };
}

/** The options that make DiceBear draw exactly this, whatever its generator would choose. */
function optionsOf(
  { style, seed, parts, colors }: AvatarSpec,
  side: number,
): Record<string, unknown> {
  const options: Record<string, unknown> = { seed, size: side, backgroundColor: [] };
  for (const part of Object.keys(styleOf(style).parts)) {
    const variant = parts[part];
    options[`${part}Probability`] = variant === undefined ? 0 : 100;
    if (variant !== undefined) options[part] = [variant];
  }
  for (const [option, hex] of Object.entries(colors)) options[option] = [hex];
  return options;
}

/** Colour options that occur in the drawing at all: each is given a colour of its own and looked for in the SVG. */
function paintedColors(dicebear: DiceBear, spec: AvatarSpec): readonly string[] {
  const names = Object.keys(spec.colors);
  const mark = (i: number) => `0a0b${(0x10 + i).toString(16)}`;
  const colors = Object.fromEntries(names.map((name, i) => [name, mark(i)]));
  const { svg } = dicebear.draw(spec.style, optionsOf({ ...spec, colors }, 64));
  return names.filter((_, i) => svg.includes(mark(i)));
}
