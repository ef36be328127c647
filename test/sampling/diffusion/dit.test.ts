import { describe, expect, test } from 'vitest';
import {
  gaussianTables,
  modelMoments,
  noised,
  variationalBits,
} from '../../../sampling/diffusion/gaussian.ts';
import { toAnswer } from '../../../sampling/diffusion/prediction.ts';
import {
  discrete,
  entryOfTime,
  entryTimes,
  respacedBetas,
  respacedEntries,
} from '../../../sampling/diffusion/schedules/discrete.ts';
import { linear, linearBetas } from '../../../sampling/diffusion/schedules/linear.ts';
import { type Answer, type Query, solve } from '../../../sampling/diffusion/solver.ts';
import { ddim, ddimStep } from '../../../sampling/diffusion/solvers/ddim.ts';
import { ddpm } from '../../../sampling/diffusion/solvers/ddpm.ts';
import { expectFixture, loadFixture, outputsOf, tensorOf } from '../../fixtures.ts';

const LENGTH = 1000;
const schedule = linear();

describe('dit/schedule', () => {
  const fixture = loadFixture('dit', 'schedule');
  const betas = linearBetas(LENGTH);

  const tables = (respacing: string): Record<string, ArrayLike<number>> => {
    const entries = respacedEntries(LENGTH, respacing);
    const all = gaussianTables(respacedBetas(betas, entries));
    return {
      timestep_map: entries,
      betas: all.betas,
      alphas_cumprod: all.signal,
      alphas_cumprod_prev: all.signalBefore,
      posterior_variance: all.posteriorVariance,
      posterior_log_variance_clipped: all.posteriorLogVariance,
      posterior_mean_coef1: all.posteriorClean,
      posterior_mean_coef2: all.posteriorX,
    };
  };

  test.each(outputsOf(fixture))('%s', (name) => {
    const [, space, table] = name.split('/') as [string, string, string?];
    if (!table) return expectFixture(betas, fixture, name);
    expectFixture(tables(space === 'full' ? '' : space)[table]!, fixture, name);
  });

  test('a stride that leaves no such number is refused', () => {
    expect(() => respacedEntries(1000, 'ddim999')).toThrow(/no whole stride leaves 999/);
  });
});

/** The fixture's closed-form network, at a table entry; its second half is the learned variance in [-1, 1]. */
function network(x: Float32Array, entry: number) {
  const time = entry / 1000;
  return {
    noise: x.map((value) => 0.3 * value * Math.cos(time) + 0.1),
    fraction: x.map((value) => (Math.tanh(value + time) + 1) / 2),
  };
}

function answer({ x, t }: Pick<Query, 'x' | 't'>): Answer {
  const { noise, fraction } = network(x, Math.round(entryOfTime(t, LENGTH)));
  return { ...toAnswer(noise, x, { from: 'noise', schedule, t }), variance: fraction };
}

