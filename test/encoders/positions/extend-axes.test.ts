import { describe, expect, test } from 'vitest';
import type { ExtendMethod, Frequencies, Options } from '../../../encoders/positions/contract.ts';
import { replacedShare } from '../../../encoders/positions/extend/bands.ts';
import { dypeNtk, dypePi } from '../../../encoders/positions/extend/dype.ts';
import { interpolation } from '../../../encoders/positions/extend/interpolation.ts';
import { longrope } from '../../../encoders/positions/extend/longrope.ts';
import { ntk, visionNtk } from '../../../encoders/positions/extend/ntk.ts';
import { ntkByParts } from '../../../encoders/positions/extend/ntk-by-parts.ts';
import { intrinsicIndex, riflex } from '../../../encoders/positions/extend/riflex.ts';
import { timeAware } from '../../../encoders/positions/extend/time-aware.ts';
import { ultraflux, wholeTurns } from '../../../encoders/positions/extend/ultraflux.ts';
import { visionYarn, yarn } from '../../../encoders/positions/extend/yarn.ts';
import { type Grid, raster, spansInTokens } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import { axial } from '../../../encoders/positions/rotate/axial.ts';
import { expectClose } from '../../close.ts';
import { loadFixture, tensorOf } from '../../fixtures.ts';
import { at } from './evaluate.ts';

const base = 10000;
const frequencies = axial.frequencies!(72, { base });
const coordinates = new Float64Array(0);
type Side = readonly [number, number];

const sizes = (grid: Grid, trained: Grid, t?: number) => ({
  where: at(grid, { trained, ...(t === undefined ? {} : { t }) }),
  spans: spansInTokens({ grid, trained }),
});
const extension = (
  method: ExtendMethod,
  [height, width]: Side,
  { given = {}, t = 1, own = frequencies }: { given?: Options; t?: number; own?: Frequencies } = {},
) =>
  method.extend({
    ...sizes(raster(height, width), raster(16, 16), t),
    options: completeOptions(method, given),
    base,
    frequencies: own,
    coordinates,
    logitScale: 1,
  });
const over = (s: number) => frequencies.y.map((f) => f / s);

const ALL = [interpolation, ntk, visionNtk, ntkByParts, yarn, visionYarn, timeAware, riflex];
const PER_AXIS = [interpolation, visionNtk, ntkByParts, visionYarn, riflex];

describe.each(ALL)('$name', (method) => {
  test('changes nothing on the trained grid or a smaller one, at any t', () => {
    for (const t of [0, 0.5, 1])
      for (const size of [
        [16, 16],
        [8, 12],
      ] as const)
        expect(extension(method, size, { t })).toEqual({ frequencies, coordinates, logitScale: 1 });
  });

  test('treats rows of h x w as columns of w x h', () => {
    for (const t of [0, 1]) {
      const { frequencies: tall, logitScale } = extension(method, [40, 24], { t });
      const { frequencies: wide, logitScale: same } = extension(method, [24, 40], { t });
      expect(tall).toEqual({ y: wide.x, x: wide.y });
      expect(logitScale).toBe(same);
    }
  });

  test('lowers some frequency of a longer grid and raises none', () => {
    const { y } = extension(method, [32, 32]).frequencies;
    expect(y.every((f, i) => f <= frequencies.y[i]! && f > 0)).toBe(true);
    expect(y.some((f, i) => f < frequencies.y[i]! * 0.9)).toBe(true);
  });
});

test('methods with a ratio of each axis leave the side alone that is not longer, others do not', () => {
  for (const method of PER_AXIS) {
    const { y, x } = extension(method, [16, 40]).frequencies;
    expect(y).toEqual(frequencies.y);
    expect(x).not.toEqual(frequencies.x);
  }
  for (const method of [ntk, yarn, timeAware])
    expect(extension(method, [16, 40]).frequencies.y).not.toEqual(frequencies.y);
});

