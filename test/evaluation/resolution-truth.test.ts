/** Held-out combinations and training drawings at every size, with painters that compose, guess, or copy. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resizedPicture } from '../../encoders/features/resize-pixels.ts';
import { attributesOf } from '../../evaluation/attributes.ts';
import { combinationIn, combinationLike, wordIds } from '../../evaluation/combinations.ts';
import { indexTraining } from '../../evaluation/memorisation.ts';
import { openComparedAvatars } from '../../evaluation/resolution/avatars.ts';
import type { ReaderLike } from '../../evaluation/resolution/reading.ts';
import type { Drawings } from '../../evaluation/resolution/reference.ts';
import { csvOf, formatReport, reportOf } from '../../evaluation/resolution/report.ts';
import { writeReport } from '../../evaluation/resolution/report-files.ts';
import {
  measureResolution,
  type RenderCell,
  type ResolutionOptions,
} from '../../evaluation/resolution/run.ts';
import type { DiTCard } from '../../generators/model.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';
import { tinyCard } from '../pipelines/tiny-model.ts';
import { drawnShape, pixelFeatures as network } from './toy-comparison.ts';

type Words = readonly number[];
const VOCABULARY = ['color=blue', 'color=green', 'color=red', 'style=disc', 'style=square'];
const attributes = attributesOf(VOCABULARY);
const COMBINATIONS = [
  ['style=disc', 'color=red'],
  ['style=square', 'color=green'],
];
const HELD_OUT: readonly Words[] = [
  [2, 3],
  [1, 4],
];
const SEEN: readonly Words[] = [
  [0, 3],
  [2, 4],
  [1, 3],
  [0, 4],
];
const [trained, smaller, larger, tall] = [
  { width: 32, height: 32 },
  { width: 24, height: 24 },
  { width: 48, height: 48 },
  { width: 32, height: 48 },
];

/** With smooth edges, so that a drawing at another size is the same drawing: nine times the pixels, brought down. */
function drawn(words: Words, seed: number, size: Size): Picture {
  const name = JSON.stringify([words, seed, size]);
  const channel = [2, 1, 0].find((_, word) => words.includes(word))!;
  const fine = { width: 3 * size.width, height: 3 * size.height };
  const picture =
    made.get(name) ??
    resizedPicture(
      drawnShape({ disc: words.includes(3), channel }, { seed, size: fine }),
      size.height,
      size.width,
    );
  made.set(name, picture);
  return picture;
}
const made = new Map<string, Picture>();

function drawingsOf(kinds: readonly Words[], count: number, name: string): Drawings {
  const words = (i: number) => kinds[i % kinds.length]!;
  const some = (size: Size, wanted: number) =>
    Array.from({ length: wanted }, (_, i) => drawn(words(i), 1000 + i, size));
  return {
    ...{ name, vocabulary: VOCABULARY, count, words },
    at: async (size) => some(size, count),
    few: async (size, wanted) => some(size, wanted),
    unmade: async () => 0,
  };
}

/** Reads the colour of the middle; a square fills more of the picture than a disc. */
const reader: ReaderLike = {
  card: {
    ...{ id: 'toy-32', digest: 'b'.repeat(64), vocabulary: VOCABULARY, network: { size: 32 } },
    accuracy: { pictures: 1, style: 1, attributes: 1, guessed: 0.5 },
  },
  read: async (pictures) =>
    pictures.map(({ data, width, height }) => {
      const at = 3 * ((height >> 1) * width + (width >> 1));
      const channel = [0, 1, 2].reduce((most, c) => (data[at + c]! > data[at + most]! ? c : most));
      let filled = 0;
      for (let i = 0; i < data.length; i += 3)
        filled += Number(Math.min(data[i]!, data[i + 1]!, data[i + 2]!) < 190) / (width * height);
      return [2 - channel, filled < 0.32 ? 3 : 4];
    }),
};

/** What a painter was trained on: drawings of the seen kinds, with seeds of their own. */
const TRAINED = 20;
const trainedSeed = (i: number) => 50_000 + i;
const training = () =>
  indexTraining(
    {
      ...{ name: 'toys', size: trained.width, length: TRAINED },
      pixels: (i) => drawn(SEEN[i % 4]!, trainedSeed(i), trained).data,
      words: (i) => SEEN[i % 4]!,
    },
    attributes,
  );

