import { describe, expect, test, vi } from 'vitest';
import { type Denoise, type Progress, sample } from '../../../sampling/diffusion/driver.ts';
import { firstChannels, guidanceScale, guide } from '../../../sampling/diffusion/guidance.ts';
import { SOLVERS } from '../../../sampling/diffusion/registry.ts';
import { flow } from '../../../sampling/diffusion/schedules/flow.ts';
import { linear } from '../../../sampling/diffusion/schedules/linear.ts';
import { dormandPrince } from '../../../sampling/diffusion/solvers/dormand-prince.ts';
import { noise } from '../../../sampling/noise.ts';
import { createRng, type Rng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';
import { normalOracle } from './gaussian-oracle.ts';

const length = 12;
const schedule = flow();
const pictures = (...seeds: number[]) => seeds.map((seed) => ({ rng: createRng(seed) }));

/** Asked: data around 0.5; null: data around -0.25. Rows are independent. */
const denoise: Denoise = async ({ x, rows }) => {
  const clean = new Float32Array(x.length);
  for (const [i, { t, condition }] of rows.entries()) {
    const mean = condition === 'asked' ? 0.5 : -0.25;
    const own = x.slice(i * length, (i + 1) * length);
    clean.set(normalOracle({ mean, deviation: 0.3 }, schedule)({ x: own, t }).clean, i * length);
  }
  return { clean };
};
const options = { schedule, times: schedule.times(6), length };

describe('sample', () => {
  test.each(Object.entries(SOLVERS))(
    '%s: a batch of two is two batches of one, bit for bit',
    async (_, make) => {
      const guidance = { scale: 2.5, interval: { from: 0.2, to: 0.7 } };
      const run = (...seeds: number[]) =>
        sample(make(), denoise, pictures(...seeds), { ...options, guidance });
      const both = (await run(7, 8)).pictures;
      expect(both[0]).toEqual((await run(7)).pictures[0]);
      expect(both[1]).toEqual((await run(8)).pictures[0]);
      expect(both[0]).not.toEqual(both[1]);
    },
  );

  test('pictures of an adaptive solver choose their own steps', async () => {
    const times = [1, 0.05];
    const steep = { rng: createRng(1), start: new Float32Array(length).fill(40) };
    const [calm] = pictures(2);
    const run = (batch: Parameters<typeof sample>[2]) =>
      sample(dormandPrince(), denoise, batch, { ...options, times });
    const [alone, other, together] = [
      await run([calm!]),
      await run([steep]),
      await run([calm!, steep]),
    ];
    expect(together.pictures).toEqual([...alone.pictures, ...other.pictures]);
    expect(together.evaluations).toBe(alone.evaluations + other.evaluations);
  });

  test.each([
    ['euler', 6],
    ['ddim', 6],
    ['ddpm', 6],
    ['dpmpp-2m', 6],
    ['sde-euler', 6],
    ['heun', 11], // two a step, one in the last
    ['sde-heun', 11],
    ['midpoint', 12],
    ['heun3', 18],
  ] as const)('%s asks %i times for 6 steps', async (name, expected) => {
    const run = (guidance?: { scale: number }) =>
      sample(SOLVERS[name](), denoise, pictures(1), {
        ...options,
        ...(guidance ? { guidance } : {}),
      });
    expect((await run()).evaluations).toBe(expected);
    expect((await run({ scale: 3 })).evaluations).toBe(2 * expected);
  });

  test('guidance 1 never asks for the null condition', async () => {
    const seen = vi.fn(denoise);
    const guided = await sample(SOLVERS.heun(), seen, pictures(1), {
      ...options,
      guidance: { scale: 1 },
    });
    const plain = await sample(SOLVERS.heun(), denoise, pictures(1), options);
    expect(guided).toEqual(plain);
    expect(
      seen.mock.calls.flatMap(([{ rows }]) => rows).every((row) => row.condition === 'asked'),
    ).toBe(true);
  });

  test('guidance on an interval asks for two only inside it', async () => {
    const seen = vi.fn(denoise);
    const guidance = { scale: 2, interval: { from: 0.3, to: 0.7 } };
    await sample(SOLVERS.euler(), seen, pictures(1, 2), {
      ...options,
      times: schedule.times(10),
      guidance,
    });
    const rows = seen.mock.calls.map(([batch]) => batch.rows.length);
    expect(rows).toEqual([2, 2, 2, 4, 4, 4, 4, 4, 2, 2]); // t = 0.7, ..., 0.3, ends included
  });

  test('progress counts whole steps and shows the guided clean estimate', async () => {
    const seen: Progress[] = [];
    const onStep = (progress: Progress) => void seen.push(progress);
    const { pictures: result } = await sample(SOLVERS.ddim(), denoise, pictures(1), {
      ...options,
      guidance: { scale: 2 },
      onStep,
    });
    expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seen.map(({ evaluations }) => evaluations)).toEqual([2, 4, 6, 8, 10, 12]);
    expectClose(seen.at(-1)!.clean[0]!, result[0]!); // the last DDIM step lands on the clean estimate
    expect(seen[0]!.steps).toBe(6);
  });

  test.each(['heun', 'midpoint', 'sde-heun'] as const)(
    '%s reports each step once',
    async (name) => {
      const steps: number[] = [];
      await sample(SOLVERS[name](), denoise, pictures(1), {
        ...options,
        onStep: ({ step }) => void steps.push(step),
      });
      expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
    },
  );

  test('an abort stops before the next query', async () => {
    const [controller, seen] = [new AbortController(), vi.fn(denoise)];
    const onStep = ({ step }: Progress) => {
      if (step === 3) controller.abort(new Error('enough'));
    };
    const run = sample(SOLVERS.euler(), seen, pictures(1), {
      ...options,
      onStep,
      signal: controller.signal,
    });
    await expect(run).rejects.toThrow('enough');
    expect(seen).toHaveBeenCalledTimes(3);
  });

  test('a value that is not finite is named by step and picture', async () => {
    let calls = 0;
    const broken: Denoise = async (batch) => {
      const answer = await denoise(batch);
      if (++calls === 4) answer.clean[length + 5] = Number.NaN;
      return answer;
    };
    await expect(sample(SOLVERS.euler(), broken, pictures(1, 2), options)).rejects.toThrow(
      /finite values of clean for picture 1 in step 3 \(t = 0.5\), got NaN at 5/,
    );
  });

  test('a given start replaces the noise', async () => {
    const start = new Float32Array(length).fill(0.1);
    const half = { ...options, times: [0.5, 0.25, 0] };
    const a = await sample(SOLVERS.euler(), denoise, [{ rng: createRng(1), start }], half);
    const b = await sample(SOLVERS.euler(), denoise, [{ rng: createRng(2), start }], half);
    expect(a).toEqual(b);
    const short = [{ rng: createRng(1), start: start.slice(1) }];
    await expect(sample(SOLVERS.euler(), denoise, short, half)).rejects.toThrow(
      /12 numbers, got 11/,
    );
  });

  test('noise may be drawn given that of another size', async () => {
    const side = { height: 2, width: 2 };
    const draw = (stream: Rng) => noise(stream, { ...side, channels: 3 }, { height: 4, width: 4 });
    const seen: Float32Array[] = [];
    const keep: Denoise = async ({ x }) => {
      seen.push(x.slice());
      return { clean: new Float32Array(length) };
    };
    await sample(SOLVERS.ddpm(), keep, pictures(5), { ...options, times: [1, 0.5, 0], draw });
    expect(seen[0]).toEqual(draw(createRng(5).stream('noise')));
    // alpha(1) = 0: the second x is the posterior's noise alone, sigma(0.5) large.
    expectClose(
      seen[1]!,
      draw(createRng(5).stream('step/0')).map((value) => value / 2),
    );
  });

  test("the start is noise of the schedule's own size", async () => {
    const seen: Float32Array[] = [];
    const keep: Denoise = async ({ x }) => {
      seen.push(x.slice());
      return { clean: x };
    };
    await sample(SOLVERS.ddim(), keep, pictures(5), { schedule: linear(), times: [1, 0], length });
    expect(seen[0]).toEqual(createRng(5).stream('noise').normals(length));
  });
});

