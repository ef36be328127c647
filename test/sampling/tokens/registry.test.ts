/** Every decoder by name on one toy; bad input in one sentence. */
import { expect, test } from 'vitest';
import { constrained } from '../../../sampling/tokens/constrained.ts';
import type { TokenModel } from '../../../sampling/tokens/contract.ts';
import { networkDrafter } from '../../../sampling/tokens/drafters/network.ts';
import { retrieval, retrievalStore } from '../../../sampling/tokens/drafters/retrieval.ts';
import { createFilter } from '../../../sampling/tokens/filters.ts';
import { createDecoder, DECODERS } from '../../../sampling/tokens/registry.ts';
import { sequential } from '../../../sampling/tokens/sequential.ts';
import { fixedPlan, speculative } from '../../../sampling/tokens/speculative.ts';
import { createRng } from '../../../tensor/rng.ts';
import { chiSquare, draw, upperGamma } from './chi-square.ts';
import { lattice, oracle } from './oracle.ts';

const TOY = lattice(6, { height: 8, width: 8 }, 31);
const context = {
  width: 8,
  nearest: () => Array.from({ length: 6 }, (_, i) => [(i + 1) % 6, (i + 5) % 6]),
};

test.each(Object.entries(DECODERS))('%s', async (name, { property }) => {
  const decoder = createDecoder(name, {}, context);
  expect(decoder.property).toBe(
    property === 'approximate' && name === 'zipar' ? 'identical' : property,
  );
  const seen: number[] = [];
  const model = oracle(TOY, 2);
  const onPass = (pass: readonly unknown[]) => void seen.push(pass.length);
  const { tokens, passes, trace } = await decoder.decode(model, {
    rngs: [createRng(1), createRng(2)],
    onPass,
  });
  expect(model.passes).toBe(passes);
  expect(trace.length).toBe(passes);
  expect(seen).toEqual(trace.map(() => 2));
  for (const [row, list] of tokens.entries()) {
    const decided = new Int32Array(64).fill(-1);
    for (const pass of trace) {
      const { start, decided: found, drafted, accepted, places } = pass[row]!;
      expect(accepted).toBeLessThanOrEqual(drafted.length);
      for (const [i, token] of found.entries()) decided[places?.[i] ?? start + i] = token;
    }
    expect(decided).toEqual(list);
  }
});

test.each(['ucb', 'exp3'])('a bandit by %s finds the drafter that is kept', async (rule) => {
  const passesBy = async (given: object) => {
    const own = { ...context, network: networkDrafter({ network: oracle(TOY) }) };
    const decoder = createDecoder('bandit', { limit: 4, rule, drafter: 'left', ...given }, own);
    const { passes, trace } = await decoder.decode(oracle(TOY), { rngs: [createRng(7)] });
    expect(trace.length).toBe(passes);
    return passes;
  };
  // The network is the model itself, so all that it drafts is kept.
  expect(await passesBy({ second: 'network' })).toBeLessThan(0.8 * (await passesBy({})));
  expect(await passesBy({ second: 'left', third: 'none' })).toBe(await passesBy({}));
});

const NARROW = lattice(12, { height: 8, width: 8 }, 34);
const narrowContext = {
  width: 8,
  nearest: () => Array.from({ length: 12 }, (_, i) => [(i + 1) % 12, (i + 11) % 12]),
};
const rngs = () => Array.from({ length: 4 }, (_, i) => createRng(i));

test.each(Object.keys(DECODERS))('%s at temperature 0 has the likeliest tokens', async (name) => {
  const greedy = { rngs: rngs(), filters: { temperature: 0 } };
  const likeliest = await sequential().decode(oracle(NARROW, 4), greedy);
  const decoder = createDecoder(name, {}, narrowContext);
  expect((await decoder.decode(oracle(NARROW, 4), greedy)).tokens).toEqual(likeliest.tokens);
});

test.each(Object.keys(DECODERS))('%s draws nothing that top-k took out', async (name) => {
  const filters = { topK: 6 };
  const lawOf = createFilter(filters, 12);
  const decoder = createDecoder(name, {}, narrowContext);
  const { tokens } = await decoder.decode(oracle(NARROW, 4), { rngs: rngs(), filters });
  const chances = tokens.flatMap((list) =>
    Array.from(list, (token, place) => {
      const seen = new Int32Array(64).fill(-1);
      seen.set(list.subarray(0, place));
      return lawOf(NARROW.logitsOf(seen, place, 0))[token]!;
    }),
  );
  expect(Math.min(...chances)).toBeGreaterThan(0);
});

const options = { rngs: [createRng(1)] };
const decode = (name: string, given = {}, model: TokenModel = oracle(TOY)) =>
  createDecoder(name, given, context).decode(model, options);

