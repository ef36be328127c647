import { describe, expect, test } from 'vitest';
import { cutAxis, noise, resizeNoise, type Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';

/** The rows of the linear map (base, fresh) -> noise of size `to`: one column a unit impulse. */
function columnsOfMap(from: Size, to: Size) {
  const inputs = from.height * from.width;
  const cells = cutAxis(from.height, to.height).length * cutAxis(from.width, to.width).length;
  const impulse = (length: number, at: number) =>
    Float32Array.from({ length }, (_, i) => +(i === at));
  const run = (base: Float32Array, fresh: Float32Array) =>
    resizeNoise(base, fresh, { from, to, channels: 1 });
  return [
    ...Array.from({ length: inputs }, (_, i) => run(impulse(inputs, i), new Float32Array(cells))),
    ...Array.from({ length: cells }, (_, i) => run(new Float32Array(inputs), impulse(cells, i))),
  ];
}

/** Largest distance of M M' from the identity: the covariance of the noise when base and fresh are standard normal. */
function distanceFromIdentity(columns: readonly Float32Array[]): number {
  const n = columns[0]!.length;
  let worst = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const sum = columns.reduce((total, column) => total + column[i]! * column[j]!, 0);
      worst = Math.max(worst, Math.abs(sum - +(i === j)));
    }
  return worst;
}

const sizes: [Size, Size][] = [
  [
    { height: 2, width: 3 },
    { height: 4, width: 6 },
  ],
  [
    { height: 2, width: 3 },
    { height: 3, width: 4 },
  ],
  [
    { height: 4, width: 4 },
    { height: 6, width: 10 },
  ],
  [
    { height: 4, width: 6 },
    { height: 2, width: 2 },
  ],
  [
    { height: 5, width: 4 },
    { height: 3, width: 7 },
  ],
  [
    { height: 3, width: 3 },
    { height: 3, width: 5 },
  ],
];

describe('noise of another size', () => {
  test.each(sizes)('from %j to %j is exactly standard normal', (from, to) => {
    expect(distanceFromIdentity(columnsOfMap(from, to))).toBeLessThan(1e-6); // float32 output
  });

  test('plain interpolation would not be', () => {
    const copied = [0, 1].map((at) => Float32Array.from([0, 0, 1, 1], (pixel) => +(pixel === at)));
    expect(distanceFromIdentity(copied)).toBeGreaterThan(0.9);
  });

  test('block averages, rescaled, are the smaller noise', () => {
    const trained = { height: 4, width: 6 };
    const small = noise(createRng(5), { ...trained, channels: 3 });
    const [p, q] = [3, 2];
    const large = noise(createRng(5), { height: 12, width: 12, channels: 3 }, trained);
    for (let y = 0; y < 4; y++)
      for (let x = 0; x < 6; x++)
        for (let c = 0; c < 3; c++) {
          let sum = 0;
          for (let i = 0; i < p; i++)
            for (let j = 0; j < q; j++) sum += large[((y * p + i) * 12 + x * q + j) * 3 + c]!;
          expect(sum / Math.sqrt(p * q)).toBeCloseTo(small[(y * 6 + x) * 3 + c]!, 5);
        }
  });

  test('a smaller size is the trained noise, summed down', () => {
    const trained = { height: 4, width: 4 };
    const full = noise(createRng(6), { ...trained, channels: 1 });
    const half = noise(createRng(6), { height: 2, width: 2, channels: 1 }, trained);
    expect(half[0]).toBeCloseTo((full[0]! + full[1]! + full[4]! + full[5]!) / 2, 5);
    expect(half[3]).toBeCloseTo((full[10]! + full[11]! + full[14]! + full[15]!) / 2, 5);
  });

  test('a ratio that is not whole follows the lattice of the least common multiple', () => {
    // 2 -> 3: six lattice cells, three a trained pixel, two a wanted one; the middle pixel straddles.
    const map = columnsOfMap({ height: 1, width: 2 }, { height: 1, width: 3 });
    const [left, right] = map as [Float32Array, Float32Array];
    const whole = 2 / Math.sqrt(6); // covariance of a wanted pixel inside a trained one
    expect([...left]).toEqual([whole, whole / 2, 0].map((v) => expect.closeTo(v, 6)));
    expect([...right]).toEqual([0, whole / 2, whole].map((v) => expect.closeTo(v, 6)));
  });

  test('needs few normals even when the least common multiple is huge', () => {
    expect(cutAxis(256, 264).length).toBe(256 + 264 - 8);
    expect(
      noise(createRng(1), { height: 65, width: 66, channels: 3 }, { height: 64, width: 64 }),
    ).toHaveLength(65 * 66 * 3);
  });
});

describe('noise', () => {
  const size = { height: 8, width: 8, channels: 3 };

  test('is a function of the seed alone', () => {
    const used = createRng(9);
    used.normals(17);
    const half = { height: 4, width: 4 };
    expect(noise(used, size)).toEqual(noise(createRng(9), size));
    expect(noise(used, size, half)).toEqual(noise(createRng(9), size, half));
    expect(noise(createRng(10), size)).not.toEqual(noise(createRng(9), size));
  });

  test('of the trained size is the same with and without the trained size named', () => {
    expect(noise(createRng(9), size, { height: 8, width: 8 })).toEqual(noise(createRng(9), size));
  });

  test.each([0, -1, 1.5])('refuses a side of %d', (height) => {
    expect(() => noise(createRng(0), { ...size, height })).toThrow(/^noise: expected .* got/);
  });
});
