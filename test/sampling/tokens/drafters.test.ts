/** Drafters say the law that their tokens are from: in ragged batches, under guidance, and not otherwise. */
import { expect, test } from 'vitest';
import { block } from '../../../sampling/tokens/drafters/block.ts';
import type { Drafter } from '../../../sampling/tokens/drafters/drafter.ts';
import { networkDrafter } from '../../../sampling/tokens/drafters/network.ts';
import { ngram } from '../../../sampling/tokens/drafters/ngram.ts';
import { retrieval, retrievalStore } from '../../../sampling/tokens/drafters/retrieval.ts';
import { createFilter } from '../../../sampling/tokens/filters.ts';
import { guided } from '../../../sampling/tokens/guided.ts';
import { ucb } from '../../../sampling/tokens/lengths.ts';
import { banditPlan } from '../../../sampling/tokens/plans.ts';
import { createDecoder } from '../../../sampling/tokens/registry.ts';
import { sequential } from '../../../sampling/tokens/sequential.ts';
import { fixedPlan, speculative } from '../../../sampling/tokens/speculative.ts';
import { tree } from '../../../sampling/tokens/tree.ts';
import { beams, branches, type Grow, search } from '../../../sampling/tokens/tree-growth.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';
import { draw } from './chi-square.ts';
import { oracle, randomJoint, type Toy } from './oracle.ts';

const TOY = randomJoint(3, 6, 41);
const spec = (drafter: Drafter, length = 2) => speculative(() => fixedPlan({ drafter, length }));

test('a network drafter reads rows of any length, in as many windows as it takes', async () => {
  const drafter = networkDrafter({ network: oracle(TOY, 3, 2) });
  drafter.begin!(oracle(TOY, 3));
  const lawAfter = (tokens: readonly number[]) => {
    const seen = new Int32Array(6).fill(-1);
    seen.set(tokens);
    return createFilter({}, 3)(TOY.logitsOf(seen, tokens.length, 0));
  };
  const asked = [[0], [2, 1, 0, 1, 2], [1, 1, 2]].map((tokens, row) => ({
    ...{ row, tokens, decided: tokens.length },
  }));
  for (const [i, law] of (await drafter.laws(asked)).entries())
    expectClose(law, lawAfter(asked[i]!.tokens));
  // Other tokens than those it read before: what no longer agrees is rolled back.
  const [law] = await drafter.laws([{ row: 1, tokens: [2, 1, 1], decided: 3 }]);
  expectClose(law!, lawAfter([2, 1, 1]));
});

test('laws that are none are refused, with the drafter and position', async () => {
  const nothing = block({
    ...{ vocabulary: 3, size: 2 },
    forward: async (rows) => rows.map(() => new Float32Array(6).fill(Number.NaN)),
  });
  const options = { rngs: [createRng(1)] };
  const message =
    'block drafter: expected 3 probabilities of sum 1 at position 1, got 3 of sum NaN';
  await expect(spec(nothing).decode(oracle(TOY), options)).rejects.toThrow(message);
  const branching = tree({ drafter: nothing, growth: branches([2]) });
  await expect(branching.decode(oracle(TOY), options)).rejects.toThrow(message);
  // A store that was filled with another codebook's tokens.
  const store = retrievalStore(3, 4, createRng(2));
  store.add([1, 0, 0], [0, 7, 7]);
  store.add([1, 0, 0], [1, 7, 7]);
  store.add([1, 0, 0], [2, 7, 7]);
  const foreign = spec(retrieval({ store, neighbours: 3 }));
  await expect(foreign.decode(oracle(TOY), options)).rejects.toThrow(
    'retrieval drafter: expected 3',
  );
});

/** Rows from B on have the null condition: another joint. */
function twoSided(batch: number): Toy {
  const other = randomJoint(3, 6, 42);
  return {
    ...TOY,
    logitsOf: (seen, target, row) => (row < batch ? TOY : other).logitsOf(seen, target, row),
  };
}
const scaleAt = (place: number) => 1 + 0.4 * place;
const GUIDED: Toy = {
  ...TOY,
  logitsOf: (seen, target) => {
    const [own, free] = [0, 1].map((row) => twoSided(1).logitsOf(seen, target, row));
    return own!.map((z, i) => free![i]! + scaleAt(target) * (z - free![i]!));
  },
};

