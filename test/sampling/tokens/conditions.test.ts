/** Filters, guidance, constraints, arithmetic coding, rewards and bandits, by what methods.md names. */
import { expect, test } from 'vitest';
import { arithmetic, encode } from '../../../sampling/tokens/arithmetic.ts';
import { cards } from '../../../sampling/tokens/cards.ts';
import { constrained, drawAllowed, systematic } from '../../../sampling/tokens/constrained.ts';
import { uniform } from '../../../sampling/tokens/drafters/uniform.ts';
import { createFilter, softmax } from '../../../sampling/tokens/filters.ts';
import { scaleBetween, scaleBy, scaleSchedule } from '../../../sampling/tokens/guidance-scales.ts';
import { guided } from '../../../sampling/tokens/guided.ts';
import { instructive } from '../../../sampling/tokens/instructive.ts';
import { type Chooser, exp3, raggedLength, ucb } from '../../../sampling/tokens/lengths.ts';
import { banditPlan } from '../../../sampling/tokens/plans.ts';
import { sequential } from '../../../sampling/tokens/sequential.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose } from '../../close.ts';
import { draw } from './chi-square.ts';
import { jointOf, oracle, randomJoint, type Toy } from './oracle.ts';

const TOY = randomJoint(3, 4, 21);
/** The same with laws that are further from even. */
const STRONG = randomJoint(3, 4, 21, 2);
const lawOf = createFilter({}, 3);

test('filters keep what they say', () => {
  const logits = [0.5, 0.3, 0.15, 0.05].map(Math.log);
  const law = (filters: Parameters<typeof createFilter>[0]) => createFilter(filters, 4)(logits);
  expectClose(law({}), [0.5, 0.3, 0.15, 0.05]);
  expectClose(law({ topK: 2 }), [0.625, 0.375, 0, 0]);
  expectClose(law({ topP: 0.6 }), [0.625, 0.375, 0, 0]);
  expectClose(law({ topP: 0.9 }), [0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0]);
  expectClose(law({ minP: 0.25 }), [0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0]);
  expectClose(law({ temperature: 0 }), [1, 0, 0, 0]);
  const squares = [0.25, 0.09, 0.0225, 0.0025];
  expectClose(
    law({ temperature: 0.5 }),
    squares.map((x) => x / 0.365),
  );
});

/** A toy of two rows with different laws: condition and null condition. */
function twoSided(): Toy {
  const other = randomJoint(3, 4, 22);
  return {
    ...TOY,
    logitsOf: (seen, target, row) => (row === 0 ? TOY : other).logitsOf(seen, target, row),
  };
}

test('guidance at 1 is the condition alone; scales are by place', async () => {
  const plain = await oracle(TOY).start();
  const at = async (scale: Parameters<typeof guided>[1]) => [
    ...(await guided(oracle(twoSided(), 2), scale).start()),
  ];
  expectClose(await at(1), plain);
  const [zero, two] = [await at(0), await at(2)];
  expectClose(
    two,
    [...plain].map((z, i) => 2 * z - zero[i]!),
    { atol: 1e-5 },
  );
  expectClose(await at((place) => (place === 0 ? 2 : 1)), two);
  expectClose(await at(scaleBetween(3, 1, 4)), plain);
  expectClose(await at(scaleBy(2, { to: 0.25 }, 4)), two);
  expectClose(await at(scaleBy(2, { from: 0.25 }, 4)), plain);
  expectClose(await at(scaleBy(2, { schedule: 'linear' }, 4)), plain);
  const half = scaleBy(5, { schedule: 'linear', from: 0.5, to: 1 }, 5) as (at: number) => number;
  expect([0, 2, 3, 4].map(half)).toEqual([1, 1, 4, 5]);
  const linear = scaleSchedule('linear', 5, 5) as (place: number) => number;
  const cosine = scaleSchedule('cosine', 5, 5) as (place: number) => number;
  expect([0, 1, 2, 4].map(linear)).toEqual([1, 2, 3, 5]);
  expectClose([0, 2, 4].map(cosine), [1, 3, 5]);
});

test('instructive decoding subtracts the noisy condition; 0 is the identity', async () => {
  const model = () => oracle(twoSided(), 2);
  const both = await model().start();
  expectClose(await instructive(model(), 0).start(), both.subarray(0, 3));
  const expected = [0, 1, 2].map((i) => both[i]! - 0.3 * both[3 + i]!);
  expectClose(await instructive(model(), 0.3).start(), expected, { atol: 1e-6 });
});

