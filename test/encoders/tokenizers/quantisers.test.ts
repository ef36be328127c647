import { describe, expect, test } from 'vitest';
import type { Quantiser } from '../../../encoders/tokenizers/contract.ts';
import { fsq } from '../../../encoders/tokenizers/fsq.ts';
import { CODEBOOK, type VqConfig, vq } from '../../../encoders/tokenizers/vq.ts';
import { createEngine } from '../../../tensor/engine.ts';
import type { HostTensor, HostTensors } from '../../../tensor/program.ts';
import { createRng } from '../../../tensor/rng.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import { expectClose } from '../../close.ts';

const engine = createEngine({ threads: 1 });

/** Everything that a quantiser says of latents, and the gradient of sum(weigh * codes) + losses. */
async function quantise(quantiser: Quantiser, latents: HostTensor, weights: HostTensors = {}) {
  const names = Object.keys(weights);
  const total = (z: Tensor, w: Record<string, Tensor>, weigh: Tensor, loss: number) => {
    const { codes, losses } = quantiser.quantise(w, z);
    const added = Object.values(losses).reduce((a, b) => a.add(b), tf.scalar(0) as Tensor);
    return tf.sum(codes.mul(weigh)).add(added.mul(loss)) as tf.Scalar;
  };
  const weigh = createRng(8).normals(latents.data.length);
  const program = await engine.compile(
    ({ inputs, weights: w }) => {
      const { codes, tokens, losses } = quantiser.quantise(w, inputs.z!);
      const grads = (loss: number) =>
        tf.grads((z, ...rest) =>
          total(z!, Object.fromEntries(names.map((n, i) => [n, rest[i]!])), inputs.weigh!, loss),
        )([inputs.z!, ...names.map((name) => w[name]!)]);
      const [through, withLosses] = [grads(0), grads(1)];
      return {
        outputs: {
          codes,
          tokens,
          back: quantiser.lookup(w, tokens),
          dz: through[0]!,
          dzLosses: withLosses[0]!,
          ...(names.length > 0 ? { dbook: withLosses[1]! } : {}),
          ...losses,
        },
      };
    },
    { inputs: { z: latents, weigh: latents }, weights },
    { weights: 'live' },
  );
  const out = await program.run(
    { z: latents, weigh: { data: weigh, shape: latents.shape } },
    { weights },
  );
  await program.dispose();
  return { out: Object.fromEntries(Object.entries(out).map(([k, v]) => [k, [...v.data]])), weigh };
}

const latentsOf = (shape: readonly number[], scale = 1, seed = 1): HostTensor => ({
  data: createRng(seed)
    .normals(shape.reduce((a, b) => a * b, 1))
    .map((v) => v * scale),
  shape,
});

describe('FSQ', () => {
  const levels = [8, 5, 3, 4];

  test('codes and numbers are one to one, and the number is written with digits, the first fastest', async () => {
    const quantiser = fsq({ kind: 'fsq', levels });
    expect(quantiser.vocabulary).toBe(480);
    const tokens = Int32Array.from({ length: 480 }, (_, i) => i);
    const program = await engine.compile(
      ({ inputs }) => ({ outputs: { codes: quantiser.lookup({}, inputs.tokens!) } }),
      { inputs: { tokens: { shape: [1, 24, 20], dtype: 'int32' } } },
    );
    const { codes } = await program.run({ tokens: { data: tokens, shape: [1, 24, 20] } });
    await program.dispose();
    const digit = (token: number, i: number) =>
      Math.floor(token / [1, 8, 40, 120][i]!) % levels[i]!;
    const expected = [...tokens].flatMap((token) =>
      levels.map((level, i) => digit(token, i) / Math.floor(level / 2) - 1),
    );
    expectClose(codes!.data, expected);
    const codesOf = [...tokens].map((i) => expected.slice(4 * i, 4 * i + 4).join());
    expect(new Set(codesOf).size).toBe(480);
  });

  test('every code is reached and nothing beyond; what is quantised is looked up again', async () => {
    const { out } = await quantise(fsq({ kind: 'fsq', levels }), latentsOf([1, 128, 256, 4], 2));
    expect(new Set(out.tokens).size).toBe(480);
    expect(Math.min(...out.tokens!)).toBe(0);
    expect(Math.max(...out.tokens!)).toBe(479);
    expectClose(out.codes!, out.back!);
  });

  test('fewer than three levels are refused', () => {
    expect(() => fsq({ kind: 'fsq', levels: [5, 2] })).toThrow(/at least 3, got \[5, 2\]/);
  });

  test('zero is a level of its own, the middle one of an odd number', async () => {
    const zero = { data: new Float32Array(4), shape: [1, 1, 1, 4] };
    const { out } = await quantise(fsq({ kind: 'fsq', levels }), zero);
    expectClose(out.codes!, [0, 0, 0, 0]);
  });

  test('the gradient is that of the bound, as if nothing had been rounded', async () => {
    const latents = latentsOf([1, 2, 3, 4]);
    const { out, weigh } = await quantise(fsq({ kind: 'fsq', levels }), latents);
    const expected = Array.from(latents.data, (z, i) => {
      const level = levels[i % 4]!;
      const reach = ((level - 1) * 1.001) / 2;
      const shift = Math.atanh((level % 2 === 0 ? 0.5 : 0) / reach);
      const slope = (reach * (1 - Math.tanh(z + shift) ** 2)) / Math.floor(level / 2);
      return weigh[i]! * slope;
    });
    // float32 through tanh near 1, where 1 - tanh^2 loses digits
    expectClose(out.dz!, expected, { rtol: 1e-4, atol: 1e-5 });
  });
});

