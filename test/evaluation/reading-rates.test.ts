import { describe, expect, it } from 'vitest';
import { attributesOf, readingOf } from '../../evaluation/attributes.ts';
import {
  compareRates,
  permutedControl,
  ratesByAttribute,
  scoreReadings,
  shuffled,
} from '../../evaluation/reading-rates.ts';
import { createRng } from '../../tensor/rng.ts';

const vocabulary = [
  'glasses=no',
  'glasses=yes',
  ...Array.from({ length: 10 }, (_, i) => `hair=${i}`),
  ...Array.from({ length: 4 }, (_, i) => `style=${i}`),
];
const attributes = attributesOf(vocabulary);
const rng = createRng(2);
const conditions = Array.from({ length: 400 }, (_, i) => {
  const draw = rng.stream(`${i}`);
  return [draw.integer(2), 2 + draw.integer(10), 12 + draw.integer(4)];
});

describe('attributes', () => {
  it('groups words by what stands before the first equals sign', () => {
    expect(attributes.names).toEqual(['glasses', 'hair', 'style']);
    expect(attributes.style).toBe(2);
    expect(attributes.words[0]).toEqual([0, 1]);
    expect(attributes.of[12]).toBe(2);
  });

  it('reads the likeliest word of each attribute', () => {
    const logits = new Float32Array(16).fill(-1);
    for (const word of [1, 5, 14]) logits[word] = 2;
    logits[0] = 1.9; // above every other attribute's but its own best
    expect(readingOf(attributes, logits)).toEqual([1, 5, 14]);
  });
});

describe('rates', () => {
  it('counts style, attributes and whole combinations', () => {
    const [score] = scoreReadings(attributes, [[1, 5, 14]], [[1, 6, 14]], [[1, 14]]);
    expect(score).toEqual({ style: 1, found: 1, asked: 2, combination: 1 });
    const [missed] = scoreReadings(attributes, [[1, 5, 14]], [[5, 13]], [[5, 13]]);
    expect(missed).toEqual({ style: 0, found: 1, asked: 1, combination: 0 });
  });

  it('is 1 relative to real when nothing differs, and the quotient when something does', () => {
    const perfect = scoreReadings(attributes, conditions, conditions);
    const half = conditions.map((words, i) => (i % 2 === 0 ? words : [words[0]!, 99, 99]));
    const scores = scoreReadings(attributes, half, conditions);
    const { relative, generated } = compareRates(scores, perfect, 'attributes', createRng(1));
    expect(relative.value).toBe(0.75);
    expect(generated.value).toBe(0.75);
    expect(relative.low).toBeGreaterThan(0.7);
    expect(relative.high).toBeLessThan(0.8);
    expect(compareRates(perfect, perfect, 'style', createRng(1)).relative.value).toBe(1);
  });

  it('falls to chance under permuted conditions', () => {
    const control = permutedControl(attributes, conditions, conditions, createRng(4));
    const { chance } = control;
    expect(chance.style).toBeCloseTo(1 / 4, 2);
    expect(chance.attributes).toBeCloseTo((1 / 2 + 1 / 10) / 2, 2);
    expect(control.attributes.low).toBeLessThan(chance.attributes);
    expect(control.attributes.high).toBeGreaterThan(chance.attributes);
    expect(control.style.high).toBeLessThan(0.4);
  });

  it('does not fall where readings do not depend on the picture', () => {
    const constant = conditions.map(() => [0, 3, 12]);
    const same = conditions.map(() => [0, 3, 12]);
    const control = permutedControl(attributes, constant, same, createRng(4));
    expect(control.attributes.value).toBe(1);
    expect(control.chance.attributes).toBeCloseTo(1, 12); // and chance says so
  });

  it('shuffles without loss', () => {
    const order = shuffled(50, createRng(9));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('gives each attribute its own rates', () => {
    const readings = conditions.map(([, hair, style]) => [0, hair!, style!]);
    const rates = ratesByAttribute(attributes, readings, conditions, conditions);
    const without = conditions.filter(([glasses]) => glasses === 0).length;
    expect(rates.glasses).toEqual({ asked: 400, generated: without / 400, real: 1 });
    expect(rates.hair!.generated).toBe(1);
  });
});