test('weighted constrained samples have the constrained law; the mean weight is the allowed mass', async () => {
  const allowed = (tokens: readonly number[], token: number) => (tokens.at(-1) ?? 0) + token !== 2;
  const decoder = constrained({ constraint: allowed });
  const { decodings, joint } = await draw(TOY, decoder, { n: 5000, seed: 300_000 });
  const isAllowed = (index: number) => {
    const tokens = [27, 9, 3, 1].map((unit) => Math.floor(index / unit) % 3);
    return tokens.every((token, i) => allowed(tokens.slice(0, i), token));
  };
  const mass = joint.reduce((sum, p, i) => sum + (isAllowed(i) ? p : 0), 0);
  const weighted = new Float64Array(81);
  let [total, squares] = [0, 0];
  for (const { tokens, logWeights } of decodings)
    for (const [row, list] of tokens.entries()) {
      const weight = Math.exp(logWeights![row]!);
      weighted[list.reduce((index, token) => index * 3 + token, 0)]! += weight;
      total += weight;
      squares += weight ** 2;
    }
  // Four standard errors of the mean.
  const mean = total / 5000;
  expect(Math.abs(mean - mass)).toBeLessThan(4 * Math.sqrt((squares / 5000 - mean ** 2) / 5000));
  for (const [index, weight] of weighted.entries()) {
    if (!isAllowed(index)) expect(weight).toBe(0);
    expect(Math.abs(weight / total - (isAllowed(index) ? joint[index]! / mass : 0))).toBeLessThan(
      0.03,
    );
  }
});

/** Each token but the first is the one before, or the next: few of the model's pictures comply. */
const near = (tokens: readonly number[], token: number) =>
  tokens.length === 0 || (token - tokens.at(-1)! + 3) % 3 < 2;

test('resampling keeps the mean weight and the weighted law, and evens out the weights', async () => {
  const [P, groups] = [8, 500];
  const decoder = constrained({ constraint: near, particles: P, threshold: 0.9 });
  const { decodings, joint } = await draw(STRONG, decoder, {
    n: P * groups,
    seed: 310_000,
    batch: 40,
  });
  const complies = (index: number) => {
    const tokens = [27, 9, 3, 1].map((unit) => Math.floor(index / unit) % 3);
    return tokens.every((token, i) => near(tokens.slice(0, i), token));
  };
  const mass = joint.reduce((sum, p, i) => sum + (complies(i) ? p : 0), 0);
  const means: number[] = [];
  const weighted = new Float64Array(81);
  for (const { tokens, logWeights } of decodings)
    for (let first = 0; first < tokens.length; first += P) {
      let sum = 0;
      for (let row = first; row < first + P; row++) {
        const weight = Math.exp(logWeights![row]!) / P;
        weighted[tokens[row]!.reduce((index, token) => index * 3 + token, 0)]! += weight / groups;
        sum += weight;
      }
      means.push(sum);
    }
  const mean = means.reduce((a, b) => a + b) / groups;
  const spread = Math.sqrt(means.reduce((sum, x) => sum + (x - mean) ** 2, 0) / groups);
  // Four standard errors of the groups' means; every picture's weighted share is that of the joint.
  expect(Math.abs(mean - mass)).toBeLessThan((4 * spread) / Math.sqrt(groups));
  for (const [index, weight] of weighted.entries())
    expect(Math.abs(weight - (complies(index) ? joint[index]! : 0))).toBeLessThan(0.02);

  const evenness = (of: typeof decodings) => {
    const numbers = of.flatMap(({ logWeights }) =>
      Array.from({ length: logWeights!.length / P }, (_, g) => {
        const weights = logWeights!.slice(g * P, (g + 1) * P).map(Math.exp);
        const total = weights.reduce((a, b) => a + b);
        return total ** 2 / weights.reduce((sum, weight) => sum + weight * weight, 0);
      }),
    );
    return numbers.reduce((a, b) => a + b) / numbers.length;
  };
  const apart = await draw(STRONG, constrained({ constraint: near }), {
    ...{ n: P * 100, seed: 310_000, batch: 40 },
  });
  expect(evenness(decodings)).toBeGreaterThan(evenness(apart.decodings) + 0.3);
});

test('without resampling, and alone, a picture is as before', async () => {
  const options = () => ({ rngs: Array.from({ length: 8 }, (_, i) => createRng(i)) });
  const by = async (more: object) =>
    constrained({ constraint: near, ...more }).decode(oracle(STRONG, 8), options());
  const alone = await by({});
  const never = await by({ particles: 8, threshold: 0 });
  expect([never.tokens, never.logWeights]).toEqual([alone.tokens, alone.logWeights]);
  const often = await by({ particles: 8, threshold: 1 });
  expect(often.tokens).not.toEqual(alone.tokens);
  expect(often.trace.length).toBe(often.passes);
  await expect(by({ particles: 3 })).rejects.toThrow('divides the 8 rows, got 3');
  await expect(by({ threshold: 2 })).rejects.toThrow('a threshold from 0 to 1, got 2');
});