test("all variants of FiT's code, coupled and by axis, with their factor of the logits", () => {
  const fixture = loadFixture('fit', 'rope');
  const longer = { axes: 'longer' };
  const cases: [string, ExtendMethod, Options][] = [
    ['linear', interpolation, longer],
    ['linear_decouple', interpolation, {}],
    ['ntk-aware', ntk, {}],
    ['ntk-aware_decouple', visionNtk, {}],
    ['ntk-by-parts', ntkByParts, longer],
    ['ntk-by-parts_decouple', ntkByParts, {}],
    ['yarn', yarn, {}],
    ['yarn_decouple', visionYarn, {}],
  ];
  const check = (name: string, method: ExtendMethod, given: Options, [height, width]: Side) => {
    const { frequencies: got, logitScale } = extension(method, [height, width], { given });
    const size = `${height}x${width}`;
    // Float32 powers of the published code: 1e-6 of their size.
    for (const [axis, name2] of [
      ['y', 'freqs_h'],
      ['x', 'freqs_w'],
    ] as const) {
      const expected = tensorOf(fixture, `out/${name}/${size}/${name2}`);
      expectClose(got[axis], expected, { rtol: 3e-6, atol: 1e-9 });
    }
    if (name.startsWith('yarn'))
      expectClose([Math.sqrt(logitScale)], tensorOf(fixture, `mid/yarn/${size}/mscale`));
    else expect(logitScale).toBe(1);
  };
  for (const [name, method, given] of cases)
    for (const [height, width] of fixture.json.config.sizes)
      check(name, method, given, [height, width]);
  expect(() => check('ntk-aware_decouple', ntk, {}, [16, 32])).toThrow();
  expect(() => check('yarn', yarn, { alpha: 0.25, beta: 2 }, [32, 32])).toThrow();
});

describe('interpolation', () => {
  test('gives a twice longer side the angles of half the places', () => {
    expect(extension(interpolation, [32, 48]).frequencies).toEqual({ y: over(2), x: over(3) });
  });

  test('leaves a shorter side alone, or spreads it over the trained span', () => {
    expect(extension(interpolation, [8, 12]).frequencies).toEqual(frequencies);
    const given = { shorter: 'spread' };
    expect(extension(interpolation, [8, 12], { given }).frequencies).toEqual({
      y: over(0.5),
      x: over(0.75),
    });
    expect(extension(interpolation, [16, 16], { given }).frequencies).toEqual(frequencies);
    const corners = { ...given, align: 'corners' };
    for (const side of [1, 8]) {
      const { y } = extension(interpolation, [side, 16], { given: corners }).frequencies;
      expectClose(
        y.map((f) => (side - 1) * f),
        frequencies.y.map((f) => (side === 1 ? 0 : 15) * f),
        { rtol: 1e-12 },
      );
    }
  });

  test('is the trained table where all frequencies are kept', () => {
    const { y } = extension(interpolation, [32, 32], { given: { keep: 18 } }).frequencies;
    expect(y).toEqual(frequencies.y);
  });

  test('by corners puts the last token on the last trained place', () => {
    const { y } = extension(interpolation, [32, 32], { given: { align: 'corners' } }).frequencies;
    expectClose(
      y.map((f) => 31 * f),
      frequencies.y.map((f) => 15 * f),
      { rtol: 1e-12 },
    );
  });
});

test('NTK keeps the first frequency and divides the last by s: a larger base', () => {
  const { y } = extension(ntk, [40, 40]).frequencies;
  const [D, s] = [36, 2.5];
  expectClose(
    y,
    y.map((_, i) => (base * s ** (D / (D - 2))) ** ((-2 * i) / D)),
    { rtol: 1e-12 },
  );
  expect(extension(dypeNtk, [40, 40], { given: { strength: 1 } }).frequencies.y).toEqual(y);
});