test.each(['sequential', 'scd-gumbel', 'speculative', 'tree'])(
  '%s under guidance that changes from place to place keeps the guided law',
  async (name) => {
    const options = { 'scd-gumbel': { window: 4 }, speculative: { length: 3 } }[name] ?? {};
    const decoder = createDecoder(name, options, { width: 2 });
    const model = () => guided(oracle(twoSided(50), 100), scaleAt);
    const draws = { n: 4000, seed: 700_000, batch: 50 };
    const { p } = await draw(GUIDED, decoder, { ...draws, model: model() });
    expect(p).toBeGreaterThan(0.001);
    // The test sees guidance: the condition alone has another law.
    const { p: alone } = await draw(TOY, decoder, { ...draws, model: model() });
    expect(alone).toBeLessThan(1e-6);
  },
);

test('retrieval sees the hidden states of conditions under guidance', async () => {
  const widths = new Set<number>();
  const store = retrievalStore(3, 4, createRng(3));
  const spying = {
    ...store,
    nearest: (state: ArrayLike<number>, count: number) => {
      widths.add(state.length);
      return store.nearest(state, count);
    },
  };
  const model = guided(oracle(twoSided(2), 4), 2);
  const decoder = spec(retrieval({ store: spying, neighbours: 2 }));
  await decoder.decode(model, { rngs: [createRng(1), createRng(2)] });
  expect([...widths]).toEqual([3]);
});

test('a store of the greedy picture drafts it: all is kept at temperature 0', async () => {
  const greedy = { rngs: [createRng(1)], filters: { temperature: 0 } };
  const { tokens } = await sequential().decode(oracle(TOY), greedy);
  const store = retrievalStore(3, 8, createRng(4));
  const seen = new Int32Array(6).fill(-1);
  for (let place = 1; place < 6; place++) {
    seen.set(tokens[0]!.subarray(0, place));
    store.add(TOY.logitsOf(seen, place, 0), [...tokens[0]!.subarray(place)]);
  }
  const drafter = retrieval({ store, neighbours: 1, doubt: 0 });
  const got = await spec(drafter).decode(oracle(TOY), greedy);
  expect(got.tokens).toEqual(tokens);
  // Nothing is known before the first hidden state; from then on every draft stands.
  for (const [pass] of got.trace.slice(2)) expect(pass!.accepted).toBe(pass!.drafted.length);
});

test('a drafter of several arms begins once a picture and learns once a pass', async () => {
  const told = { begin: 0, observe: 0 };
  const counting: Drafter = {
    name: 'counting',
    begin: () => void told.begin++,
    laws: (asked) => asked.map(() => Float64Array.of(0.5, 0.25, 0.25)),
    observe: () => void told.observe++,
  };
  const arms = [1, 2, 3, 4].map((length) => ({ drafter: counting, length }));
  const decoder = speculative(() => banditPlan(arms, (n, most) => ucb(n, { most })));
  const { passes } = await decoder.decode(oracle(TOY), { rngs: [createRng(1)] });
  expect(told).toEqual({ begin: 1, observe: passes - 1 }); // the first token is drawn without drafts
});

test('n-gram counts learn a flat region', async () => {
  const sure = Float32Array.of(4, 0, 0, 0, 0, 0, 0, 0);
  const flat: Toy = { vocabulary: 8, length: 64, logitsOf: () => sure };
  const rngs = Array.from({ length: 20 }, (_, i) => createRng(i));
  const { trace } = await spec(ngram({ width: 8 }), 3).decode(oracle(flat, 20), { rngs });
  const kept = (from: number, to: number) => {
    const part = trace
      .flat()
      .filter(({ start, drafted }) => drafted.length > 0 && start >= from && start < to);
    const sum = (of: (pass: (typeof part)[number]) => number) =>
      part.reduce((a, b) => a + of(b), 0);
    return sum(({ accepted }) => accepted) / sum(({ drafted }) => drafted.length);
  };
  expect(kept(32, 64)).toBeGreaterThan(kept(0, 6) + 0.1);
});

test('siblings of a tree are distinct; its drafter is asked for all rows at once', async () => {
  const network = oracle(TOY, 20);
  const decoder = tree({ drafter: networkDrafter({ network }), growth: branches([3]) });
  const rngs = Array.from({ length: 20 }, (_, i) => createRng(i));
  const { trace, passes } = await decoder.decode(oracle(TOY, 20), { rngs });
  const drafts = trace.flat().map(({ drafted }) => drafted);
  expect(drafts.some(({ length }) => length === 3)).toBe(true);
  for (const drafted of drafts) expect(new Set(drafted).size).toBe(drafted.length);
  expect(network.passes).toBeLessThanOrEqual(passes); // its condition's, and one a pass with drafts
});

