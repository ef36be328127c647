import { expect, test } from 'vitest';
import { headScale } from '../../../encoders/positions/bias/head-scale.ts';
import { composePositions } from '../../../encoders/positions/compose.ts';
import type { Options } from '../../../encoders/positions/contract.ts';
import { attentionScale, tokensLaw } from '../../../encoders/positions/extend/attention-scale.ts';
import { timeShift } from '../../../encoders/positions/extend/time-shift.ts';
import { raster, spansInTokens } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import { shiftTime } from '../../../sampling/diffusion/schedules/flow.ts';
import { createRng } from '../../../tensor/rng.ts';
import { tf } from '../../../tensor/tf.ts';
import { expectClose } from '../../close.ts';
import { loadFixture, tensorOf } from '../../fixtures.ts';
import { at, evaluate, floats, inside, onBothEngines } from './evaluate.ts';

type Side = readonly [number, number];
const trained = raster(16, 16);
const scaleOn = ([height, width]: Side, given: Options = {}): number =>
  attentionScale.extend({
    where: at(raster(height, width), { trained }),
    spans: spansInTokens({ grid: raster(height, width), trained }),
    options: completeOptions(attentionScale, given),
    base: 10000,
    frequencies: { y: [], x: [] },
    coordinates: new Float64Array(0),
    logitScale: 2,
  }).logitScale / 2;

test('the law of tokens is sqrt(ln N / ln N0), and nothing on grids of no more tokens', () => {
  expect(scaleOn([32, 32])).toBeCloseTo(Math.sqrt(10 / 8), 12);
  expect(scaleOn([16, 64])).toBe(scaleOn([32, 32]));
  expect(scaleOn([24, 24], { factor: 1.5 })).toBeCloseTo(1.5 * scaleOn([24, 24]), 12);
  for (const size of [
    [16, 16],
    [8, 32],
    [4, 4],
  ] as const) {
    expect(scaleOn(size)).toBe(1);
    expect(scaleOn(size, { law: 'none', factor: 3 })).toBe(1);
  }
  expect(scaleOn([32, 16], { law: 'none', factor: 1.2 })).toBe(1.2);
  expect(() => tokensLaw({ grid: raster(2, 2), trained: raster(1, 1) })).toThrow(/got 1/);
});

test("FiT's laws have its factors of cosines and sines, squared", () => {
  const fixture = loadFixture('fit', 'rope');
  const sizes = fixture.json.config.sizes as Side[];
  const factor = (law: string, [height, width]: Side, name: string) => {
    // The first token's cosines are all the factor itself.
    const cosines = tensorOf(fixture, `out/${name}/${height}x${width}/cos`);
    expectClose([Math.sqrt(scaleOn([height, width], { law }))], [cosines[0]!]);
  };
  for (const size of sizes) {
    factor('fit-side', size, 'ntk-aware-pro1');
    factor('fit-area', size, 'ntk-aware-pro2');
  }
  expect(() => factor('fit-area', [16, 32], 'ntk-aware-pro1')).toThrow();
});

test('the shift of times is the root of how many more tokens there are, and joins others by products', () => {
  const shift = ([height, width]: Side, given: Options = {}) =>
    timeShift.timeShift!(
      { grid: raster(height, width), trained },
      completeOptions(timeShift, given),
    );
  expect(shift([32, 32])).toBe(2);
  expect(shift([16, 64])).toBe(2);
  expect(shift([16, 32], { exponent: 1 })).toBe(2);
  expect(shift([16, 16])).toBe(1);
  expect(shift([8, 8])).toBe(1);
  const both = composePositions(
    { coordinates: 'rpe2d', rotate: 'axial', extend: ['attention-scale', 'time-shift'] },
    { width: 16, heads: 1, trained },
  );
  expect(both.timeShift(raster(32, 32))).toBe(2);
  expect(both.place(raster(32, 32), 'sample').logitScale).toBeCloseTo(Math.sqrt(10 / 8), 12);
  for (const t of [0, 0.2, 0.7, 1])
    expect(shiftTime(shiftTime(t, 3), 2)).toBeCloseTo(shiftTime(t, 6), 12);
});

