import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from '../../tensor/nearest.ts';

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['heun', 'huen', 1],
    ['ca', 'abc', 3], // 2 without the restriction that no part is edited twice
    ['dpmpp-2m', 'dpm++-2m', 2],
  ])('%j to %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test('is symmetric, zero for equals only, and at most the longer length', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('nearest', () => {
  const names = ['euler', 'heun', 'dpmpp-2m', 'ddim', 'ddpm'];

  test('lists near names, nearest first, ties as given', () => {
    expect(nearest('huen', names)).toEqual(['heun']);
    expect(nearest('DPMPP_2M', names)).toEqual(['dpmpp-2m']);
    expect(nearest('ddm', names)).toEqual(['ddim', 'ddpm']);
    expect(nearest('ddm', names, { count: 1 })).toEqual(['ddim']);
  });

  test('says nothing when nothing is near, and is quick on a long name', () => {
    expect(nearest('photograph', names)).toEqual([]);
    expect(nearest('x'.repeat(1_000_000), names)).toEqual([]);
  });
});
