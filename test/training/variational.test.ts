import { afterAll, describe, expect, test } from 'vitest';
import {
  variationalBits as bitsOnHost,
  gaussianTables,
  modelMoments,
  noised,
} from '../../sampling/diffusion/gaussian.ts';
import { toAnswer } from '../../sampling/diffusion/prediction.ts';
import { cosine } from '../../sampling/diffusion/schedules/cosine.ts';
import { timeOfEntry } from '../../sampling/diffusion/schedules/discrete.ts';
import { linear, linearBetas } from '../../sampling/diffusion/schedules/linear.ts';
import { createEngine } from '../../tensor/engine.ts';
import type { HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { tf } from '../../tensor/tf.ts';
import { createObjective, noisePicture } from '../../training/objective.ts';
import {
  BOUND_WIDTH,
  type BoundInputs,
  boundOf,
  snapTime,
  variationalBits,
} from '../../training/variational.ts';
import { expectClose } from '../close.ts';

const engine = createEngine({ threads: 1 });
afterAll(() => expect(engine.open).toBe(0));

const schedule = linear();
const entries = [0, 1, 2, 500, 998, 999];
const SIDE = 4;
const size = SIDE * SIDE * 3;
const shape = [entries.length, SIDE, SIDE, 3];
const draw = (name: string, of: (value: number) => number = (value) => value) =>
  createRng(5)
    .stream(name)
    .normals(entries.length * size)
    .map(of);

/** Pixels at both ends and between, whose bins differ. */
const clean = draw('clean', (value) => Math.min(Math.max(value, -1), 1));
const noise = draw('noise');
const miss = draw('miss');
const said = noise.map((value, i) => value + 0.1 * miss[i]!);
const variance = draw('variance', (value) => Math.tanh(value));
const times = entries.map((entry) => timeOfEntry(entry, 1000));
const inputs: HostTensors = {
  said: { data: said, shape },
  variance: { data: variance, shape },
  noise: { data: noise, shape },
  clean: { data: clean, shape },
  bound: {
    data: Float32Array.from(times.flatMap((t) => boundOf(schedule, t))),
    shape: [entries.length, BOUND_WIDTH],
  },
};
const specs = Object.fromEntries(
  Object.entries(inputs).map(([name, tensor]) => [name, { shape: tensor.shape }]),
);

describe('variational bits', () => {
  test('are those of the process, from means computed in full', async () => {
    const tables = gaussianTables(linearBetas(1000));
    const expected = entries.map((entry, i) => {
      const row = (values: Float32Array) => values.slice(i * size, (i + 1) * size);
      const x = noised(row(clean), row(noise), schedule, times[i]!);
      const estimate = toAnswer(row(said), x, { from: 'noise', schedule, t: times[i]! }).clean;
      const fraction = row(variance).map((value) => (value + 1) / 2);
      const model = modelMoments(tables, entry, { clean: estimate, x, fraction });
      return bitsOnHost(tables, entry, { clean: row(clean), x, model });
    });
    const program = await engine.compile(
      ({ inputs: given }) => ({ outputs: { bits: variationalBits(given as BoundInputs) } }),
      { inputs: specs },
    );
    const { bits } = await program.run(inputs);
    await program.dispose();
    // The clean estimate of the full computation loses digits near t = 1: 1e-4 is its error.
    expectClose(bits!.data, expected, { rtol: 1e-4, atol: 1e-6 });
    expect(Math.max(...expected)).toBeGreaterThan(0.01);
  });

  test('train the variance alone', async () => {
    const program = await engine.compile(
      ({ inputs: given }) => {
        const gradients = tf.grads((a, b) =>
          tf.sum(variationalBits({ ...given, said: a!, variance: b! } as BoundInputs)),
        )([given.said!, given.variance!]);
        return { outputs: { said: gradients[0]!, variance: gradients[1]! } };
      },
      { inputs: specs },
    );
    const gradients = await program.run(inputs);
    await program.dispose();
    expect(gradients.said!.data.every((value) => value === 0)).toBe(true);
    expect(gradients.variance!.data.every(Number.isFinite)).toBe(true);
    expect(gradients.variance!.data.some((value) => Math.abs(value) > 1e-5)).toBe(true);
  });

  test('vanish for the right noise with the posterior variance', async () => {
    const program = await engine.compile(
      ({ inputs: given }) => ({
        outputs: {
          bits: variationalBits({
            ...given,
            said: given.noise!,
            variance: tf.fill(shape, -1),
          } as BoundInputs),
        },
      }),
      { inputs: specs },
    );
    const { bits } = await program.run(inputs);
    await program.dispose();
    expectClose(bits!.data.slice(1), [0, 0, 0, 0, 0], { rtol: 0, atol: 1e-6 });
    expect(bits!.data[0]).toBeGreaterThan(0.1); // pixels have 256 values: the last step still costs bits
  });
});

test('times are moved up to the end of their step', () => {
  expect([0, 0.0004, 0.001, 0.4999, 0.9999].map(snapTime)).toEqual([0.001, 0.001, 0.002, 0.5, 1]);
});

test('the bound is finite where a schedule ends without signal', () => {
  for (const t of [0.001, 0.5, 0.999, 1])
    expect(boundOf(cosine(), t).every(Number.isFinite)).toBe(true);
});

describe('objectives', () => {
  test('with learned variances need noise, and noise a schedule with signal to its end', () => {
    const network = { variance: true };
    expect(() => createObjective({ prediction: 'clean', schedule: 'flow' }, network)).toThrow(
      /^objective\.prediction: expected 'noise' .*, got 'clean'/,
    );
    for (const schedule of ['flow', 'gvp', 'cosine'] as const)
      expect(() => createObjective({ prediction: 'noise', schedule }, network)).toThrow(
        `objective.schedule: expected 'linear' for prediction 'noise', got '${schedule}'`,
      );
    createObjective({ prediction: 'noise', schedule: 'linear' }, network);
  });

  test('of velocity may add one minus the cosine of channels', () => {
    const cosineOf = (said: number[]) =>
      tf.tidy(() => {
        const error = createObjective(
          { prediction: 'velocity', schedule: 'flow', cosine: true },
          { variance: false },
        );
        const batch = {
          target: tf.tensor([1, 0, 0, 2], [1, 1, 2, 2]),
          weight: tf.tensor1d([1]),
        };
        return error(tf.tensor(said, [1, 1, 2, 2]), batch).dataSync()[0];
      });
    expect(cosineOf([1, 0, 0, 2])).toBeCloseTo(0, 6);
    expect(cosineOf([0, 1, 0, 2])).toBeCloseTo((1 + 1) / 4 + 1 / 2, 6);
    expect(cosineOf([-1, 0, 0, 2])).toBeCloseTo(4 / 4 + 2 / 2, 6);
  });

  test('of the clean picture divide by t, down to the least', () => {
    const into = () => ({ x: new Float32Array(1), target: new Float32Array(1) });
    const one = Float32Array.of(1);
    const weight = (t: number, least?: number) =>
      noisePicture(
        { prediction: 'clean', schedule: 'flow', ...(least ? { least } : {}) },
        one,
        one,
        t,
        into(),
      );
    expect(weight(0.5)).toBeCloseTo(4, 10);
    expect(weight(0.01)).toBeCloseTo(400, 10);
    expect(weight(0.01, 0.02)).toBeCloseTo(2500, 8);
  });
});
