import { describe, expect, test } from 'vitest';
import { gaussianTables } from '../../../sampling/diffusion/gaussian.ts';
import { conversion, convert, type Prediction } from '../../../sampling/diffusion/prediction.ts';
import { SCHEDULES } from '../../../sampling/diffusion/registry.ts';
import { cosine, cosineBetas } from '../../../sampling/diffusion/schedules/cosine.ts';
import { respacedEntries } from '../../../sampling/diffusion/schedules/discrete.ts';
import { flow, shiftTime } from '../../../sampling/diffusion/schedules/flow.ts';
import { karras, karrasSigmas } from '../../../sampling/diffusion/schedules/karras.ts';
import { linear } from '../../../sampling/diffusion/schedules/linear.ts';
import { logSnrTimes } from '../../../sampling/diffusion/schedules/log-snr.ts';
import { vp } from '../../../sampling/diffusion/schedules/vp.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';

const all = Object.entries(SCHEDULES).map(([name, make]) => [name, make()] as const);

describe.each(all)('%s', (name, schedule) => {
  test('the signal falls, the noise rises, and the ends are clean and noise', () => {
    const grid = Array.from({ length: 101 }, (_, i) => i / 100);
    for (const [i, t] of grid.slice(1).entries()) {
      const before = grid[i]!;
      expect(schedule.sigma(t)).toBeGreaterThan(schedule.sigma(before));
      if (name !== 'karras') expect(schedule.alpha(t)).toBeLessThan(schedule.alpha(before));
    }
    expect([schedule.alpha(0), schedule.sigma(0)]).toEqual([1, 0]);
    expect(Math.hypot(schedule.alpha(1), schedule.sigma(1)) / schedule.start).toBeCloseTo(1, 3);
  });

  test('its rates are the derivatives', () => {
    const h = 1e-5;
    for (const t of [0.1, 0.37, 0.62, 0.9]) {
      const slope = (f: (t: number) => number) => (f(t + h) - f(t - h)) / (2 * h);
      expect(schedule.alphaRate(t) - slope(schedule.alpha)).toBeCloseTo(0, 5);
      expect(schedule.sigmaRate(t) - slope(schedule.sigma)).toBeCloseTo(0, 5);
    }
  });

  test('times fall from 1 to 0', () => {
    for (const steps of [1, 2, 7, 50]) {
      const times = schedule.times(steps);
      expect(times).toHaveLength(steps + 1);
      expect([times[0], times.at(-1)]).toEqual([1, 0]);
      expect(times.slice(1).every((t, i) => t < times[i]!)).toBe(true);
    }
    expect(() => schedule.times(0)).toThrow(/at least 1, got 0/);
    expect(() => schedule.times(2.5)).toThrow(/2.5/);
  });

  test('predictions turn into each other and back', () => {
    const kinds: Prediction[] = ['clean', 'noise', 'velocity', 'v', 'score'];
    const rng = createRng(1);
    const [x, value] = [rng.normals(8), rng.normals(8)];
    for (const t of [0.2, 0.5, 0.8])
      for (const from of kinds)
        for (const to of kinds) {
          const there = convert(value, x, { from, to, schedule, t });
          const back = convert(there, x, { from: to, to: from, schedule, t });
          // Float32 in the middle, amplified by what the way back multiplies with.
          const gain = Math.abs(conversion(to, from, schedule, t).value);
          const size = Math.max(...there.map(Math.abs));
          expectClose(back, value, { rtol: 1e-5, atol: 1e-6 + 2e-7 * gain * size });
        }
  });

  test('a known pair comes back from every prediction of it', () => {
    const rng = createRng(2);
    const [clean, noise, t] = [rng.normals(8), rng.normals(8), 0.4];
    const mix = (p: number, q: number) => clean.map((c, i) => p * c + q * noise[i]!);
    const x = mix(schedule.alpha(t), schedule.sigma(t));
    const velocity = mix(schedule.alphaRate(t), schedule.sigmaRate(t));
    const tolerance = { rtol: 1e-4, atol: 2e-5 };
    if (name !== 'karras')
      expectClose(
        convert(velocity, x, { from: 'velocity', to: 'clean', schedule, t }),
        clean,
        tolerance,
      );
    expectClose(
      convert(velocity, x, { from: 'velocity', to: 'noise', schedule, t }),
      noise,
      tolerance,
    );
    const v = mix(-schedule.sigma(t), schedule.alpha(t));
    if (name !== 'karras')
      expectClose(convert(v, x, { from: 'v', to: 'clean', schedule, t }), clean, tolerance);
  });

  test('a log-SNR grid is even in log(alpha / sigma)', () => {
    const times = logSnrTimes(schedule, 8, { from: 0.95, to: 0.02 });
    const lambda = times.map((t) => Math.log(schedule.alpha(t) / schedule.sigma(t)));
    const step = (lambda.at(-1)! - lambda[0]!) / 8;
    for (const [i, value] of lambda.slice(1).entries())
      expect(value - lambda[i]!).toBeCloseTo(step, 9);
  });
});

