import { describe, expect, test } from 'vitest';
import { bootstrap } from '../../../evaluation/bootstrap.ts';
import { frechetDistance } from '../../../evaluation/metrics/frechet.ts';
import { unbiasedMmd2 } from '../../../evaluation/metrics/kid.ts';
import { momentsOf } from '../../../evaluation/metrics/moments.ts';
import {
  frechetStatistic,
  kidStatistic,
  pairedRatio,
} from '../../../evaluation/metrics/paired-ratio.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';
import { gaussians, zeros } from './gaussians.ts';

const COUNT = 80;
const reference = gaussians(1, 100, zeros(4));
const better = gaussians(2, COUNT, Array(4).fill(0.6));
/** The same draws, moved twice as far: what paired seeds are. */
const worse = { ...better, data: better.data.map((value) => value + 0.6) };
const all = Int32Array.from({ length: COUNT }, (_, i) => i);
const options = (seed: number) => ({ rng: createRng(seed), resamples: 200 });

describe('statistics of picked pictures', () => {
  test('of all pictures are the metrics themselves', () => {
    expectClose([kidStatistic(better, reference)(all)], [unbiasedMmd2(better, reference)], {
      rtol: 1e-10,
    });
    const moments = momentsOf(reference);
    expectClose(
      [frechetStatistic(better, moments)(all)],
      [frechetDistance(momentsOf(better), moments)],
      { rtol: 1e-12 },
    );
  });

  test('copies of a picture are no pair: resamples of one law keep a mean of zero', () => {
    const statistic = kidStatistic(gaussians(4, COUNT, zeros(4)), reference);
    const rng = createRng(5);
    const values = Array.from({ length: 300 }, () =>
      statistic(Int32Array.from(all, () => rng.integer(COUNT))),
    );
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    // With copies counted as pairs the mean moves up by about E k(x, x) / n = 10 / 80.
    expect(Math.abs(mean - statistic(all))).toBeLessThan(0.03);
  });
});

describe('the ratio of two arms', () => {
  test('of an arm to itself is 1 without any width', () => {
    const statistic = kidStatistic(better, reference);
    expect(pairedRatio(COUNT, statistic, statistic, options(1))).toEqual({
      value: 1,
      low: 1,
      high: 1,
    });
  });

  test('lies above 1 where one arm is worse', () => {
    const [a, b] = [kidStatistic(better, reference), kidStatistic(worse, reference)];
    const ratio = pairedRatio(COUNT, b, a, options(2));
    expect(ratio.low).toBeGreaterThan(1.5);
    expect(ratio.low).toBeLessThanOrEqual(ratio.value);
  });

  test('holds 1 in most draws of two arms with one law', () => {
    const arm = (seed: number) =>
      kidStatistic(gaussians(seed, COUNT, Array(4).fill(0.6)), reference);
    const holds = Array.from({ length: 20 }, (_, s) => {
      const rng = createRng(s);
      const { low, high } = pairedRatio(COUNT, arm(100 + s), arm(200 + s), { rng, resamples: 100 });
      return low < 1 && high > 1;
    });
    // Of 20 intervals at 95 %, fewer than 15 hold it once in 3000 times.
    expect(holds.filter((held) => held).length).toBeGreaterThanOrEqual(15);
  });

  test('is narrower than that of arms resampled apart', () => {
    const moments = momentsOf(reference);
    const [a, b] = [frechetStatistic(better, moments), frechetStatistic(worse, moments)];
    const paired = pairedRatio(COUNT, b, a, options(4));
    const rng = createRng(7);
    const apart = bootstrap(
      COUNT,
      (pick) => b(pick) / a(Int32Array.from(all, () => rng.integer(COUNT))),
      options(4),
    );
    expect(paired.high - paired.low).toBeLessThan(0.8 * (apart.high - apart.low));
  });
});