describe('YaRN', () => {
  test.each([16, 32, 64])(
    'with the published band keeps at most one of 16 on a side of %i',
    (side) => {
      const kept = (fast: number, slow: number) =>
        replacedShare(16, { fast, slow }, { base, side }).filter((share) => share === 0).length;
      expect(kept(32, 1)).toBeLessThanOrEqual(1);
      expect(kept(2, 0.25)).toBeGreaterThanOrEqual(side === 16 ? 1 : 2);
    },
  );

  test('divides the slowest frequencies by s exactly; band and temperature can be set', () => {
    const { frequencies: published } = extension(visionYarn, [32, 32]);
    expect(published.y.slice(2)).toEqual(over(2).slice(2));
    const given = { alpha: 0.25, beta: 2, temperature: 0 };
    const { frequencies: gentle, logitScale } = extension(visionYarn, [32, 32], { given });
    expect(logitScale).toBe(1);
    expect(gentle.y[0]).toBe(frequencies.y[0]);
    expect(gentle.y[2]!).toBeGreaterThan(published.y[2]!);
    expect(gentle.y.at(-1)).toBe(over(2).at(-1));
  });

  test('with a band above all turns is interpolation, but for its first frequency', () => {
    const given = { alpha: 1e8, beta: 1e9 };
    const { y } = extension(yarn, [32, 32], { given }).frequencies;
    expect(y.slice(1)).toEqual(over(2).slice(1));
    expect(y[0]).toBe(frequencies.y[0]);
  });

  test.each([
    [32, 1],
    [0, 32],
    [-1, 1],
  ])('refuses alpha %d with beta %d', (alpha, beta) => {
    expect(() => extension(yarn, [32, 32], { given: { alpha, beta } })).toThrow(
      `'yarn': expected turns alpha above 0 and beta of at least alpha, got alpha ${alpha} and beta ${beta}`,
    );
  });
});

describe('time-aware', () => {
  test('interpolates above the watershed, by the root of the area', () => {
    const { y, x } = extension(timeAware, [16, 64], { t: 0.71 }).frequencies;
    expect(y).toEqual(over(2));
    expect(x).toEqual(over(2));
    expect(extension(timeAware, [16, 64], { t: 0.71 }).frequencies).not.toEqual(
      extension(interpolation, [16, 64]).frequencies,
    );
    expect(extension(timeAware, [32, 32], { t: 1 }).frequencies).toEqual(
      extension(dypePi, [32, 32], { t: 1 }).frequencies,
    );
  });

  test('has a base s times larger from the watershed on', () => {
    const { y } = extension(timeAware, [32, 32], { t: 0.7 }).frequencies;
    expectClose(y, axial.frequencies!(72, { base: 2 * base }).y, { rtol: 1e-12 });
    const given = { watershed: 0.5 };
    expect(extension(timeAware, [32, 32], { t: 0.6, given }).frequencies.y).toEqual(over(2));
  });

  test('asks for t', () => {
    const own = sizes(raster(32, 32), raster(16, 16));
    const args = { ...own, base, frequencies, coordinates, logitScale: 1 };
    expect(() => timeAware.extend({ ...args, options: { watershed: 0.7 } })).toThrow(
      /time-aware: expected a time t/,
    );
  });
});

describe('RIFLEx', () => {
  test("finds the published example's frequency: base 256, D 16, repetition at 48", () => {
    const own = Array.from({ length: 8 }, (_, i) => 256 ** (-i / 8));
    expect(intrinsicIndex(own, 48)).toBe(3);
    expect(Math.round((2 * Math.PI) / own[3]!)).toBe(50);
  });

  test('lowers one frequency, to 0.9 of a period over the grid', () => {
    const { y } = extension(riflex, [40, 40]).frequencies;
    const changed = y.flatMap((f, i) => (f === frequencies.y[i] ? [] : [i]));
    expect(changed).toEqual([intrinsicIndex(frequencies.y, 16)]);
    expect(40 * y[changed[0]!]!).toBeCloseTo(0.9 * 2 * Math.PI, 12);
    const given = { period: 2, cover: 0.5 };
    const other = extension(riflex, [40, 40], { given }).frequencies.y;
    const k = intrinsicIndex(frequencies.y, 32);
    expect(k).not.toBe(changed[0]);
    expect(40 * other[k]!).toBeCloseTo(Math.PI, 12);
  });

  test('never raises a frequency', () => {
    const own = { y: [0.01], x: [0.01] };
    expect(extension(riflex, [20, 20], { own }).frequencies).toEqual(own);
  });
});