type Paint = (words: Words, seed: number, size: Size) => Picture;
/** Draws what it is asked for. */
const composes: Paint = drawn;
/** Draws a held-out combination, but not always the one that is asked for. */
const guesses: Paint = (words, seed, size) =>
  drawn(isHeldOut(words) ? HELD_OUT[seed % 2]! : words, seed, size);
/** Knows the shape and the colours that it saw it in. */
const recalls: Paint = (words, seed, size) =>
  drawn(isHeldOut(words) ? [0, words[1]!] : words, seed, size);
/** Draws a drawing that it was trained on, at the size that is asked for. */
const copies: Paint = (words, seed, size) => {
  const kind = SEEN.findIndex((seen) => String(seen) === String(words));
  return drawn(words, kind < 0 ? seed : trainedSeed(4 * (seed % (TRAINED / 4)) + kind), size);
};
const isHeldOut = (words: Words) => HELD_OUT.some((all) => String(all) === String(words));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'truth-'));
});
afterAll(() => rm(folder, { recursive: true }));

const SAMPLES = 24;
const card: DiTCard = {
  ...tinyCard({ vocabulary: VOCABULARY, positions: { rotate: 'axial' }, trained }),
  digest: 'a'.repeat(64),
};
let asked: { size: string; words: readonly Words[] }[] = [];
function optionsFor(paint: Paint, out: string): ResolutionOptions {
  const render: RenderCell = async ({ cell: { size }, conditions, seeds, steps }) => {
    if (steps === undefined) asked.push({ size: `${size.width}`, words: conditions });
    return { pictures: conditions.map((words, i) => paint(words, seeds[i]!, size)), seconds: 1 };
  };
  return {
    models: [{ name: 'tiny', trainings: [card] }],
    ...{ sizes: [trained], extend: [{ name: 'none' }], seeds: 1, samples: SAMPLES },
    ...{ render, network, readers: [reader], out: join(folder, out), now: () => 0 },
    drawings: drawingsOf(SEEN, 2 * SAMPLES, 'seen'),
    drawing: () => ({
      ...{ solver: 'euler', steps: 10, guidance: 2, shift: 1 },
      ...{ engine: 'onnx cpu', dtype: 'float32' },
    }),
  };
}
const unseen = { drawings: drawingsOf(HELD_OUT, 20, 'held out'), combinations: COMBINATIONS };
const about = { network, reference: 'shapes' };

describe('combinations', () => {
  const combinations = wordIds(COMBINATIONS, VOCABULARY);

  it('are found among words, and their attributes in words that show none', () => {
    expect(combinations).toEqual([
      [3, 2],
      [4, 1],
    ]);
    expect(combinationIn([2, 3], combinations)).toEqual([3, 2]);
    expect(combinationIn([1, 3], combinations)).toBeUndefined();
    const like = (words: Words) =>
      combinationLike(words, { attributes, combinations }, createRng(1));
    expect(like([0, 3])).toEqual([0, 3]);
    expect(like([3])).toBeUndefined(); // it has no colour
  });

  it('are picked in turn where a style has several', () => {
    const several = attributesOf(['color=red', 'hat=yes', 'style=cat', 'tail=long', 'tail=short']);
    const two = {
      attributes: several,
      combinations: [
        [2, 0, 1],
        [2, 3],
      ],
    };
    const words = [0, 1, 2, 4];
    const rng = createRng(3);
    const found = Array.from({ length: 40 }, (_, i) =>
      String(combinationLike(words, two, rng.stream(`${i}`))),
    );
    expect(new Set(found)).toEqual(new Set(['0,1,2', '2,4']));
  });
});

