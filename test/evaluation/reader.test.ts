import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attributesOf } from '../../evaluation/attributes.ts';
import { initReader, readingLoss, shapesOfReader } from '../../evaluation/reader.ts';
import {
  createReader,
  loadReader,
  picturesOf,
  readerAccuracy,
  saveReader,
} from '../../evaluation/reader-files.ts';
import { readReaderConfiguration } from '../../evaluation/reader-run.ts';
import { type ReaderTraining, trainReader } from '../../evaluation/reader-training.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { tf } from '../../tensor/tf.ts';
import type { Dataset } from '../../training/data/dataset.ts';
import { paint } from './pictures.ts';

const network = {
  size: 16,
  stem: 8,
  width: 16,
  depth: 1,
  tokenHidden: 16,
  hidden: 32,
  summary: 4,
  head: 32,
} as const;
const training: ReaderTraining = {
  network,
  seed: 1,
  batch: 32,
  steps: 120,
  warmup: 10,
  rates: { muon: 0.02, adamw: 0.005 },
  noise: 0.05,
  shift: 1,
};
const vocabulary = [
  'bar=high',
  'bar=low',
  'color=blue',
  'color=green',
  'color=red',
  'style=bar',
  'style=flat',
];

/** A colour, and in one of two styles a bar at one of two heights: the bar's attribute applies to one style only. */
function drawings(seed: number, length: number): Dataset {
  const rng = createRng(seed);
  const rows = Array.from({ length }, (_, i) => {
    const draw = rng.stream(`${i}`);
    const [color, bar, style] = [draw.integer(3), draw.integer(2), draw.integer(2)];
    const level = 60 + draw.integer(120);
    const inBar = (y: number) => style === 0 && Math.floor(y / 3) === (bar === 0 ? 1 : 3);
    const picture = paint(16, (_x, y, c) => (inBar(y) ? 0 : c === 2 - color ? 255 : level));
    return { pixels: picture.data, words: [...(style === 0 ? [bar] : []), 2 + color, 5 + style] };
  });
  return {
    name: 'bars',
    size: 16,
    length,
    vocabulary,
    pixels: (i) => rows[i]!.pixels,
    words: (i) => rows[i]!.words,
  };
}

const engine = createEngine({ threads: 1 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reader-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the loss', () => {
  it('is the cross-entropy of the attributes that apply', () => {
    const attributes = attributesOf(vocabulary);
    const row = [1, -1, 0.5, 0, 2, 3, -2];
    const truth = [0, 0, 0, 0, 1, 0, 1]; // no bar: its logits must not matter
    const among = (target: number, group: number[]) =>
      Math.log(group.reduce((sum, logit) => sum + Math.exp(logit), 0)) - target;
    const expected = (among(2, [0.5, 0, 2]) + among(-2, [3, -2])) / 2;
    const loss = (logits: number[]) =>
      tf.tidy(
        () => readingLoss(attributes, tf.tensor2d([logits]), tf.tensor2d([truth])).dataSync()[0]!,
      );
    expect(loss(row)).toBeCloseTo(expected, 5);
    expect(loss([9, 9, ...row.slice(2)])).toBeCloseTo(expected, 5);
    expect(loss([...row.slice(0, 4), 5, ...row.slice(5)])).toBeLessThan(expected);
  });

  it('starts at chance: as unsure as the number of values', async () => {
    const data = drawings(1, 64);
    let first = 0;
    await trainReader(
      { ...training, steps: 1 },
      {
        engine,
        data,
        onStep: ({ loss }) => {
          first = loss;
        },
      },
    );
    // at most log 3 for colours and log 2 for the others; the new network is not exactly even
    expect(first).toBeGreaterThan(0.5);
    expect(first).toBeLessThan(1.3);
  });
});

describe('a reader', () => {
  it('learns what drawings show, is saved and read again', async () => {
    const { weights } = await trainReader(training, { engine, data: drawings(1, 600) });
    const unseen = drawings(2, 200);
    const card = {
      version: 1,
      id: 'bars',
      network,
      vocabulary,
      data: 'bars',
      licence: 'CC0-1.0',
    } as const;
    const reader = await createReader(engine, card, weights);
    const accuracy = await readerAccuracy(reader.read, unseen);
    expect(accuracy.style).toBeGreaterThan(0.97);
    expect(accuracy.attributes).toBeGreaterThan(0.97);
    expect(accuracy.guessed).toBeLessThan(0.6); // what it would be without looking
    const before = await reader.read(picturesOf(unseen, [0, 1, 2, 3, 4]));
    await reader.dispose();

    const saved = await saveReader(folder, { ...card, accuracy }, weights);
    const loaded = await loadReader(engine, folder);
    expect(loaded.card).toEqual(saved);
    // half precision may turn a tie only
    expect(await loaded.read(picturesOf(unseen, [0, 1, 2, 3, 4]))).toEqual(before);
    await expect(loaded.read([paint(32, () => 0)])).rejects.toThrow(/16 x 16 pixels, got 32 x 32/);
    await loaded.dispose();
    expect(engine.open).toBe(0);

    await writeFile(
      join(folder, 'reader.safetensors'),
      (await readFile(join(folder, 'reader.safetensors'))).subarray(1),
    );
    await expect(loadReader(engine, folder)).rejects.toThrow(/changed or damaged/);
    await expect(loadReader(engine, join(folder, 'none'))).rejects.toThrow(/reader.json/);
  });

  it('continues a stopped run bit for bit', async () => {
    const data = drawings(1, 100);
    const short = { ...training, steps: 6 };
    const whole = await trainReader(short, { engine, data });
    const stop = new AbortController();
    const run = { engine, data, folder: join(folder, 'run'), checkpoint: 3 };
    const part = await trainReader(short, {
      ...run,
      signal: stop.signal,
      onStep: ({ step }) => step === 4 && stop.abort(),
    });
    expect(part.step).toBe(4);
    const continued = await trainReader(short, run);
    expect(continued.step).toBe(6);
    expect(continued.weights).toEqual(whole.weights);
  });

  it.each([
    ['reader-avatars', 64],
    ['reader-avatars-32', 32],
    ['reader-avatars-48', 48],
    ['reader-avatars-96', 96],
    ['reader-avatars-128', 128],
  ])('of %s stays below three million numbers and six megabytes', async (name, size) => {
    const url = new URL(`../../evaluation/configs/${name}.json`, import.meta.url);
    const config = await readReaderConfiguration(fileURLToPath(url));
    expect([config.id, config.data.size]).toEqual([`reader-avatars-${size}`, size]);
    const shapes = Object.values(shapesOfReader(config.training.network, 1198));
    const numbers = shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(numbers).toBeLessThan(3e6);
    expect(2 * numbers).toBeLessThan(6e6);
    expect(Object.keys(initReader(network, 7, createRng(1)))).toEqual(
      Object.keys(shapesOfReader(network, 7)),
    );
  });
});