describe('dit/steps', () => {
  const fixture = loadFixture('dit', 'steps');
  const [x, noise, clean] = ['in/x', 'in/noise', 'in/x0'].map((name) =>
    tensorOf(fixture, name),
  ) as [Float32Array, Float32Array, Float32Array];
  const entries = respacedEntries(LENGTH, fixture.json.config.respacing);
  const short = gaussianTables(respacedBetas(linearBetas(LENGTH), entries));
  const full = gaussianTables(linearBetas(LENGTH));
  const size = 4 * 6 * 6;
  const time = (index: number) => (index < 0 ? 0 : (entries[index]! + 1) / LENGTH);
  const rows = Array.from(tensorOf(fixture, 'in/t'));
  const trained = Array.from(tensorOf(fixture, 'in/train_t'));
  const cut = (values: Float32Array, row: number) => values.slice(row * size, (row + 1) * size);
  const joined = (parts: Float32Array[]) => parts.flatMap((part) => Array.from(part));

  const moments = rows.map((index, row) => {
    const rowX = cut(x, row);
    const estimate = answer({ x: rowX, t: time(index) });
    const args = { clean: estimate.clean, x: rowX, fraction: estimate.variance! };
    return { ...modelMoments(short, index, args), clean: estimate.clean };
  });

  test('p_mean_variance', () => {
    expectFixture(joined(moments.map((m) => m.mean)), fixture, 'out/p_mean_variance/mean');
    const logs = joined(moments.map((m) => m.logVariance));
    expectFixture(logs, fixture, 'out/p_mean_variance/log_variance');
    expectFixture(logs.map(Math.exp), fixture, 'out/p_mean_variance/variance');
    expectFixture(joined(moments.map((m) => m.clean)), fixture, 'out/p_mean_variance/pred_xstart');
  });

  test.each([
    ['out/p_sample', ddpm()],
    ['out/ddim_sample_eta0.0', ddim()],
    ['out/ddim_sample_eta0.7', ddim({ eta: 0.7 })],
  ] as const)('%s', async (name, solver) => {
    const parts = rows.map((index, row) => {
      const times = [time(index), time(index - 1)];
      const gaussian = () => cut(noise, row);
      return solve(solver, { start: cut(x, row), times, schedule, gaussian }, answer);
    });
    expectFixture(joined(await Promise.all(parts)), fixture, name);
  });

  test('ddim_reverse_sample', () => {
    const parts = rows.map((index, row) => {
      const [rowX, t] = [cut(x, row), time(index)];
      // The last entry has no noisier one: the published table ends in signal 0, which is t = 1 of nothing.
      if (index + 1 === entries.length)
        return answer({ x: rowX, t }).clean.map((c, i) => {
          const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
          return (rowX[i]! - alpha * c) / sigma;
        });
      return ddimStep(schedule, {
        x: rowX,
        clean: answer({ x: rowX, t }).clean,
        t,
        s: time(index + 1),
      });
    });
    expectFixture(joined(parts), fixture, 'out/ddim_reverse_sample');
  });

  test.each([
    ['out/p_sample_loop10', ddpm()],
    ['out/ddim_sample_loop10', ddim()],
  ] as const)('%s', async (name, solver) => {
    const loop = tensorOf(fixture, 'in/loop_noise');
    const whole = x.length;
    const at = (k: number) => loop.slice(k * whole, (k + 1) * whole);
    const result = await solve(
      solver,
      {
        start: at(0),
        times: entryTimes(respacedEntries(LENGTH, '10'), LENGTH),
        schedule,
        gaussian: (stream) => at(1 + Number(stream.slice('step/'.length))),
      },
      answer,
    );
    expectFixture(result, fixture, name);
  });

  const training = trained.map((entry, row) => {
    const t = (entry + 1) / LENGTH;
    const [x0, e] = [cut(clean, row), cut(noise, row)];
    const xt = noised(x0, e, schedule, t);
    const estimate = answer({ x: xt, t });
    const args = { clean: estimate.clean, x: xt, fraction: estimate.variance! };
    const model = modelMoments(full, entry, args);
    const { noise: guess } = network(xt, entry);
    const mse = guess.reduce((sum, value, i) => sum + (value - e[i]!) ** 2, 0) / size;
    return { entry, x0, xt, mse, bits: variationalBits(full, entry, { clean: x0, x: xt, model }) };
  });

  test('q_sample and its posterior', () => {
    expectFixture(joined(training.map((row) => row.xt)), fixture, 'out/q_sample');
    const mean = training.map(({ entry, x0, xt }) =>
      x0.map((value, i) => full.posteriorClean[entry]! * value + full.posteriorX[entry]! * xt[i]!),
    );
    expectFixture(joined(mean), fixture, 'out/q_posterior_mean');
    const log = training.map(({ entry, x0 }) => x0.map(() => full.posteriorLogVariance[entry]!));
    expectFixture(joined(log), fixture, 'out/q_posterior_log_variance');
  });

  test.each<[string, (row: (typeof training)[number]) => number]>([
    ['train_mse', ({ mse }) => mse],
    ['train_vb', ({ bits }) => bits],
    ['train_loss', ({ mse, bits }) => mse + bits],
    ['train_loss_kl', ({ bits }) => LENGTH * bits],
    ['train_loss_rescaled_mse', ({ mse, bits }) => mse + (LENGTH / 1000) * bits],
    ['train_loss_fixed_sigma', ({ mse }) => mse],
  ])('%s', (name, of) => {
    expectFixture(training.map(of), fixture, `out/${name}`);
  });
});

test('the table schedule passes through its table and stays between', () => {
  const betas = linearBetas(LENGTH);
  const { signal } = gaussianTables(betas);
  const table = discrete(betas);
  for (const entry of [0, 1, 500, 998, 999])
    expect(table.alpha((entry + 1) / LENGTH) ** 2).toBeCloseTo(signal[entry]!, 14);
  const slope = (table.sigma(0.4005) - table.sigma(0.4003)) / 0.0002;
  expect(table.sigmaRate(0.4004)).toBeCloseTo(slope, 5);
  expect([table.alpha(0), table.sigma(0)]).toEqual([1, 0]);
});
