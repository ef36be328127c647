import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, compileLoop, createArena, div, mul, sqrt, sub } from '../../tensor/simd.ts';

const loop = compileLoop(['a', 'b'], ['s', 't'], ({ load, scalar, keep, store }) => {
  const product = keep(mul(load('a'), scalar('s')));
  const root = keep(sqrt(add(mul(product, product), scalar('t'))));
  store('a', sub(product, load('b')));
  store('b', div(product, root));
});

describe('a compiled loop', () => {
  test('is the arithmetic of Math.fround at every place, for any length', () => {
    const values = fc.float({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(values, values), { maxLength: 70 }), (pairs) => {
        const arena = createArena([pairs.length, 3, pairs.length]);
        const a = arena.array(pairs.length);
        const between = arena.array(3).fill(7);
        const b = arena.array(pairs.length);
        for (const [i, pair] of pairs.entries()) [a[i], b[i]] = pair;
        loop(arena, { a, b }, { s: 1.5, t: 0.25 });
        const f = Math.fround;
        for (const [i, [x, y]] of pairs.entries()) {
          const product = f(x * 1.5);
          const root = f(Math.sqrt(f(f(product * product) + 0.25)));
          expect(a[i]).toBe(f(product - y));
          expect(b[i]).toBe(f(product / root));
        }
        expect([...between]).toEqual([7, 7, 7]); // neighbours are not touched
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  test('serves several arenas', () => {
    for (const scale of [2, 3]) {
      const arena = createArena([5, 5]);
      const [a, b] = [arena.array(5).fill(1), arena.array(5)];
      loop(arena, { a, b }, { s: scale, t: 0 });
      expect([...a]).toEqual(Array(5).fill(scale));
    }
  });

  test('refuses arrays of elsewhere and of another length', () => {
    const arena = createArena([4, 4, 5]);
    const [a, b, longer] = [arena.array(4), arena.array(4), arena.array(5)];
    expect(() => loop(arena, { a, b: new Float32Array(4) }, { s: 1, t: 0 })).toThrow(
      /of the arena/,
    );
    expect(() => loop(arena, { a, b: longer }, { s: 1, t: 0 })).toThrow(/as 4 numbers/);
    expect(() => arena.array(1)).toThrow(/in all/);
    expect(() => loop(arena, { a, b }, { s: 1, t: 0 })).not.toThrow();
  });

  test('an arena above 4 GiB says what to do', () => {
    expect(() => createArena([2 ** 30, 1])).toThrow(/at most 4 GiB .* GPU/);
  });
});
