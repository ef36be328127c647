import { describe, expect, test } from 'vitest';
import { composePositions } from '../../../encoders/positions/compose.ts';
import type { ExtendMethod, Options } from '../../../encoders/positions/contract.ts';
import { replacedShare } from '../../../encoders/positions/extend/bands.ts';
import { dypeNtk, dypePi, dypeYarn } from '../../../encoders/positions/extend/dype.ts';
import { raster, spansInTokens } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import { axial } from '../../../encoders/positions/rotate/axial.ts';
import { expectClose } from '../../close.ts';
import { loadFixture, tensorOf } from '../../fixtures.ts';
import { at } from './evaluate.ts';

const base = 10000;
const frequencies = axial.frequencies!(72, { base });
const coordinates = new Float64Array(0);

/** A method's frequencies for height x width tokens, trained on 16 x 16. */
const extended = (
  method: ExtendMethod,
  [height, width]: readonly [number, number],
  t: number | undefined,
  given: Options = {},
) =>
  method.extend({
    where: at(raster(height, width), {
      trained: raster(16, 16),
      ...(t === undefined ? {} : { t }),
    }),
    spans: spansInTokens({ grid: raster(height, width), trained: raster(16, 16) }),
    options: completeOptions(method, given),
    base,
    frequencies,
    coordinates,
    logitScale: 1,
  });

describe.each([dypePi, dypeNtk, dypeYarn])('$name', (method) => {
  test('changes nothing on the trained grid or a smaller one, at any t', () => {
    for (const t of [1, 0.5, 0, undefined]) {
      const plain = { frequencies, coordinates, logitScale: 1 };
      expect(extended(method, [16, 16], t)).toEqual(plain);
      expect(extended(method, [8, 12], t)).toEqual(plain);
    }
  });

  test('extends only the axis that is longer than trained', () => {
    const { y, x } = extended(method, [16, 40], 1).frequencies;
    expect(y).toEqual(frequencies.y);
    expect(x.at(-1)).toBeLessThan(frequencies.x.at(-1)!);
  });

  test('comes back to the trained frequencies as t falls to 0', () => {
    expect(extended(method, [40, 40], 0).frequencies).toEqual(frequencies);
    const off = (t: number) =>
      Math.max(
        ...extended(method, [40, 40], t).frequencies.y.map((f, i) => 1 - f / frequencies.y[i]!),
      );
    const path = [1, 0.7, 0.4, 0.2, 0.1, 1e-3, 1e-9].map(off);
    expect(path.every(Number.isFinite)).toBe(true);
    expect(path).toEqual(path.toSorted((a, b) => b - a));
    expect(path[0]).toBeGreaterThan(0.5);
    expect(path.at(-1)).toBeLessThan(1e-6);
  });

  test('asks for t', () => {
    expect(() => extended(method, [32, 32], undefined)).toThrow(/expected a time t/);
  });
});

test('with kappa 1 they are the static methods of FiT, axis by axis', () => {
  const fixture = loadFixture('fit', 'rope');
  const sizes = [
    [24, 24],
    [16, 32],
    [32, 32],
  ] as const;
  const pairs = [
    [dypePi, 'linear_decouple'],
    [dypeNtk, 'ntk-aware_decouple'],
    [dypeYarn, 'ntk-by-parts_decouple'],
  ] as const;
  for (const [method, name] of pairs) {
    for (const [height, width] of sizes) {
      const { y, x } = extended(method, [height, width], 1, { strength: 1 }).frequencies;
      const size = `${height}x${width}`;
      // The fixture's frequencies are float32 powers: 1e-6 of their size.
      expectClose(y, tensorOf(fixture, `out/${name}/${size}/freqs_h`), { rtol: 3e-6, atol: 1e-9 });
      expectClose(x, tensorOf(fixture, `out/${name}/${size}/freqs_w`), { rtol: 3e-6, atol: 1e-9 });
    }
  }
  const wrong = extended(dypeNtk, [32, 32], 1, { strength: 2 }).frequencies.y;
  expect(() =>
    expectClose(wrong, tensorOf(fixture, 'out/ntk-aware_decouple/32x32/freqs_h'), { rtol: 1e-3 }),
  ).toThrow();
});

test('dype-ntk keeps the first frequency and divides the last by s^kappa', () => {
  const { y } = extended(dypeNtk, [32, 32], 0.5).frequencies; // kappa 2 * 0.5^2
  expect(y[0]).toBe(1);
  expect(y.at(-1)! * 2 ** 0.5).toBeCloseTo(frequencies.y.at(-1)!, 12);
});

test('dype-yarn has the attention temperature of the longer side at every t', () => {
  for (const t of [0, 0.3, 1])
    expect(extended(dypeYarn, [24, 48], t).logitScale).toBeCloseTo(
      (0.1 * Math.log(3) + 1) ** 2,
      12,
    );
});

test("YaRN's bands for language keep next to nothing of a small grid", () => {
  const kept = (fast: number, slow: number, side: number) =>
    replacedShare(16, { fast, slow }, { base, side }).filter((share) => share === 0).length;
  for (const side of [16, 32, 64]) expect(kept(32, 1, side)).toBeLessThanOrEqual(1);
  expect(kept(2, 0.25, 16)).toBeGreaterThanOrEqual(1);
  expect(kept(1e-9, 1e-9, 16)).toBe(16);
  expect(kept(1e9, 1e8, 16)).toBeLessThanOrEqual(1);
});

test("dype-yarn's bands are pairs of turns, the larger first", () => {
  for (const beta of [[2], [1, 2], [2, 0]])
    expect(() => extended(dypeYarn, [32, 32], 1, { beta })).toThrow(
      /'dype-yarn'.beta: expected two numbers of turns above 0, the larger first, got/,
    );
});

test('options that leave no finite frequency are named', () => {
  const place = (strength: number) =>
    composePositions(
      { rotate: 'axial', extend: { method: 'dype-yarn', strength } as { method: string } },
      { width: 16, heads: 1, trained: raster(4, 4) },
    ).place(raster(8, 8), 'sample', { t: 1 });
  expect(() => place(1)).not.toThrow();
  expect(() => place(-1)).toThrow(/'dype-yarn': expected options that give finite .* got NaN/);
});
