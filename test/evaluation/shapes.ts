/** Red and blue discs and squares in place of avatars, and a reader of them: what tests of the comparison over sizes draw. */
import type { ReaderLike } from '../../evaluation/resolution/reading.ts';
import type { Drawings } from '../../evaluation/resolution/reference.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { drawnShape } from './toy-comparison.ts';

export const VOCABULARY = ['color=blue', 'color=red', 'style=disc', 'style=square'];

/** A disc or a square, red or blue, of a place and shade that `seed` decides; `off` spoils it. */
export const drawn = (words: readonly number[], seed: number, size: Size, off = 0): Picture =>
  drawnShape({ disc: words.includes(2), channel: words.includes(1) ? 0 : 2 }, { seed, size, off });
const wordsOf = (i: number) => [i % 2, 2 + (Math.floor(i / 2) % 2)];
export const firstOf = (size: Size, count: number) =>
  Array.from({ length: count }, (_, i) => drawn(wordsOf(i), 1000 + i, size));
export const drawings: Drawings = {
  name: 'shapes',
  vocabulary: VOCABULARY,
  count: 60,
  words: wordsOf,
  at: async (size) => firstOf(size, 60),
  few: async (size, count) => firstOf(size, count),
  unmade: async () => 0,
};

/** Reads the colour of the middle, and calls everything a disc. */
export const reader: ReaderLike = {
  card: {
    ...{ id: 'toy-16', digest: 'b'.repeat(64), vocabulary: VOCABULARY, network: { size: 16 } },
    accuracy: { pictures: 1, style: 0.5, attributes: 1, guessed: 0.5 },
  },
  read: async (pictures) =>
    pictures.map(({ data, width, height }) => {
      const at = 3 * (Math.floor(height / 2) * width + Math.floor(width / 2));
      return [data[at]! > data[at + 2]! ? 1 : 0, 2];
    }),
};