describe('guide', () => {
  const asked = {
    clean: Float32Array.from([1, 2, 3, 4]),
    variance: Float32Array.from([0, 1, 0, 1]),
  };
  const nothing = {
    clean: Float32Array.from([0, 4, 3, 2]),
    variance: Float32Array.from([1, 0, 1, 0]),
  };

  test('goes past the asked answer, away from the null one', () => {
    const { clean, variance } = guide(asked, nothing, { scale: 3 });
    expect(Array.from(clean)).toEqual([3, -2, 3, 8]);
    expect(variance).toBe(asked.variance);
  });

  test('scale 0 is the null answer, and channels left out keep the asked one', () => {
    const some = guide(asked, nothing, { scale: 0, guides: firstChannels(1, 2) });
    expect(Array.from(some.clean)).toEqual([0, 2, 3, 4]);
    const planes = guide(asked, nothing, { scale: 0, guides: firstChannels(1, 2, { area: 2 }) });
    expect(Array.from(planes.clean)).toEqual([0, 4, 3, 4]);
  });

  test('the scale may change with t and rests outside its interval', () => {
    const guidance = { scale: (t: number) => 1 + t, interval: { from: 0.25, to: 1 } };
    expect([0.2, 0.25, 0.5].map((t) => guidanceScale(guidance, t))).toEqual([1, 1.25, 1.5]);
  });
});