/** What a tree of drafts of another random law decodes. */
const decodedBy = async (growth: Grow, filters = {}) => {
  const network = oracle(randomJoint(3, 6, 43), 30);
  const rngs = Array.from({ length: 30 }, (_, i) => createRng(i));
  const decoder = tree({ drafter: networkDrafter({ network }), growth });
  return decoder.decode(oracle(TOY, 30), { rngs, filters });
};

test('a beam of one is a branch of one, and a beam of one place is its branches', async () => {
  const tokensBy = async (growth: Grow) => (await decodedBy(growth)).tokens;
  const one = await tokensBy(branches([1, 1, 1]));
  expect(await tokensBy(beams({ width: 1, depth: 3 }))).toEqual(one);
  const flat = await tokensBy(branches([3]));
  expect(await tokensBy(beams({ width: 3, depth: 1 }))).toEqual(flat);
  expect(flat).not.toEqual(one);
});

test('a beam keeps its width at every place, whatever the branches', async () => {
  const { trace } = await decodedBy(beams({ width: 2, depth: 2 }));
  for (const { start, drafted } of trace.flat())
    if (drafted.length > 0) expect(drafted.length).toBe(Math.min(4, 5 - start)); // what the cache has room for
});

test('a search that hardly explores is the chain of the likeliest drafts, and else is wide', async () => {
  const same = networkDrafter({ network: oracle(TOY, 5) });
  const rngs = Array.from({ length: 5 }, (_, i) => createRng(i));
  const keptBy = async (explore: number) => {
    const growth = search({ drafts: 3, depth: 3, explore });
    const options = { rngs, filters: { temperature: 0 } };
    const { trace } = await tree({ drafter: same, growth }).decode(oracle(TOY, 5), options);
    const passes = trace.flat().filter(({ drafted }) => drafted.length === 3);
    return passes.map(({ accepted }) => accepted);
  };
  for (const accepted of await keptBy(1e-9)) expect(accepted).toBe(3);
  expect(Math.min(...(await keptBy(100)))).toBeLessThan(3);
});

test.each([
  [3, 1, 1], // the root alone
  [3, 3, 3], // the root and all drafts but the last
])('a search of %i drafts, %i places asks its drafter %i times a pass at most', async (...row) => {
  const [drafts, depth, most] = row;
  let asked = 0;
  const even: Drafter = {
    name: 'even',
    laws: (rows) => {
      asked += rows.length;
      return rows.map(() => Float64Array.of(0.5, 0.25, 0.25));
    },
  };
  const decoder = tree({ drafter: even, growth: search({ drafts, depth, explore: 10 }) });
  const { trace } = await decoder.decode(oracle(TOY), { rngs: [createRng(1)] });
  const passes = trace.filter(([pass]) => pass!.drafted.length > 0);
  expect(passes.some(([pass]) => pass!.drafted.length === drafts)).toBe(true);
  expect(asked).toBeLessThanOrEqual(most * passes.length);
});

test('a tree of one branch has the law of speculative sampling, and keeps as many drafts', async () => {
  const drafter = () => networkDrafter({ network: oracle(randomJoint(3, 6, 43), 50) });
  const draws = { n: 3000, seed: 710_000, batch: 50 };
  const chain = await draw(TOY, spec(drafter()), draws);
  const branch = await draw(TOY, tree({ drafter: drafter(), growth: branches([1, 1]) }), draws);
  expect(branch.p).toBeGreaterThan(0.001);
  expect(chain.p).toBeGreaterThan(0.001);
  // Four standard errors of the difference of two shares of at least 10,000 drafts each.
  expect(Math.abs(branch.acceptance - chain.acceptance)).toBeLessThan(4 * Math.sqrt(0.5 / 10_000));
  expect(branch.passes).toBeCloseTo(chain.passes, 1);
});

test('a block drafter of k slots takes one pass for k tokens', async () => {
  const passesBy = async (size: number) => {
    let passes = 0;
    const forward = async (decided: readonly unknown[]) => {
      passes++;
      return decided.map(() => new Float32Array(3 * size));
    };
    const drafter = block({ vocabulary: 3, size, forward });
    const { trace } = await spec(drafter, size).decode(oracle(TOY), { rngs: [createRng(1)] });
    const drafted = trace.flat().reduce((sum, pass) => sum + pass.drafted.length, 0);
    return passes / drafted;
  };
  const [one, two, four] = [await passesBy(1), await passesBy(2), await passesBy(4)];
  expect(one).toBe(1);
  expect(two).toBeLessThan(0.75);
  expect(four).toBeLessThan(two);
});
