import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EvaluateModelOptions, evaluateModel } from '../../evaluation/evaluate-model.ts';
import { recordEvaluation, writeEvaluation } from '../../evaluation/evaluation-files.ts';
import { barsOf, formatEvaluation, numbersOf } from '../../evaluation/report.ts';
import { readModel } from '../../generators/model.ts';
import type { Picture } from '../../png.ts';
import { createRng } from '../../tensor/rng.ts';
import type { Dataset } from '../../training/data/dataset.ts';
import { writeTinyModel } from '../pipelines/tiny-model.ts';
import { paint } from './pictures.ts';

const SIZE = 32;
const vocabulary = [
  ...Array.from({ length: 6 }, (_, i) => `eyes=${i}`),
  ...Array.from({ length: 8 }, (_, i) => `hair=${i}`),
  'style=a',
  'style=b',
];

/** A drawing says its words in three bytes of its figure; `seed` varies a pixel that means nothing. */
function drawn(words: readonly number[], seed: number): Picture {
  const inside = (x: number, y: number) => x >= 12 && x < 20 && y >= 12;
  return paint(SIZE, (x, y, c) => {
    if (!inside(x, y)) return 255;
    if (y === 12) return (words[c] ?? 0) * 10;
    return y === 14 ? (seed * 37 + 11 * x + c) % 256 : 100;
  });
}
const wordsIn = ({ data }: Picture): number[] =>
  [0, 1, 2].map((c) => Math.round(data[3 * (12 * SIZE + 12) + c]! / 10));

function drawings(name: string, length: number, held = false): Dataset {
  const rng = createRng(1).stream(name);
  const rows = Array.from({ length }, (_, i) => {
    const draw = rng.stream(`${i}`);
    const style = held ? 14 : 14 + draw.integer(2);
    const hair = held ? 6 : 6 + 1 + draw.integer(7); // 'hair=0' only ever held out
    return { words: [draw.integer(6), hair, style], seed: draw.integer(1e6) };
  });
  return {
    name,
    size: SIZE,
    length,
    vocabulary,
    pixels: (i) => drawn(rows[i]!.words, rows[i]!.seed).data,
    words: (i) => rows[i]!.words,
  };
}