test('systematic resampling has each as often as its share says, to within one', () => {
  const shares = [0.5, 0, 0.3, 0.2];
  for (const u of [0, 0.3, 0.999]) {
    const drawn = systematic(shares, u);
    for (const [i, share] of shares.entries()) {
      const times = drawn.filter((index) => index === i).length;
      expect(Math.abs(times - 4 * share)).toBeLessThan(1);
    }
  }
});

test('a constraint that allows all takes two tests at weight 1; one that allows none has weight 0', () => {
  const law = Float64Array.of(0.5, 0.3, 0.2);
  expect(drawAllowed(law, createRng(1), () => true)).toMatchObject({ weight: 1, tests: 2 });
  expect(drawAllowed(law, createRng(1), () => false)).toMatchObject({ weight: 0, tests: 3 });
});

test('arithmetic coding keeps the law, and a code gives back its tokens', async () => {
  const { p } = await draw(TOY, arithmetic(), { n: 4000, seed: 400_000 });
  expect(p).toBeGreaterThan(0.001);
  const rng = createRng(23);
  const tokens = Array.from({ length: 1000 }, () =>
    Array.from({ length: 4 }, () => rng.integer(3)),
  );
  const intervals = await encode(oracle(TOY, 1000), tokens);
  // All at once or a token a pass, what is in between counts alike.
  expect(await encode(oracle(TOY, 1000, 1), tokens)).toEqual(intervals);
  const points = intervals.map(({ low, size }) => low + (size * BigInt(rng.integer(1000))) / 1000n);
  const rngs = points.map((_, i) => createRng(i));
  const decoded = await arithmetic({ points }).decode(oracle(TOY, 1000), { rngs });
  expect(decoded.tokens.map((row) => [...row])).toEqual(tokens);
  // The point after an interval is another picture's.
  const after = intervals.slice(0, 50).map(({ low, size }) => (low + size) % (1n << 128n));
  const others = await arithmetic({ points: after }).decode(oracle(TOY, 50), {
    rngs: rngs.slice(0, 50),
  });
  for (const [row, other] of others.tokens.entries()) expect([...other]).not.toEqual(tokens[row]);
});

test('the intervals of all grids fill [0, 1) in the order of their tokens, under filters too', async () => {
  const all = Array.from({ length: 81 }, (_, index) =>
    [27, 9, 3, 1].map((unit) => Math.floor(index / unit) % 3),
  );
  const joint = jointOf(TOY, lawOf);
  let next = 0n;
  for (const [index, { low, size }] of (await encode(oracle(TOY, 81), all)).entries()) {
    expect(low).toBe(next);
    expect(Number(size) / 2 ** 128).toBeCloseTo(joint[index]!, 8);
    next = low + size;
  }
  expect(next).toBe(1n << 128n);
  const point = { points: [123n << 120n] };
  const filters = { temperature: 0.7, topK: 2 };
  const told = { rngs: [createRng(1)], filters };
  const { tokens } = await arithmetic(point).decode(oracle(TOY), told);
  const [interval] = await encode(oracle(TOY), tokens, filters);
  expect(interval!.low <= point.points[0]!).toBe(true);
  expect(point.points[0]! < interval!.low + interval!.size).toBe(true);
});

test('encode refuses tokens that the model cannot draw, and grids of another size', async () => {
  const refused = (tokens: number[][], filters = {}) => encode(oracle(TOY), tokens, filters);
  await expect(refused([[0, 1, 2]])).rejects.toThrow('expected 1 rows of 4 tokens, got 1 of 3');
  await expect(refused([[0, 1, 2, 3]])).rejects.toThrow('got 3 at position 3 of row 0');
  const { tokens } = await sequential().decode(oracle(TOY), {
    ...{ rngs: [createRng(1)], filters: { temperature: 0 } },
  });
  const other = [(tokens[0]![0]! + 1) % 3, 0, 0, 0];
  await expect(refused([other], { topK: 1 })).rejects.toThrow('whose probability is 0');
});

test('evenly spread points give each first token its share', async () => {
  const points = Array.from({ length: 50 }, (_, i) => ((1n << 128n) * BigInt(2 * i + 1)) / 100n);
  const rngs = points.map((_, i) => createRng(i));
  const { tokens } = await arithmetic({ points }).decode(oracle(TOY, 50), { rngs });
  const law = lawOf(TOY.logitsOf(new Int32Array(4).fill(-1), 0, 0));
  for (let token = 0; token < 3; token++) {
    const share = tokens.filter((list) => list[0] === token).length / 50;
    expect(Math.abs(share - law[token]!)).toBeLessThanOrEqual(1 / 50);
  }
});

