import { describe, expect, it } from 'vitest';
import { attributesOf } from '../../evaluation/attributes.ts';
import { compareNearness, indexTraining } from '../../evaluation/memorisation.ts';
import type { Picture } from '../../png.ts';
import { createRng } from '../../tensor/rng.ts';
import { paint } from './pictures.ts';

const noise = (name: string): Picture => {
  const rng = createRng(5).stream(name);
  const flat = rng.integer(200);
  return paint(64, () => flat + rng.integer(50));
};
const drawings = Array.from({ length: 40 }, (_, i) => noise(`drawing/${i}`));

/** What is nearest to each picture among pictures of two styles in turn; all are asked for in the first. */
function nearestDrawings(queries: readonly Picture[], drawings: readonly Picture[]) {
  const attributes = attributesOf(['style=a', 'style=b']);
  const index = indexTraining(
    {
      ...{ name: 'noise', size: 64, length: 2 * drawings.length },
      pixels: (i) => (i % 2 === 0 ? drawings[i / 2]! : queries[0]!).data,
      words: (i) => [i % 2],
    },
    attributes,
  );
  return queries.map((query) => index.nearest(query, [0]));
}

type Pixels = { readonly data: ArrayLike<number> };
/** The definition, without bounds or early ends. */
const exact = (a: Pixels, b: Pixels): number => {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += ((a.data[i]! - b.data[i]!) / 255) ** 2;
  return Math.sqrt(sum / a.data.length);
};

/** Means of 2 x 2 pixels. */
const blocksOf = ({ data }: Picture) => ({
  data: Array.from({ length: 32 * 32 * 3 }, (_, k) => {
    const [y, x, c] = [Math.floor(k / 96), Math.floor(k / 3) % 32, k % 3];
    const at = (dy: number, dx: number) => data[3 * ((2 * y + dy) * 64 + 2 * x + dx) + c]!;
    return (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4;
  }),
});

describe('memorisation', () => {
  it('finds a copied drawing at distance 0', () => {
    const [copy] = nearestDrawings([drawings[17]!], drawings);
    expect(copy).toEqual({ full: 0, averaged: 0, index: 34 });
  });

  it('finds the same nearest drawing as a search over all', () => {
    const queries = Array.from({ length: 10 }, (_, i) => noise(`query/${i}`));
    for (const [i, found] of nearestDrawings(queries, drawings).entries()) {
      const all = drawings.map((drawing) => exact(queries[i]!, drawing));
      expect(found.full).toBeCloseTo(Math.min(...all), 6);
      expect(found.index).toBe(2 * all.indexOf(Math.min(...all)));
      const blocks = drawings.map((drawing) => exact(blocksOf(queries[i]!), blocksOf(drawing)));
      expect(found.averaged).toBeCloseTo(Math.min(...blocks), 6);
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