describe('VQ', () => {
  const config: VqConfig = {
    kind: 'vq',
    codes: 32,
    width: 4,
    commitment: 0.25,
    entropy: 0,
    codebook: 'gradient',
  };
  const unit = (row: readonly number[]) => row.map((v) => v / Math.hypot(...row));
  const rowsOf = ({ data }: HostTensor) =>
    Array.from({ length: data.length / 4 }, (_, i) => [...data.subarray(4 * i, 4 * i + 4)]);
  const latents = latentsOf([2, 3, 5, 4], 2);
  const weights = vq(config).init(createRng(3));
  const book = rowsOf(weights[CODEBOOK]!).map(unit);
  const z = rowsOf(latents).map(unit);
  const square = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0);
  const nearest = z.map((row) => {
    const distances = book.map((code) => square(row, code));
    return distances.indexOf(Math.min(...distances));
  });

  test('takes the nearest code on the sphere; its losses are mean squared distances', async () => {
    const { out } = await quantise(vq(config), latents, weights);
    expect(out.tokens).toEqual(nearest);
    expectClose(
      out.codes!,
      nearest.flatMap((token) => book[token]!),
    );
    expectClose(out.back!, out.codes!);
    const loss = z.reduce((sum, row, i) => sum + square(row, book[nearest[i]!]!), 0) / (4 * 30);
    expectClose(out.codebook!, [loss]);
    expectClose(out.commitment!, [0.25 * loss]);
  });

  test('the length of a latent does not matter', async () => {
    const longer = { ...latents, data: latents.data.map((v) => 17 * v) as Float32Array };
    const { out } = await quantise(vq(config), longer, weights);
    expect(out.tokens).toEqual(nearest);
  });

  /** Of u = z / |z|: (g - (g.u) u) / |z|. */
  const throughUnit = (row: readonly number[], g: readonly number[]) => {
    const u = unit(row);
    const along = g.reduce((sum, v, i) => sum + v * u[i]!, 0);
    return g.map((v, i) => (v - along * u[i]!) / Math.hypot(...row));
  };

  test('gradients: of codes straight to latents, of commitment to latents, of the codebook loss to codes', async () => {
    const { out, weigh } = await quantise(vq(config), latents, weights);
    const raw = rowsOf(latents);
    const weighed = rowsOf({ data: weigh, shape: [30, 4] });
    expectClose(
      out.dz!,
      raw.flatMap((row, i) => throughUnit(row, weighed[i]!)),
      { rtol: 1e-4, atol: 1e-5 }, // a difference of two products of size 1
    );
    const scale = (0.25 * 2) / (4 * 30);
    const pull = raw.flatMap((row, i) =>
      throughUnit(
        row,
        weighed[i]!.map((v, c) => v + scale * (z[i]![c]! - book[nearest[i]!]![c]!)),
      ),
    );
    expectClose(out.dzLosses!, pull, { rtol: 1e-4, atol: 1e-5 });
    const stored = rowsOf(weights[CODEBOOK]!);
    const moved = stored.flatMap((row, code) => {
      const g = [0, 0, 0, 0];
      for (const [i, token] of nearest.entries())
        if (token === code) for (let c = 0; c < 4; c++) g[c]! += book[code]![c]! - z[i]![c]!;
      return throughUnit(
        row,
        g.map((v) => (2 * v) / (4 * 30)),
      );
    });
    expectClose(out.dbook!, moved, { rtol: 1e-4, atol: 1e-6 });
  });

  test('a codebook that follows averages has no loss and no gradient', async () => {
    const { out } = await quantise(vq({ ...config, codebook: 'average' }), latents, weights);
    expect(out.codebook).toBeUndefined();
    expect(out.dbook!.every((v) => v === 0)).toBe(true);
  });

  test('the entropy loss falls from one code for all latents to one each', async () => {
    const clustered = latentsOf([1, 1, 8, 4]);
    const same = { ...clustered, data: new Float32Array(32).fill(1) };
    const apart = {
      data: Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) => book[i]!)),
      shape: [1, 1, 8, 4],
    };
    const entropies = vq({ ...config, entropy: 1 });
    const of = async (given: HostTensor) =>
      (await quantise(entropies, given, weights)).out.entropy![0]!;
    expect(await of(apart)).toBeLessThan((await of(same)) - 1);
    expect(await of(apart)).toBeGreaterThan(-Math.log(32));
  });
});
