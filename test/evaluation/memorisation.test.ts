import { describe, expect, it } from 'vitest';
import { compareNearness, nearestDrawings } from '../../evaluation/memorisation.ts';
import type { Picture } from '../../png.ts';
import { createRng } from '../../tensor/rng.ts';
import { paint } from './pictures.ts';

const noise = (name: string): Picture => {
  const rng = createRng(5).stream(name);
  const flat = rng.integer(200);
  return paint(64, () => flat + rng.integer(50));
};
const drawings = Array.from({ length: 40 }, (_, i) => noise(`drawing/${i}`));

/** The definition, without bounds or early ends. */
const exact = (a: Picture, b: Picture): number => {
  let sum = 0;
  for (const [i, value] of a.data.entries()) sum += ((value - b.data[i]!) / 255) ** 2;
  return Math.sqrt(sum / a.data.length);
};

describe('memorisation', () => {
  it('finds a copied drawing at distance 0', () => {
    const [copy] = nearestDrawings([drawings[17]!], drawings);
    expect(copy).toEqual({ full: 0, averaged: 0, index: 17 });
  });

  it('finds the same nearest drawing as a search over all', () => {
    const queries = Array.from({ length: 10 }, (_, i) => noise(`query/${i}`));
    for (const [i, found] of nearestDrawings(queries, drawings).entries()) {
      const all = drawings.map((drawing) => exact(queries[i]!, drawing));
      expect(found.full).toBeCloseTo(Math.min(...all), 6);
      expect(found.index).toBe(all.indexOf(Math.min(...all)));
      expect(found.averaged).toBeLessThanOrEqual(found.full);
    }
  });

  it('sees through fine noise once averaged', () => {
    const sign = (x: number, y: number) => ((x + y) % 2 === 0 ? 20 : -20);
    const plain = paint(64, () => 120);
    const checked = paint(64, (x, y) => 120 + sign(x, y));
    const [found] = nearestDrawings([checked], [plain]);
    expect(found!.full).toBeCloseTo(20 / 255, 6);
    expect(found!.averaged).toBeCloseTo(0, 6);
  });

  it('reports copies as nearer than held-out drawings', () => {
    const far = Array.from({ length: 50 }, (_, i) => 0.1 + i / 1000);
    const same = compareNearness(far, far, createRng(1));
    expect(same.relative.median).toEqual({ value: 1, low: 1, high: 1 });
    const copies = far.map((value, i) => (i % 5 === 0 ? 0 : value));
    const { relative } = compareNearness(copies, far, createRng(1));
    expect(relative.low.value).toBe(0);
    expect(relative.low.high).toBeLessThan(1);
  });

  it('asks for drawings', () => {
    expect(() => nearestDrawings([drawings[0]!], [])).toThrow(/expected training drawings/);
  });
});
