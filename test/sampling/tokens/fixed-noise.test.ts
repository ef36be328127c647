/** Fixed-noise Jacobi gives the tokens of sequential decoding, whatever the window, drafter or filters. */
import { expect, test } from 'vitest';
import type { Drafter } from '../../../sampling/tokens/drafters/drafter.ts';
import { neighbour } from '../../../sampling/tokens/drafters/neighbour.ts';
import { networkDrafter } from '../../../sampling/tokens/drafters/network.ts';
import { ngram } from '../../../sampling/tokens/drafters/ngram.ts';
import { uniform } from '../../../sampling/tokens/drafters/uniform.ts';
import { fixedNoiseJacobi } from '../../../sampling/tokens/fixed-noise-jacobi.ts';
import { sequential } from '../../../sampling/tokens/sequential.ts';
import { createRng } from '../../../tensor/rng.ts';
import { lattice, oracle } from './oracle.ts';

const TOY = lattice(8, { height: 4, width: 4 }, 1, 0.7);
const DRAFTERS: readonly Drafter[] = [
  uniform(),
  neighbour({ side: 'left', width: 4 }),
  neighbour({ side: 'above', width: 4 }),
  ngram({ width: 4 }),
];

test('240 pairs of seed and window: the same tokens in fewer passes', async () => {
  let [passes, sequentialPasses] = [0, 0];
  for (let seed = 0; seed < 40; seed++) {
    const model = oracle(TOY);
    const filters = seed % 2 === 0 ? {} : { topK: 5, temperature: 0.9 };
    const expected = await sequential().decode(model, { rngs: [createRng(seed)], filters });
    for (const [i, window] of [1, 2, 3, 5, 8, 16].entries()) {
      const decoder = fixedNoiseJacobi({ window, drafter: DRAFTERS[(seed + i) % 4]! });
      const got = await decoder.decode(model, { rngs: [createRng(seed)], filters });
      expect(got.tokens, `seed ${seed}, window ${window}`).toEqual(expected.tokens);
      expect(got.passes).toBeLessThanOrEqual(expected.passes);
      if (window === 1) expect(got.passes).toBe(expected.passes);
      if (window === 16) [passes, sequentialPasses] = [passes + got.passes, sequentialPasses + 16];
    }
  }
  expect(passes).toBeLessThan(0.6 * sequentialPasses);
});

test('rows of a batch finish on their own', async () => {
  const seeds = [3, 4, 5];
  const decoder = fixedNoiseJacobi({ window: 5, drafter: uniform() });
  const { tokens, trace } = await decoder.decode(oracle(TOY, 3), {
    rngs: seeds.map((s) => createRng(s)),
  });
  for (const [row, seed] of seeds.entries()) {
    const alone = await sequential().decode(oracle(TOY), { rngs: [createRng(seed)] });
    expect(tokens[row]).toEqual(alone.tokens[0]);
    expect(trace.flatMap((pass) => pass[row]!.decided)).toEqual([...tokens[row]!]);
  }
});

test('drafts are drawn by the noise that verifies them: all of a drafter that has the law itself are kept', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const drafter = networkDrafter({ network: oracle(TOY) });
    const decoder = fixedNoiseJacobi({ window: 4, drafter });
    const { passes, trace } = await decoder.decode(oracle(TOY), { rngs: [createRng(seed)] });
    expect(trace.flat().some(({ redrawn }) => redrawn)).toBe(false);
    expect(passes).toBe(1 + Math.ceil((TOY.length - 1) / 4));
  }
});

test('another noise gives other tokens: the comparison can fail', async () => {
  const one = await sequential().decode(oracle(TOY), { rngs: [createRng(1)] });
  const other = await sequential().decode(oracle(TOY), { rngs: [createRng(2)] });
  expect(one.tokens).not.toEqual(other.tokens);
});
