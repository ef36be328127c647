import { describe, expect, test } from 'vitest';
import { decodeBfloat16, decodeHalf, encodeHalf } from '../../tensor/half.ts';
import { createRng } from '../../tensor/rng.ts';

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
const isNaNHalf = (half: number) => (half & 0x7fff) > 0x7c00;

/** The value of a half from its fields, as IEEE 754 defines them. */
function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = (half & 1023) / 1024;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
}

/** Nearest half of a magnitude by search over all of them, ties to the even word. */
function nearest(value: number): number {
  let low = 0;
  let high = 0x7bff;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (halfValue(middle) <= value) low = middle;
    else high = middle;
  }
  const [below, above] = [value - halfValue(low), halfValue(high) - value];
  if (below === above) return low % 2 === 0 ? low : high;
  return below < above ? low : high;
}

describe('half precision', () => {
  test('decodes every one of the 65536 words', () => {
    const decoded = decodeHalf(all);
    for (const half of all) expect(Object.is(decoded[half], halfValue(half))).toBe(true);
  });

  test('every word survives a round trip', () => {
    const again = encodeHalf(decodeHalf(all));
    for (const half of all)
      if (isNaNHalf(half)) expect(isNaNHalf(again[half]!)).toBe(true);
      else expect(again[half]).toBe(half);
  });

  test('rounds to nearest, ties to even, at every midpoint between neighbours', () => {
    const middles = Float32Array.from(
      { length: 0x7bff },
      (_, i) => (halfValue(i) + halfValue(i + 1)) / 2,
    );
    const bits = new Uint32Array(middles.buffer);
    encodeHalf(middles).forEach((half, i) => {
      expect(half).toBe(i % 2 === 0 ? i : i + 1);
    });
    const above = new Float32Array(bits.map((word) => word + 1).buffer);
    encodeHalf(above).forEach((half, i) => {
      expect(half).toBe(i + 1);
    });
    const below = new Float32Array(bits.map((word) => word - 1).buffer);
    encodeHalf(below).forEach((half, i) => {
      expect(half).toBe(i);
    });
  });

  test('agrees with a search for the nearest half on random magnitudes', () => {
    const rng = createRng(1);
    const values = Float32Array.from({ length: 2000 }, () => 2 ** (rng.uniform() * 42 - 27));
    encodeHalf(values).forEach((half, i) => {
      expect(half).toBe(nearest(values[i]!));
    });
  });

  test.each([
    [65504, 0x7bff],
    [65519.996, 0x7bff],
    [65520, 0x7c00],
    [1e30, 0x7c00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [-0, 0x8000],
    [2 ** -25, 0],
    [1e-40, 0],
    [-1, 0xbc00],
  ])('encodes %d as %d', (value, half) => {
    expect(encodeHalf(Float32Array.of(value))[0]).toBe(half);
  });

  test('NaN stays NaN, also when its payload is in the dropped bits', () => {
    const nan = new Float32Array(Uint32Array.of(0x7f800001, 0xffc00000).buffer);
    for (const half of encodeHalf(nan)) expect(isNaNHalf(half)).toBe(true);
  });

  test('reads a view that does not start at its buffer', () => {
    const values = Float32Array.of(9, 9, 1, 2).subarray(2);
    expect([...decodeHalf(encodeHalf(values))]).toEqual([1, 2]);
  });
});

test('bfloat16 is the upper half of a float32', () => {
  const words = Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x0001);
  expect([...decodeBfloat16(words)]).toEqual([1, -3.140625, Number.POSITIVE_INFINITY, 2 ** -133]);
});