describe('held-out combinations', () => {
  const ratesOf = async (paint: Paint, out: string) => {
    const sizes = [trained, larger, tall];
    const { cells } = await measureResolution({ ...optionsFor(paint, out), sizes, unseen });
    return cells.map(({ numbers }) => numbers.heldOut!);
  };

  it('are found in pictures of a painter that composes, at every size', async () => {
    for (const { samples, combination, seen } of await ratesOf(composes, 'composes')) {
      expect([samples, seen!.samples]).toEqual([20, SAMPLES]);
      expect([combination.relative.value, combination.real.value]).toEqual([1, 1]);
      expect(seen!.combination.relative.value).toBe(1);
    }
  });

  it('are not in those of one that recalls what it saw; of one that guesses, as chance has it', async () => {
    for (const { combination, seen } of await ratesOf(recalls, 'recalls')) {
      expect(combination.relative).toEqual({ value: 0, low: 0, high: 0 });
      expect(seen!.combination.relative.value).toBe(1);
    }
    for (const { combination } of await ratesOf(guesses, 'guesses')) {
      expect(combination.relative.low).toBeLessThan(0.5);
      expect(combination.relative.high).toBeGreaterThan(0.5);
      expect(combination.relative.high).toBeLessThan(1);
    }
  });

  it('are drawn where they are missing, in pictures that are kept', async () => {
    const options = optionsFor(composes, 'kept');
    await measureResolution(options);
    asked = [];
    const first = await measureResolution({ ...options, unseen });
    expect(asked).toHaveLength(1);
    expect(asked[0]!.words).toHaveLength(20);
    expect(asked[0]!.words.every(isHeldOut)).toBe(true);
    const again = await measureResolution({ ...options, unseen });
    expect(asked).toHaveLength(1);
    expect(again.cells[0]!.numbers).toEqual(first.cells[0]!.numbers);
  });

  it('refuse drawings that show none', async () => {
    const wrong = { ...unseen, drawings: drawingsOf(SEEN, 8, 'seen ones') };
    const options = optionsFor(composes, 'refused');
    await expect(measureResolution({ ...options, unseen: wrong })).rejects.toThrow(
      'expected held-out drawings of combinations that were kept out of training, got drawing 0 of seen ones, which shows none',
    );
  });
});

describe('avatars', () => {
  it('refuse a reference of fewer drawings than samples before one is drawn', async () => {
    const cache = join(folder, 'cache');
    const few = { sizes: [trained], models: [], samples: 8, reference: 4, cache };
    await expect(openComparedAvatars(few)).rejects.toThrow(
      'expected a reference of at least 8 drawings, as many as samples, got 4',
    );
    expect(existsSync(cache)).toBe(false);
  });
});

describe('training drawings', () => {
  const measure = async (paint: Paint, out: string) => {
    const options = { ...optionsFor(paint, out), training: [training()] };
    const sizes = [trained, smaller, larger, tall];
    return measureResolution({ ...options, sizes, unseen });
  };

  it('are as far from pictures of other seeds as real drawings are, and near copies at every size', async () => {
    const [own, copied] = [await measure(composes, 'own'), await measure(copies, 'copies')];
    for (const { numbers } of own.cells) {
      const { drawings, averaged } = numbers.memorisation!;
      expect(drawings).toBe(TRAINED);
      const { low, high } = averaged.relative.median;
      expect(low).toBeLessThan(1);
      expect(high).toBeGreaterThan(1);
    }
    const [same, ...others] = copied.cells.map(({ numbers }) => numbers.memorisation!);
    expect(same!.full.relative.low).toEqual({ value: 0, low: 0, high: 0 });
    expect(same!.averaged.relative.median.value).toBe(0);
    for (const { averaged } of others) {
      expect(averaged.relative.median.high).toBeLessThan(1);
      expect(averaged.relative.median.value).toBeLessThan(0.5);
    }
  });

  it('and held-out combinations are in the page, the table, the text and the numbers', async () => {
    const resolution = await measure(copies, 'copies');
    const report = reportOf(resolution, about, createRng(1));
    const [row] = report.rows;
    expect(row!.numbers).toMatchObject({ copies: { value: 0 }, heldOut: { value: 1, real: 1 } });
    const text = formatReport(report);
    expect(text).toContain('Held-out combinations: 20 further pictures a cell');
    expect(text).toContain(`Seen combinations: the ${SAMPLES} other pictures`);
    expect(text).toContain(`among ${TRAINED} of training`);
    expect(text).toContain(
      '32x32: tiny, none, relative to real: held-out combinations 1 [1, 1]; seen ones 1 [1, 1]; nearest training drawing 0 [0, 0]; its 5 % quantile 0 [0, 0]',
    );
    const [head, first] = csvOf(report)
      .split('\n')
      .map((line) => line.split(','));
    const at = (name: string) => first![head!.indexOf(name)];
    expect([at('heldOut'), at('seenAlike'), at('nearest'), at('copies')]).toEqual([
      ...['1', '1', '0', '0'],
    ]);
    const { out } = optionsFor(copies, 'copies');
    await writeReport(out, resolution, report);
    const page = await readFile(join(out, 'report.html'), 'utf8');
    expect(page).toContain('nearest training drawing, relative to real');
    expect(page).toContain('held-out combinations, relative to real');
    expect(page.replaceAll(/base64,[^"]+/g, '')).not.toMatch(/NaN|undefined|Infinity/);
  });
});
