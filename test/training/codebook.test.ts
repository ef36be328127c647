import { describe, expect, test } from 'vitest';
import { CODEBOOK } from '../../encoders/tokenizers/vq.ts';
import type { HostTensor, HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { createArena } from '../../tensor/simd.ts';
import { type CodebookOptions, tendCodebook } from '../../training/codebook.ts';
import type { Optimiser } from '../../training/optimisers/optimiser.ts';
import { expectClose } from '../close.ts';

const floats = (data: readonly number[], shape: readonly number[]): HostTensor => ({
  data: Float32Array.from(data),
  shape,
});
/** Changes nothing, but has a moment that a reset must clear. */
const still: Optimiser = {
  moments: () => ({ [`${CODEBOOK}/first`]: [3, 2] }),
  update: async () => {},
};

function begin(options: Partial<CodebookOptions> = {}) {
  const weights = { [CODEBOOK]: floats([1, 0, 0, 1, -1, 0], [3, 2]) };
  const optimiser = tendCodebook(still, {
    codebook: 'average',
    decay: 0.9,
    rng: createRng(1),
    ...options,
  });
  const moments = Object.fromEntries(
    Object.entries(optimiser.moments(weights)).map(([name, shape]) => [
      name,
      floats(Array(sizeOf(shape)).fill(name.endsWith('first') ? 7 : 0), shape),
    ]),
  );
  const arena = createArena([]);
  const step = (count: number, watched: readonly HostTensors[]) =>
    optimiser.update(weights, {}, moments, {
      step: count,
      rate: 1,
      gradientScale: 1,
      arena,
      watched,
    });
  return { codes: weights[CODEBOOK].data, moments, step };
}
const met = (tokens: readonly number[], latents: readonly number[]): HostTensors => ({
  tokens: { data: Int32Array.from(tokens), shape: [tokens.length] },
  latents: floats(latents, [tokens.length, 2]),
});
const valuesOf = (moments: HostTensors, name: string) => [...moments[`${CODEBOOK}/${name}`]!.data];

describe('a codebook of averages', () => {
  test('use and sums are moving averages; a code points along its sum; others stay', async () => {
    const { codes, moments, step } = begin();
    await step(1, [met([0, 0], [0.6, 0.8, 1, 0]), met([1, 0], [0, 1, 0.8, 0.6])]);
    expectClose(valuesOf(moments, 'use'), [0.1 * 0.75, 0.1 * 0.25, 0]);
    expectClose(valuesOf(moments, 'sum'), [0.06, 0.035, 0, 0.025, 0, 0]);
    const length = Math.hypot(2.4, 1.4);
    expectClose(codes, [2.4 / length, 1.4 / length, 0, 1, -1, 0]);
    await step(2, [met([1], [0.6, -0.8])]);
    expectClose(valuesOf(moments, 'use'), [0.0675, 0.1225, 0]);
    expectClose(valuesOf(moments, 'sum').slice(2, 4), [0.06, 0.0225 - 0.08]);
  });

  test('with gradients the codes are left to the optimiser', async () => {
    const { codes, moments, step } = begin({ codebook: 'gradient' });
    await step(1, [met([0, 0], [0.6, 0.8, 1, 0])]);
    expect([...codes]).toEqual([1, 0, 0, 1, -1, 0]);
    expect(moments[`${CODEBOOK}/sum`]).toBeUndefined();
  });
});

describe('reset', () => {
  const reset = { below: 0.5, until: 2 };
  const latents = [0.6, 0.8, 0.8, -0.6];

  test('a dead code becomes a latent of the batch, with the mean use and no momentum; live ones stay', async () => {
    const { codes, moments, step } = begin({ codebook: 'gradient', reset });
    await step(1, [met([0, 1], latents)]);
    expect([...codes].slice(0, 4)).toEqual([1, 0, 0, 1]);
    const row = [...codes].slice(4);
    const choices = [latents.slice(0, 2), latents.slice(2)].map((v) => [...Float32Array.from(v)]);
    expect(choices).toContainEqual(row);
    expectClose(valuesOf(moments, 'use'), [0.05, 0.05, 0.1 / 3]);
    expect(valuesOf(moments, 'first')).toEqual([7, 7, 7, 7, 0, 0]);
  });

  test('is drawn from the stream of its step: the same again, and another in another step', async () => {
    const many = Array.from({ length: 40 }, (_, i) => [Math.cos(i), Math.sin(i)]).flat();
    const tokens = Array(40).fill(0) as number[];
    const run = async (count: number) => {
      const { codes, step } = begin({ reset: { below: 0.5, until: 9 } });
      await step(count, [met(tokens, many)]);
      return [...codes];
    };
    expect(await run(3)).toEqual(await run(3));
    expect(await run(3)).not.toEqual(await run(4));
  });

  test('ends after its last step', async () => {
    const { codes, step } = begin({ codebook: 'gradient', reset });
    await step(3, [met([0, 1], latents)]);
    expect([...codes]).toEqual([1, 0, 0, 1, -1, 0]);
  });
});
