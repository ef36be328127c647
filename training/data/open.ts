/** Opens the data set that a configuration names, with pictures that are never trained on. */
import type { TrainingConfig } from '../config.ts';
import { styleNames } from './avatar-traits.ts';
import { loadAvatars, openAvatars } from './avatars.ts';
import { styleOf, vocabularyOf } from './avatars-words.ts';
import type { Dataset, Sides } from './dataset.ts';
import { openEmoji } from './emoji.ts';
import { openFolder } from './folder.ts';
import type { OwnShapes } from './own-shapes.ts';

export type DataConfig = TrainingConfig['data'] & Pick<OwnShapes, 'native'>;
export type OpenDataOptions = {
  /** Folder for drawn pictures. */
  readonly cache: string;
  readonly onProgress?: (done: number) => void;
};
export type OpenedData = {
  readonly data: Dataset;
  readonly heldOut: Dataset;
  /** Pictures that could not be read. */
  readonly skipped: readonly string[];
  /** The words that each style is drawn with, by the style's own word. */
  readonly styles: Readonly<Record<string, readonly string[]>>;
};

const AVATARS = 60_000;
const HELD_OUT = 600;
/** Of a folder, every so many-th picture is held out. */
const EVERY = 20;

export async function openData(config: DataConfig, options: OpenDataOptions): Promise<OpenedData> {
  const { size, buckets, native } = config;
  if (config.set === 'avatars') {
    const open = (split: 'train' | 'validation', count: number) =>
      openAvatars({ size, count, split, ...options });
    const heldOut = await open('validation', HELD_OUT);
    const data = await open('train', config.count ?? AVATARS);
    return { data, heldOut, skipped: [], styles: await stylesOfAvatars() };
  }
  if (config.set === 'emoji') {
    const heldOut = await openEmoji({ size, split: 'held-out-cells', ...options });
    const data = await openEmoji({ size, split: 'train', ...options });
    return { data, heldOut, skipped: [], styles: stylesOf(data) };
  }
  if (config.path === undefined)
    throw new TypeError('data.path: expected the folder of pictures, got nothing; add it');
  const all = await openFolder({
    ...{ folder: config.path, size, ...options },
    ...(buckets ? { buckets } : {}),
    ...(native ? { native } : {}),
  });
  const indices = Array.from({ length: all.length }, (_, i) => i);
  const some = indices.filter((i) => i % EVERY === EVERY - 1);
  const heldOut = some.length > 0 ? subset(all, some) : all; // of a few pictures none can be spared
  const data = subset(
    all,
    some.length > 0 ? indices.filter((i) => i % EVERY !== EVERY - 1) : indices,
  );
  return { data, heldOut, skipped: all.skipped, styles: stylesOf(data) };
}

/** The same pictures at other sides, which views of larger pictures are taken from. */
export async function openSides(
  config: DataConfig,
  sides: readonly number[],
  options: OpenDataOptions,
): Promise<Dataset[]> {
  const opened: Dataset[] = [];
  for (const size of sides) opened.push((await openData({ ...config, size }, options)).data);
  return opened;
}

export type DataDescription = {
  readonly vocabulary: readonly string[];
  readonly styles: OpenedData['styles'];
  /** Of pictures of their own shapes: the sizes that are seen, each once. */
  readonly sizes?: readonly Sides[];
};

/** The words of a data set and of its styles; avatars need not be drawn for it. */
export async function describeData(
  config: DataConfig,
  options: OpenDataOptions,
): Promise<DataDescription> {
  if (config.set === 'avatars') {
    const { vocabulary } = await loadAvatars();
    return { vocabulary, styles: await stylesOfAvatars() };
  }
  return descriptionOf(await openData(config, options));
}

export function descriptionOf({
  data,
  styles,
}: Pick<OpenedData, 'data' | 'styles'>): DataDescription {
  const { vocabulary, length, shape } = data;
  if (!shape) return { vocabulary, styles };
  const cuts = Array.from({ length }, (_, i) => shape(i).cut);
  const sizes = [...new Map(cuts.map((cut) => [cut.join('x'), cut])).values()];
  return { vocabulary, styles, sizes };
}

async function stylesOfAvatars(): Promise<OpenedData['styles']> {
  const { choices } = await loadAvatars();
  return Object.fromEntries(
    styleNames.map((name) => [`style=${styleOf(name).label}`, vocabularyOf(choices, [name])]),
  );
}

/** As they occur together in the pictures. */
function stylesOf({ length, vocabulary, words }: Dataset): OpenedData['styles'] {
  const found = new Map<number, Set<number>>();
  for (let i = 0; i < length; i++) {
    const style = words(i).find((id) => vocabulary[id]!.startsWith('style='));
    if (style === undefined) continue;
    const together = found.get(style) ?? new Set();
    found.set(style, together);
    for (const id of words(i)) together.add(id);
  }
  const text = (id: number) => vocabulary[id]!;
  return Object.fromEntries(
    [...found].map(([style, ids]) => [text(style), [...ids].map(text).sort()]),
  );
}

const subset = (data: Dataset, indices: readonly number[]): Dataset => ({
  ...data,
  length: indices.length,
  ...(data.shape ? { shape: (index: number) => data.shape!(indices[index]!) } : {}),
  pixels: (index) => data.pixels(indices[index]!),
  words: (index) => data.words(indices[index]!),
});