test('what goes with any model asks for no rotation; two of one kind are refused', () => {
  const shape = { width: 16, heads: 1, trained };
  const extend = ['attention-scale', 'time-shift'];
  expect(() => composePositions({ extend }, shape)).not.toThrow();
  expect(() => composePositions({ coordinates: 'end-point', extend }, shape)).not.toThrow();
  expect(() =>
    composePositions({ rotate: 'axial', extend: ['ntk', 'attention-scale', 'yarn'] }, shape),
  ).toThrow(
    /expected extensions that change different things, got 'ntk' and 'yarn', which both change the frequencies; leave one out/,
  );
});

/** Mean entropy of softmax(sharpness x similarity) over tokens of `kinds` sorts, noisy copies of each. */
function entropy(tokens: number, sharpness: number): { bits: number; error: number } {
  const [rng, kinds, width] = [createRng(3).stream(`${tokens}`), 4, 8];
  const sorts = Array.from({ length: kinds }, (_, k) => createRng(4).stream(`${k}`).normals(width));
  const of = Array.from({ length: tokens }, (_, i) => i % kinds);
  const x = of.map((k) => {
    const noise = rng.normals(width);
    return sorts[k]!.map((v, c) => v + 0.7 * noise[c]!);
  });
  let [bits, error] = [0, 0];
  for (const [i, own] of x.entries()) {
    const powers = x.map((other) =>
      Math.exp(sharpness * other.reduce((sum, v, c) => sum + v * own[c]!, 0)),
    );
    const total = powers.reduce((sum, power) => sum + power, 0);
    const weights = powers.map((power) => power / total);
    bits -= weights.reduce((sum, p) => sum + (p > 0 ? p * Math.log2(p) : 0), 0) / tokens;
    for (let c = 0; c < width; c++) {
      const mixed = weights.reduce((sum, p, j) => sum + p * x[j]![c]!, 0);
      error += (mixed - sorts[of[i]!]![c]!) ** 2 / (tokens * width);
    }
  }
  return { bits, error };
}

test('on a toy that was trained, the law keeps the entropy of attention nearer to the trained one', () => {
  // Trained: the sharpness that cleans 64 tokens best.
  const candidates = Array.from({ length: 60 }, (_, i) => 0.01 * 1.1 ** i);
  const sharpness = candidates.reduce((best, s) =>
    entropy(64, s).error < entropy(64, best).error ? s : best,
  );
  expect(sharpness).toBeGreaterThan(candidates[0]!);
  expect(sharpness).toBeLessThan(candidates.at(-1)!);
  const before = entropy(64, sharpness).bits;
  const law = tokensLaw({ grid: raster(16, 16), trained: raster(8, 8) });
  const off = (factor: number) => Math.abs(entropy(256, sharpness * factor).bits - before);
  expect(off(law)).toBeLessThan(off(1));
  // A factor the other way is worse.
  expect(off(1 / law)).toBeGreaterThan(off(1));
});

onBothEngines('head-scale', (engine) => {
  const scaleOf = async (layer: number, grid = trained, given: Options = {}) => {
    const scale = floats([1, 2, 3, 4, 5, 6], [3, 2]);
    const { y } = await evaluate(engine, { scale }, ({ scale: own }) => {
      const where = at(grid, { trained, layer });
      const options = completeOptions(headScale, given);
      const factor = headScale.logitScale!(
        inside(tf.zeros([1, 2]), where, options, { scale: own! }),
      );
      return (factor as ReturnType<typeof tf.zeros>).mul(1);
    });
    expect(y!.shape).toEqual([2, 1, 1]);
    return [...(y!.data as Float32Array)];
  };

  test('is a number for every head of its block, times the law and a factor', async () => {
    expect(await scaleOf(0)).toEqual([1, 2]);
    expect(await scaleOf(2)).toEqual([5, 6]);
    const law = Math.sqrt(10 / 8);
    expectClose(await scaleOf(1, raster(32, 32)), [3 * law, 4 * law]);
    expect(await scaleOf(1, raster(32, 32), { law: 'none', factor: 2 })).toEqual([6, 8]);
  });

  test('learns heads x blocks numbers and nothing else, ones at first', () => {
    const shape = { width: 16, heads: 2, headSize: 8, depth: 3, trained };
    const { scale, ...others } = headScale.init!(shape, {}, createRng(0));
    expect(scale).toEqual({ data: new Float32Array(6).fill(1), shape: [3, 2] });
    expect(others).toEqual({});
  });
});
