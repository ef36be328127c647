/** A drafter of several tokens a pass over a pooled context: its reductions, its law, and its training. */
import { afterAll, expect, test } from 'vitest';
import { bagOfWords } from '../../encoders/conditioning/attributes.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { type BlockConfig, initBlock } from '../../generators/block-drafter.ts';
import { checkBlock, createBlockSession } from '../../generators/compile-block.ts';
import { block } from '../../sampling/tokens/drafters/block.ts';
import { createFilter } from '../../sampling/tokens/filters.ts';
import { fixedPlan, speculative } from '../../sampling/tokens/speculative.ts';
import { createEngine } from '../../tensor/engine.ts';
import type { HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { trainBlock } from '../../training/block-training.ts';
import { expectClose, largestDifference } from '../close.ts';
import { draw } from '../sampling/tokens/chi-square.ts';
import { randomJoint } from '../sampling/tokens/oracle.ts';

const engine = createEngine({ threads: 1 });
afterAll(() => expect(engine.open).toBe(0));

const CONFIG: BlockConfig = {
  ...{ codes: 5, words: 2, width: 16, depth: 2, heads: 2, hidden: 24 },
  ...{ slots: 3, rows: 2, pool: 2 },
};
const GRID = raster(4, 4);

/** Weights without zeros, the same for every way to pool. */
const stirred = (config: BlockConfig): HostTensors =>
  Object.fromEntries(
    Object.entries(initBlock(config, createRng(1))).map(([name, { data, shape }]) => {
      const noise = createRng(2).stream(name).normals(data.length);
      return [name, { data: Float32Array.from(data, (v, i) => v + 0.3 * noise[i]!), shape }];
    }),
  );

/** Logits after each of some prefixes, asked together. */
async function logitsAfter(
  changes: Partial<BlockConfig>,
  prefixes: readonly (readonly number[] | undefined)[],
): Promise<Float32Array[]> {
  const config = { ...CONFIG, ...changes };
  const session = createBlockSession(engine, {
    ...{ config, grid: GRID, weights: stirred(config), batch: prefixes.length },
  });
  session.condition(bagOfWords([[{ id: 0 }], [{ id: 1 }], []].slice(0, prefixes.length), 2));
  const found = await session.forward(prefixes);
  await session.dispose();
  return found;
}
const prefix = (length: number, seed = 3) =>
  Array.from({ length }, (_, i) => createRng(seed).stream(`${i}`).integer(5));

test('groups of one token are the tokens: nothing is lost, wherever the border lies', async () => {
  const prefixes = [prefix(14), prefix(5, 4), prefix(1, 5)];
  const whole = await logitsAfter({ rows: 4, pool: 1 }, prefixes);
  for (const rows of [1, 2, 3]) {
    const grouped = await logitsAfter({ rows, pool: 1 }, prefixes);
    for (const [row, logits] of grouped.entries())
      expectClose(logits, whole[row]!, { rtol: 1e-4, atol: 1e-5 }); // softmax over other orders
  }
  const pooled = await logitsAfter({ rows: 2, pool: 2 }, prefixes);
  expect(largestDifference(pooled[0]!, whole[0]!)).toBeGreaterThan(1e-3);
  // The first row and the one above it are never pooled.
  expectClose(pooled[1]!, whole[1]!, { rtol: 1e-4, atol: 1e-5 });
});

test('a row has its own words and tokens, whatever the others have, and may be left out', async () => {
  const [both, alone] = [
    await logitsAfter({}, [prefix(9), prefix(6, 4)]),
    await logitsAfter({}, [prefix(9), undefined]),
  ];
  expectClose(alone[0]!, both[0]!, { rtol: 1e-5 });
  const [first, second] = await logitsAfter({}, [prefix(9), prefix(9)]); // told different words
  expect(largestDifference(first!, second!)).toBeGreaterThan(1e-3);
});

test('speculative decoding of its drafts keeps the law', async () => {
  const toy = randomJoint(3, 6, 61);
  const config = { ...CONFIG, codes: 3, slots: 2, rows: 1, pool: 3 };
  const session = createBlockSession(engine, {
    ...{ config, grid: raster(2, 3), weights: stirred(config), batch: 50 },
  });
  session.condition(bagOfWords(Array(50).fill([]), 2));
  const decoder = speculative(() => fixedPlan({ drafter: block(session), length: 3 }));
  const { p, acceptance } = await draw(toy, decoder, { n: 3000, seed: 910_000, batch: 50 });
  expect(p).toBeGreaterThan(0.001);
  expect(acceptance).toBeGreaterThan(0.1);
  await session.dispose();
});

test('learns pictures whose tokens follow from their words', async () => {
  const pictures = Array.from({ length: 32 }, (_, i) => i % 2);
  const tokens = pictures.flatMap((word) => Array<number>(16).fill(1 + 2 * word));
  const losses: number[] = [];
  const config = { ...CONFIG, depth: 1 };
  const weights = await trainBlock({
    ...{ engine, config, steps: 60, batch: 8, rate: 0.01, rng: createRng(7) },
    data: {
      tokens: { data: Int32Array.from(tokens), shape: [32, 4, 4] },
      words: pictures.map((word) => [word]),
    },
    onStep: ({ loss }) => losses.push(loss),
  });
  expect(losses[0]).toBeCloseTo(Math.log(5), 5); // a head of zeros knows nothing
  expect(losses.at(-1)!).toBeLessThan(0.2);
  const session = createBlockSession(engine, { config, grid: GRID, weights, batch: 2 });
  session.condition(bagOfWords([[{ id: 0 }], [{ id: 1 }]], 2));
  const [none, some] = await session.forward([
    [1, 1, 1],
    [3, 3, 3],
  ]);
  const lawOf = createFilter({}, 5);
  expect(lawOf(none!.subarray(0, 5))[1]!).toBeGreaterThan(0.8);
  expect(lawOf(some!.subarray(5, 10))[3]!).toBeGreaterThan(0.8);
  await session.dispose();
});

test.each<[Partial<BlockConfig>, string]>([
  [{ pool: 3 }, 'expected groups that divide a row of 4 tokens, got 3'],
  [{ rows: 5 }, 'expected at most 4 rows kept, got 5'],
  [{ width: 18 }, 'a multiple of 4 and of the 2 heads, got 18'],
])('%j is refused', (changes, sentence) => {
  expect(() => checkBlock({ ...CONFIG, ...changes }, GRID)).toThrow(sentence);
});