test('bad input is one sentence', async () => {
  const small = oracle(lattice(6, { height: 2, width: 2 }, 1));
  await expect(decode('sjd', { window: 5 }, small)).rejects.toThrow(
    "window: expected an integer from 1 to the sequence's 4 tokens, got 5",
  );
  const drafts = 'expected an integer up to 3, the drafts that a pass has room for, got';
  await expect(decode('speculative', { length: 4 }, small)).rejects.toThrow(`length: ${drafts} 4`);
  await expect(decode('tree', { depth: 5 }, small)).rejects.toThrow(`depth: ${drafts} 5`);
  const other = networkDrafter({ network: oracle(lattice(5, { height: 8, width: 8 }, 1)) });
  const mixed = speculative(() => fixedPlan({ drafter: other, length: 2 }));
  await expect(mixed.decode(oracle(TOY), options)).rejects.toThrow(
    "network drafter: expected a drafter of the model's vocabulary of 6 tokens, got 5",
  );
  await expect(
    sequential().decode(oracle(TOY), { ...options, filters: { topK: 7 } }),
  ).rejects.toThrow("top-k: expected an integer from 1 to the vocabulary's 6, got 7");
  const masked = constrained({ constraint: { mask: [1, 1, 1] } });
  await expect(masked.decode(oracle(TOY), options)).rejects.toThrow('mask: expected 6 entries');
  await expect(sequential().decode(oracle(TOY), { rngs: [] })).rejects.toThrow(
    'expected 1 streams',
  );
});

test.each(['ragged', 'bandit'])(
  '%s drafts at most what a short sequence has room for',
  async (name) => {
    const small = oracle(lattice(6, { height: 2, width: 2 }, 1));
    const { tokens } = await createDecoder(name, {}, { width: 2 }).decode(small, options);
    expect(tokens[0]!.length).toBe(4);
  },
);

test.each([
  ['sequential', {}],
  ['fixed-noise', { window: 3 }],
  ['zipar', { lead: 8 }],
  // What follows each of a tree's branches is about one place, whatever the draft's index.
  ['tree', { width: 6, depth: 3, drafter: 'uniform' }],
])(
  '%s %j: logits that are no numbers are reported with their place and step',
  async (name, given) => {
    const broken = oracle({
      ...TOY,
      logitsOf: (seen, target, row) => {
        const logits = TOY.logitsOf(seen, target, row);
        if (target === 5) logits[2] = Number.NaN;
        return logits;
      },
    });
    for (let seed = 0; seed < 10; seed++) {
      const decoding = createDecoder(name, given, context).decode(broken, {
        rngs: [createRng(seed)],
      });
      await expect(decoding).rejects.toThrow(
        /^decode: expected finite logits, got NaN for token 2 at position 5 in step [2-6]$/,
      );
      if (name === 'sequential') await expect(decoding).rejects.toThrow('in step 6');
    }
  },
);

test('options are checked', () => {
  expect(() => createDecoder('jump', {}, context)).toThrow('decoder: expected one of sequential, ');
  expect(() => createDecoder('sjd', { windw: 3 }, context)).toThrow(
    "expected options window, drafter, got 'windw'",
  );
  expect(() => createDecoder('sjd', { window: 2.5 }, context)).toThrow(
    'expected an integer from 1 to 64, got 2.5',
  );
  expect(() => createDecoder('sjd', { drafter: 'owl' }, context)).toThrow("got 'owl'");
  expect(() => createDecoder('sjd', { drafter: 'network' }, context)).toThrow(
    'for a model that has none',
  );
  expect(() => createDecoder('bandit', { rule: 'thompson' }, context)).toThrow(
    "decoder bandit: 'rule': expected one of ucb, exp3, got 'thompson'",
  );
  expect(() => createDecoder('gsd', { group: 2 }, context)).toThrow(
    'gsd: expected an odd group from 1, got 2',
  );
});

test('retrieval drafts what followed the same states, and keeps the law', async () => {
  const toy = lattice(3, { height: 2, width: 3 }, 32, 1.5);
  const filled = retrievalStore(3, 8, createRng(33));
  const rngs = Array.from({ length: 40 }, (_, i) => createRng(1000 + i));
  const { tokens } = await sequential().decode(oracle(toy, 40), { rngs });
  const seen = new Int32Array(6);
  for (const list of tokens)
    for (let place = 1; place < 6; place++) {
      seen.fill(-1).set(list.subarray(0, place));
      filled.add(toy.logitsOf(seen, place, 0), [...list.subarray(place)]);
    }
  const spec = (store: typeof filled) =>
    speculative(() => fixedPlan({ drafter: retrieval({ store, neighbours: 8 }), length: 2 }));
  const draws = { n: 3000, seed: 600_000 };
  const found = await draw(toy, spec(filled), draws);
  const nothing = await draw(toy, spec(retrievalStore(3, 8, createRng(33))), draws);
  expect(found.p).toBeGreaterThan(0.001);
  expect(found.acceptance).toBeGreaterThan(nothing.acceptance + 0.05);
});

test('chi-square: quantiles of tables, and counts of another law', () => {
  expect(upperGamma(1 / 2, 3.841459 / 2)).toBeCloseTo(0.05, 6);
  expect(upperGamma(10 / 2, 18.307038 / 2)).toBeCloseTo(0.05, 6);
  expect(upperGamma(80 / 2, 124.839 / 2)).toBeCloseTo(0.001, 5);
  expect(chiSquare([500, 500], [0.5, 0.5])).toBeGreaterThan(0.99);
  expect(chiSquare([600, 400], [0.5, 0.5])).toBeLessThan(1e-9);
});