describe('UltraFlux', () => {
  test('changes nothing on the trained grid or a smaller one, nor a side that is not longer', () => {
    const plain = { frequencies, coordinates, logitScale: 1 };
    expect(extension(ultraflux, [16, 16])).toEqual(plain);
    expect(extension(ultraflux, [8, 12])).toEqual(plain);
    expect(extension(ultraflux, [16, 40]).frequencies.y).toEqual(frequencies.y);
  });

  test('moves frequencies to whole turns over the trained side where they turn at least once', () => {
    const turns = (own: readonly number[]) => own.map((f) => (64 * f) / (2 * Math.PI));
    const whole = turns(wholeTurns(frequencies.y, 64));
    for (const [i, before] of turns(frequencies.y).entries()) {
      if (before < 1) expect(whole[i]).toBe(before);
      else expect(whole[i]).toBeCloseTo(Math.round(before), 12);
    }
    expect(whole[0]).toBeCloseTo(10, 12); // of 10.19
  });

  test('is NTK-by-parts on frequencies that close already', () => {
    // Turns 2^3 ... 2^-4 of a side of 16: powers of a base of 2^8, times a first one that is not 1.
    const first = (2 * Math.PI * 8) / 16;
    const own = { y: Array.from({ length: 8 }, (_, i) => first * 2 ** -i), x: frequencies.x };
    const bands = { beta: [1e9, 1e8], gamma: [2, 0.25] };
    const given = { ...bands, temperature: 0 };
    const { y } = extension(ultraflux, [32, 16], { own, given }).frequencies;
    const plain = extension(ntkByParts, [32, 16], { own, given: bands }).frequencies.y;
    // The first index keeps a share of NTK-aware frequencies, which start from 1 here and not from 8 turns.
    expectClose(y.slice(1), plain.slice(1), { rtol: 1e-12 });
    const open = { y: own.y.map((f) => 1.03 * f), x: own.x };
    const moved = extension(ultraflux, [32, 16], { own: open, given }).frequencies.y;
    const kept = extension(ntkByParts, [32, 16], { own: open, given: bands }).frequencies.y;
    expect(Math.abs(moved[1]! / kept[1]! - 1)).toBeGreaterThan(0.01);
  });

  test("keeps powers of the base NTK-aware, with YaRN's temperature of the longer axis", () => {
    const side = 1e5; // Rounding moves nothing that turns so often by more than 1 in 3e3.
    const larger = sizes(raster(2 * side, side), raster(side, side));
    const own = { y: frequencies.y.slice(0, 4), x: frequencies.x.slice(0, 4) };
    const options = { beta: [2e-9, 1e-9], gamma: [1e9, 1e8], temperature: 0.1 };
    const args = { ...larger, options, base, frequencies: own, coordinates, logitScale: 1 };
    const { frequencies: got, logitScale } = ultraflux.extend(args);
    expectClose(
      got.y.slice(1),
      own.y.slice(1).map((f) => f ** (1 + ((8 / 6) * Math.log(2)) / Math.log(base))),
      { rtol: 1e-3 },
    );
    expect(logitScale).toBeCloseTo((1 + 0.1 * Math.log(2)) ** 2, 12);
  });
});

describe('LongRoPE', () => {
  const all = (factor: number) => Array<number>(18).fill(factor);

  test('is the trained table with factors 1 and interpolation with factors s', () => {
    const { frequencies: one } = extension(longrope, [32, 48], { given: { y: all(1), x: all(1) } });
    expect(one).toEqual(frequencies);
    const given = { y: all(2), x: all(3) };
    expect(extension(longrope, [32, 48], { given })).toEqual(extension(interpolation, [32, 48]));
    const rising = all(1).map((_, i) => 1 + i / 10);
    expect(extension(longrope, [32, 48], { given: { y: rising, x: all(3) } })).not.toEqual(
      extension(interpolation, [32, 48]),
    );
  });

  test('leaves sides within the trained one alone, and asks for their factors only where needed', () => {
    expect(extension(longrope, [16, 8]).frequencies).toEqual(frequencies);
    const { y, x } = extension(longrope, [16, 32], { given: { x: all(2) } }).frequencies;
    expect([y, x]).toEqual([frequencies.y, over(2)]);
    expect(() => extension(longrope, [32, 16])).toThrow(
      /'longrope'.y: expected 18 factors.* got 0/,
    );
  });

  test('refuses factors that fall or are not above 0', () => {
    const bad = [...all(2).slice(1), 1.5];
    expect(() => extension(longrope, [32, 16], { given: { y: bad } })).toThrow(
      /expected factors above 0 that never fall, got 1.5 at index 17/,
    );
    expect(() => extension(longrope, [32, 16], { given: { y: all(0) } })).toThrow(
      /got 0 at index 0/,
    );
  });
});