const accuracy = { pictures: 100, style: 1, attributes: 1, guessed: 0.2 };
const options: EvaluateModelOptions = {
  card: { id: 'toy', digest: 'ab'.repeat(32), vocabulary },
  patch: 8,
  render: async (conditions, seeds) => conditions.map((words, i) => drawn(words, seeds[i]!)),
  reader: {
    card: { id: 'exact', digest: 'cd'.repeat(32), vocabulary, accuracy },
    read: async (pictures) => pictures.map(wordsIn),
  },
  made: { solver: 'euler', steps: 25, guidance: 2, engine: 'onnx cpu', dtype: 'float16 weights' },
  seen: drawings('seen', 300),
  heldOut: { data: drawings('held', 60, true), combinations: [['style=a', 'hair=0']] },
  training: drawings('train', 500),
  samples: 200,
  heldOutSamples: 40,
};
const verdicts = (bars: ReturnType<typeof barsOf>) =>
  Object.fromEntries(bars.map(({ name, passed }) => [name, passed]));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evaluation-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('evaluateModel', () => {
  it('finds nothing wrong with a generator that draws as the drawings were made', async () => {
    const stages: string[] = [];
    const result = await evaluateModel({
      ...options,
      onProgress: ({ stage, done, of }) => done === of && stages.push(stage),
    });
    const { evaluation, seen } = result;
    expect(evaluation.style.relative.value).toBe(1);
    expect(evaluation.heldOut!.combination.relative.value).toBe(1);
    expect(evaluation.speckle.difference.value).toBe(0);
    expect(evaluation.control.chance.style).toBeCloseTo(0.5, 1);
    expect(barsOf(evaluation).filter(({ passed }) => !passed)).toEqual([]);
    expect(stages).toEqual(['draw seen', 'draw held', 'nearest training drawings']);
    expect(new Set(seen.seeds).size).toBe(200);

    await writeEvaluation(folder, result);
    const text = await readFile(join(folder, 'evaluation.txt'), 'utf8');
    expect(text).toBe(formatEvaluation(evaluation));
    for (const said of [
      '200 pictures of 32 x 32 px and 40 of held-out',
      'euler, 25 steps, guidance 2',
      'float16 weights',
      'Reader exact',
    ])
      expect(text).toContain(said);
    const json = JSON.parse(await readFile(join(folder, 'evaluation.json'), 'utf8'));
    expect(json.style).toEqual(evaluation.style);
    expect((await readFile(join(folder, 'held-out.png'))).length).toBeGreaterThan(100);
    expect(numbersOf(evaluation)).toMatchObject({
      samples: 200,
      steps: 25,
      'style relative to real': 1,
    });
  });

  it('measures the kernel distance from real drawings in the features it is given', async () => {
    const features = {
      ...{ name: 'words', width: 3 },
      read: async (pictures: readonly Picture[]) => ({
        pooled: Float32Array.from(pictures.flatMap(wordsIn)),
        maps: { data: new Float32Array(0), height: 0, width: 0, channels: 0 },
      }),
    };
    const faithful = await evaluateModel({ ...options, features });
    const deaf = await evaluateModel({
      ...{ ...options, features },
      render: async (conditions, seeds) => conditions.map((_, i) => drawn([0, 7, 14], seeds[i]!)),
    });
    // the same words on both sides: the unbiased estimate is a little below 0, never far above its error
    const { value, error, samples } = faithful.evaluation.kid!;
    expect(samples).toBe(200);
    expect(value).toBeLessThan(error);
    expect(deaf.evaluation.kid!.value).toBeGreaterThan(10 * deaf.evaluation.kid!.error);
    expect(formatEvaluation(deaf.evaluation)).toContain('kernel distance in words, x 1000');
    expect(numbersOf(deaf.evaluation)['KID in words']).toBeGreaterThan(0);
    const few = await evaluateModel({ ...options, features, samples: 19, heldOutSamples: 5 });
    expect(few.evaluation.kid).toBeUndefined();
  });

  it('follows from the weights, and from nothing else', async () => {
    const few = { ...options, samples: 20, heldOutSamples: 5 };
    const { seen, evaluation } = await evaluateModel(few);
    const again = await evaluateModel(few);
    expect(again.seen.seeds).toEqual(seen.seeds);
    expect(again.seen.conditions).toEqual(seen.conditions);
    expect(again.evaluation).toEqual(evaluation);
    const card = { ...options.card, digest: 'ba'.repeat(32) };
    const other = await evaluateModel({ ...few, card });
    expect(other.seen.seeds).not.toEqual(seen.seeds);
  });

  it('fails a generator that ignores what it is asked', async () => {
    const deaf = await evaluateModel({
      ...options,
      render: async (conditions, seeds) => conditions.map((_, i) => drawn([0, 7, 14], seeds[i]!)),
    });
    const passed = verdicts(barsOf(deaf.evaluation));
    expect(passed['style, relative to real']).toBe(false);
    expect(passed['attributes, relative to real']).toBe(false);
    expect(passed['held-out combinations, relative']).toBe(false);
    // what is found is found by chance
    const { control, attributes } = deaf.evaluation;
    expect(attributes.generated.value).toBeCloseTo(control.chance.attributes, 6);
  });

  it('fails one that copies its training drawings, shows its patches or has specks', async () => {
    const { training } = options;
    const ids = Array.from({ length: 500 }, (_, i) => i);
    const copied = await evaluateModel({
      ...options,
      render: async (conditions) =>
        conditions.map((words) => {
          const i = ids.find((id) => training!.words(id).every((w, k) => w === words[k]));
          return i === undefined
            ? drawn(words, 1)
            : { ...drawn(words, 1), data: training!.pixels(i) };
        }),
    });
    expect(verdicts(barsOf(copied.evaluation))['distance to training, median, relative']).toBe(
      false,
    );

    const draw = createRng(8);
    const rough = await evaluateModel({
      ...options,
      render: async (conditions, seeds) =>
        conditions.map((words, k) => {
          const clean = drawn(words, seeds[k]!);
          const data = clean.data.map((byte, i) => {
            const [x, y] = [Math.floor(i / 3) % SIZE, Math.floor(i / 3 / SIZE)];
            const patch = (Math.floor(x / 8) + Math.floor(y / 8)) % 2;
            return byte === 255 ? 255 - 4 * patch - draw.integer(3) : byte;
          });
          return { ...clean, data };
        }),
    });
    const passed = verdicts(barsOf(rough.evaluation));
    expect(passed['seams, relative to real']).toBe(false);
    expect(passed['speckle, above real']).toBe(false);
    expect(passed['attributes, relative to real']).toBe(true);
  });

  it('says what does not fit together', async () => {
    await expect(evaluateModel({ ...options, samples: 301 })).rejects.toThrow(
      /2 to 300 samples .*got 301/,
    );
    const seen = { ...options.seen, vocabulary: [...vocabulary].reverse() };
    await expect(evaluateModel({ ...options, seen })).rejects.toThrow(
      /vocabulary of the drawings to be the model's/,
    );
  });

  it('puts its numbers into the card and page of the model that was measured', async () => {
    const { folder: model, card } = await writeTinyModel(folder);
    const { evaluation } = await evaluateModel({ ...options, samples: 20, heldOutSamples: 5 });
    await expect(recordEvaluation(model, evaluation)).rejects.toThrow(/numbers of the weights/);
    const { id, digest } = card;
    await recordEvaluation(model, { ...evaluation, model: { id, digest } });
    expect((await readModel(model)).card).toEqual({ ...card, numbers: numbersOf(evaluation) });
    const page = await readFile(join(model, 'README.md'), 'utf8');
    expect(page).toContain('# Tiny');
    expect(page).toMatch(/\| style, relative to real \| 1\.0000 \| >= 0\.98 \| pass \|/);
    expect(page).not.toContain('## Beside');

    const other = { ...card, id: 'other', numbers: { 'attributes relative to real': 0.5 } };
    await recordEvaluation(model, { ...evaluation, model: { id, digest } }, other);
    const both = await readFile(join(model, 'README.md'), 'utf8');
    expect(both.startsWith(`${page}\n## Beside other\n`)).toBe(true);
    expect(both).toContain('| attributes found, relative to real | 1 | 0.5 |');
  });
});
