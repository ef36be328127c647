import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRng, philox4x32 } from '../../tensor/rng.ts';

const hex = (words: Iterable<number>) =>
  [...words].map((word) => word.toString(16).padStart(8, '0')).join(' ');

/** Philox 4x32-10 once more, with 64-bit integers, as the paper writes it. */
function philoxOfPaper(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0;
    const b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & mask, (a >> 32n) ^ c3 ^ k1, a & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** Largest distance between the empirical law of `values` and `law`, times sqrt(n) (Kolmogorov-Smirnov). */
function kolmogorov(values: Float32Array, law: (x: number) => number): number {
  const sorted = Float32Array.from(values).sort();
  const n = sorted.length;
  let worst = 0;
  sorted.forEach((x, i) => {
    worst = Math.max(worst, law(x) - i / n, (i + 1) / n - law(x));
  });
  return worst * Math.sqrt(n);
}

/** Normal law by Simpson's rule: the error is far below the distances compared here. */
function normalLaw(x: number): number {
  const steps = 400;
  const h = x / steps;
  const density = (u: number) => Math.exp((-u * u) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += (i % 2 ? 4 : 2) * density(i * h);
  return 0.5 + (sum * h) / 3;
}

/** Made by these definitions; `noise` and `step` were checked against a Python version written from the same text. */
const GOLDEN = {
  word: 4099963437,
  uniform: 0.7501522162122828,
  normal: -1.848791035482882,
  integer: 931,
  noise: [1.2430003881454468, -0.25730106234550476, 0.38385623693466187, 1.1280473470687866],
  step: 3802235218,
};

/** P(distance > 1.95) is about 1e-3 under the null law. */
const CRITICAL = 1.95;

function correlation(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum / a.length;
}

describe('philox4x32', () => {
  const ones = 0xffffffff;
  // Random123, tests/kat_vectors, the three lines of philox4x32 10.
  test.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[ones, ones, ones, ones], [ones, ones], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('gives the published answer for counter %j, key %j', (counter, key, answer) => {
    const out = new Uint32Array(4);
    philox4x32(counter, key, out);
    expect(hex(out)).toBe(answer);
  });

  test('agrees with 64-bit integer arithmetic everywhere', () => {
    const word = fc.oneof(
      fc.integer({ min: 0, max: ones }),
      fc.constantFrom(0, 0xffff, 0x10000, ones),
    );
    const words = (n: number) => fc.array(word, { minLength: n, maxLength: n });
    fc.assert(
      fc.property(words(4), words(2), (counter, key) => {
        const out = new Uint32Array(4);
        philox4x32(counter, key, out);
        expect([...out]).toEqual(philoxOfPaper(counter, key));
      }),
      { numRuns: 200 },
    );
  });
});

describe('createRng', () => {
  test('walks the counter under the seed as key', () => {
    const seed = 0x123456789abcdef0n;
    const rng = createRng(seed);
    const drawn = Array.from({ length: 12 }, rng.uint32);
    const blocks = [0, 1, 2].flatMap((n) => philoxOfPaper([n, 0, 0, 0], [0x9abcdef0, 0x12345678]));
    expect(drawn).toEqual(blocks);
  });

  test('golden values: recipes of older versions must stay valid', () => {
    const rng = createRng(7);
    expect(rng.uint32()).toBe(GOLDEN.word);
    expect(rng.uniform()).toBe(GOLDEN.uniform);
    expect(rng.normal()).toBeCloseTo(GOLDEN.normal, 14);
    expect(rng.integer(1000)).toBe(GOLDEN.integer);
    expect([...createRng(7).stream('noise').normals(4)]).toEqual(GOLDEN.noise);
    expect(createRng(7).stream('step/3').uint32()).toBe(GOLDEN.step);
  });

  test('every bit of the seed counts', () => {
    const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 2n ** 63n, 2n ** 64n - 1n];
    const first = (name?: string) =>
      seeds.map((seed) => (name ? createRng(seed).stream(name) : createRng(seed)).uint32());
    expect(new Set(first()).size).toBe(seeds.length);
    expect(new Set(first('noise')).size).toBe(seeds.length);
    expect(createRng(5n).stream('a').uint32()).toBe(createRng(5).stream('a').uint32());
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN, -1n, 2n ** 64n])('refuses seed %s', (seed) => {
    expect(() => createRng(seed)).toThrow(/^seed: expected an integer .* got/);
  });
});

describe('normals', () => {
  test('are the values of normal(), however they are asked for', () => {
    const one = createRng(3);
    const expected = Float32Array.from({ length: 5003 }, one.normal);
    const other = createRng(3);
    const parts = [1, 2, 0, 7, 2048, 4, 2941].flatMap((n) => [...other.normals(n)]);
    expect(parts).toEqual([...expected]);
    expect(other.normal()).toBe(one.normal());
  });

  test('continue after a word was drawn', () => {
    const [a, b] = [createRng(4), createRng(4)];
    a.uint32();
    b.uint32();
    expect([...a.normals(9)]).toEqual(Array.from({ length: 9 }, () => Math.fround(b.normal())));
  });

  test('have the moments of a standard normal', () => {
    const n = 400_000;
    const x = createRng(11).normals(n);
    const moment = (p: number) => x.reduce((sum, v) => sum + v ** p, 0) / n;
    // Five standard errors: var(x^p) is 1, 2, 15, 96 for p = 1 ... 4.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });

  test('follow the normal law; a scale of 1.06 would be seen', () => {
    const x = createRng(12).normals(40_000);
    expect(kolmogorov(x, normalLaw)).toBeLessThan(CRITICAL);
    expect(
      kolmogorov(
        x.map((v) => v * 1.06),
        normalLaw,
      ),
    ).toBeGreaterThan(CRITICAL);
  });
});

describe('uniform and integer', () => {
  test('uniform is uniform; a power of 1.05 is not', () => {
    const rng = createRng(13);
    const x = Float32Array.from({ length: 20_000 }, rng.uniform);
    expect(kolmogorov(x, (u) => u)).toBeLessThan(CRITICAL);
    expect(
      kolmogorov(
        x.map((u) => u ** 1.05),
        (u) => u,
      ),
    ).toBeGreaterThan(CRITICAL);
  });

  test('integer is free of modulo bias', () => {
    const rng = createRng(14);
    const below = 3 * 2 ** 30; // a remainder would hit the first third twice as often
    let first = 0;
    for (let i = 0; i < 30_000; i++) if (rng.integer(below) < 2 ** 30) first++;
    expect(Math.abs(first - 10_000)).toBeLessThan(5 * Math.sqrt(30_000 * (2 / 9)));
  });

  test('integer covers its range and nothing else', () => {
    const rng = createRng(15);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 7000; i++) counts[rng.integer(7)]!++;
    const chi = counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chi).toBeLessThan(22.5); // 6 degrees of freedom, 1e-3
    expect(rng.integer(1)).toBe(0);
    expect(rng.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  test.each([0, -3, 1.5, 2 ** 32 + 1])('integer refuses %d', (below) => {
    expect(() => createRng(0).integer(below)).toThrow(/expected an integer from 1 to 2\^32, got/);
  });
});

describe('stream', () => {
  test('does not depend on the use of its parent', () => {
    const [used, fresh] = [createRng(21), createRng(21)];
    used.normals(1001);
    expect(used.stream('a').normals(5)).toEqual(fresh.stream('a').normals(5));
  });

  test('paths nest', () => {
    const nested = createRng(22).stream('step').stream('3');
    expect(createRng(22).stream('step/3').uint32()).toBe(nested.uint32());
  });

  test('streams of other names, seeds and parents are uncorrelated; the same stream is not', () => {
    const n = 20_000;
    const seed = createRng(23);
    const noise = seed.stream('noise').normals(n);
    const limit = 5 / Math.sqrt(n);
    for (const other of [
      seed,
      seed.stream('noisf'),
      seed.stream('noise/0'),
      createRng(24).stream('noise'),
    ])
      expect(Math.abs(correlation(noise, other.normals(n)))).toBeLessThan(limit);
    expect(correlation(noise, createRng(23).stream('noise').normals(n))).toBeGreaterThan(limit);
  });
});