test('variance-preserving schedules preserve variance', () => {
  for (const name of ['linear', 'cosine', 'gvp', 'vp'] as const) {
    const schedule = SCHEDULES[name]();
    for (const t of [0.001, 0.3, 0.999])
      expect(schedule.alpha(t) ** 2 + schedule.sigma(t) ** 2).toBeCloseTo(1, 12);
  }
});

test('linear betas approach the continuous process they discretise', () => {
  const [table, smooth] = [linear(), vp()];
  for (const t of [0.1, 0.5, 0.9]) expect(table.alpha(t)).toBeCloseTo(smooth.alpha(t), 2);
});

test('cosine betas are capped and follow the curve', () => {
  const betas = cosineBetas(1000);
  expect(Math.max(...betas)).toBe(0.999);
  const { signal } = gaussianTables(betas);
  for (const entry of [0, 200, 700])
    expect(signal[entry]).toBeCloseTo(cosine().alpha((entry + 1) / 1000) ** 2, 10);
});

test('a shift is undone by its inverse, and is the published one with time reversed', () => {
  for (const u of [0, 0.2, 0.9, 1]) {
    expect(shiftTime(shiftTime(u, 3), 1 / 3)).toBeCloseTo(u, 12);
    // Codes with 0 = noise shift tau' = s tau / (1 + (s - 1) tau).
    const [s, tau] = [0.3, 1 - u];
    expect(shiftTime(u, 1 / s)).toBeCloseTo(1 - (s * tau) / (1 + (s - 1) * tau), 12);
  }
  expect(flow({ shift: 3 }).times(2)).toEqual([1, 0.75, 0]);
  expect(() => flow({ shift: 0 })).toThrow(/shift above 0, got 0/);
});

test('Karras levels have their ends and powers', () => {
  const sigmas = karrasSigmas(5, { least: 0.002, most: 80 });
  expectClose([sigmas[0]!, sigmas[4]!], [80, 0.002], { rtol: 1e-12, atol: 0 });
  const roots = sigmas.map((sigma) => sigma ** (1 / 7));
  expect(roots[0]! - roots[1]!).toBeCloseTo(roots[3]! - roots[4]!, 12);
  expect(() => karras({ least: 2, most: 1 })).toThrow(/least 2, most 1/);
});

test('respacing in parts', () => {
  expect(respacedEntries(10, '2,3')).toEqual([0, 4, 5, 7, 9]);
  expect(respacedEntries(10, 'ddim5')).toEqual([0, 2, 4, 6, 8]);
  expect(() => respacedEntries(10, '20')).toThrow(/between 1 and 10, got 20/);
});

test('a conversion that says nothing is refused', () => {
  expect(() => conversion('noise', 'clean', flow(), 1)).toThrow(/clean does not follow from noise/);
  expect(() => conversion('clean', 'velocity', flow(), 0)).toThrow(/predict velocity/);
});