test('CARDS: a constant reward keeps the law; a reward is raised, more at lower temperatures', async () => {
  const options = { target: 1, entropy: 0.9, tries: 40 }; // few tries would end with what no one wants
  const base = await draw(TOY, cards({ ...options, reward: () => 0.5, temperature: 1 }), {
    n: 4000,
    seed: 500_000,
  });
  expect(base.p).toBeGreaterThan(0.001);
  const reward = (tokens: readonly number[]) =>
    tokens.filter((token) => token === 1).length / tokens.length;
  const meanAt = async (temperature: number) => {
    const { decodings } = await draw(TOY, cards({ ...options, reward, temperature }), {
      n: 500,
      seed: 1,
    });
    const all = decodings.flatMap(({ tokens }) => tokens.map((list) => reward([...list])));
    return all.reduce((a, b) => a + b) / all.length;
  };
  const [flat, warm, cold] = [await meanAt(100), await meanAt(0.5), await meanAt(0.1)];
  expect(warm).toBeGreaterThan(flat + 0.03);
  expect(cold).toBeGreaterThan(warm + 0.03);
});

/** Arms chosen of three whose mean rewards are these. */
const MEANS = [0.3, 0.8, 0.5];
function chosen(chooser: Chooser, rounds: number): number[] {
  const rng = createRng(24);
  return Array.from({ length: rounds }, () => {
    const arm = chooser.choose();
    chooser.reward(arm, rng.uniform() < MEANS[arm]! ? 1 : 0);
    return arm;
  });
}
/** The share of the best arm in rounds 500 ... 1500. */
const bestShare = (chooser: Chooser): number =>
  chosen(chooser, 1500)
    .slice(500)
    .filter((arm) => arm === 1).length / 1000;

test('bandits find the best arm', () => {
  expect(bestShare(ucb(3))).toBeGreaterThan(0.8);
  expect(bestShare(exp3(3, createRng(25)))).toBeGreaterThan(0.8);
  // Without a share for exploring, an arm that disappoints once is never tried again.
  expect(bestShare(ucb(3, { c: 0 }))).not.toBe(bestShare(ucb(3)));
});

test.each<[string, () => Chooser, boolean]>([
  ['UCB', () => ucb(3), true],
  ['EXP3', () => exp3(3, createRng(25)), true],
  ['chance alone', () => exp3(3, createRng(25), { gamma: 1 }), false],
])('regret of %s: a round costs less and less, unless rewards do not count', (_, create, falls) => {
  const regret = (rounds: number): number =>
    chosen(create(), rounds).reduce((sum, arm) => sum + 0.8 - MEANS[arm]!, 0) / rounds;
  const [early, late] = [regret(500), regret(4000)];
  if (falls) expect(late).toBeLessThan(early / 2);
  else expect(late).toBeGreaterThan(0.9 * early);
});

test('a plan of arms prefers those that give most for what they cost', () => {
  const drafter = uniform();
  const arms = [1, 3, 15].map((length) => ({ drafter, length }));
  // Drafts stand with probability 0.5: 1.5, 1.875 and 2 tokens a round.
  let rewards: number[] = [];
  const rounds = (cost: number) => {
    const plan = banditPlan(
      arms,
      (n, most) => ucb(n, { most, c: 0.5 }),
      ({ length }) => 1 + cost * length,
    );
    const rng = createRng(26);
    const counts = new Map(arms.map((arm) => [arm.length, 0]));
    for (let round = 0; round < 4000; round++) {
      const arm = plan.next();
      let accepted = 0;
      while (accepted < arm.length && rng.uniform() < 0.5) accepted++;
      plan.learn!(arm, [accepted]);
      counts.set(arm.length, counts.get(arm.length)! + 1);
    }
    expect(plan.told!().map((told) => told.rounds)).toEqual([...counts.values()]);
    rewards = plan.told!().map(({ reward }) => reward);
    return counts;
  };
  const costly = rounds(0.5); // 1, 0.75 and 0.24 tokens a unit
  expect(costly.get(1)! / 4000).toBeGreaterThan(0.8);
  expect(rewards.indexOf(Math.max(...rewards))).toBe(0);
  expect(rewards[0]).toBeCloseTo(1, 1); // thousands of rounds of 0 or 1 drafts: an error of 0.006
  const cheap = rounds(0.1); // 1.36, 1.44 and 0.8
  expect(cheap.get(15)! / 4000).toBeLessThan(0.1);
});

test('draft lengths of a ragged batch follow what is accepted', () => {
  const lengths = raggedLength();
  expect(lengths.length).toBe(7);
  lengths.update([7, 2]);
  expect(lengths.length).toBe(9);
  lengths.update([3, 1]);
  expect(lengths.length).toBe(8); // 9 - ceil(9 / 10)
  lengths.update([3]);
  expect(lengths.length).toBe(6); // one more at the second time
  lengths.update([5]);
  expect(lengths.length).toBe(5);
});

test('softmax of large logits is finite', () => {
  expectClose(softmax([1000, 1000], 1), [0.5, 0.5]);
  expect(jointOf(TOY, lawOf).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
});
