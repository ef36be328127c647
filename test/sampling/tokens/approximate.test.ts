/** Approximate decoders: exact where their option says so, and away from the law by a measured distance. */
import { expect, test } from 'vitest';
import { aasd } from '../../../sampling/tokens/aasd.ts';
import { networkDrafter } from '../../../sampling/tokens/drafters/network.ts';
import { ngram } from '../../../sampling/tokens/drafters/ngram.ts';
import { uniform } from '../../../sampling/tokens/drafters/uniform.ts';
import { softmax } from '../../../sampling/tokens/filters.ts';
import { gsd } from '../../../sampling/tokens/gsd.ts';
import { lantern, nearestCodes } from '../../../sampling/tokens/lantern.ts';
import { pointMass } from '../../../sampling/tokens/law.ts';
import { sequential } from '../../../sampling/tokens/sequential.ts';
import { sjd } from '../../../sampling/tokens/sjd.ts';
import { fixedPlan, speculative } from '../../../sampling/tokens/speculative.ts';
import { exact, type Rule } from '../../../sampling/tokens/verify.ts';
import { zipar } from '../../../sampling/tokens/zipar.ts';
import { createRng } from '../../../tensor/rng.ts';
import { draw } from './chi-square.ts';
import { lattice, oracle, randomJoint } from './oracle.ts';

const TOY = randomJoint(4, 4, 11);
const BATCH = 50;
const DRAWS = { n: 4000, seed: 200_000, batch: BATCH };
const nearest = nearestCodes(createRng(12).normals(4 * 3), 3, 2);

const withNetwork = (rule: Rule) =>
  speculative(
    () =>
      fixedPlan({
        drafter: networkDrafter({ network: oracle(randomJoint(4, 4, 13), BATCH) }),
        length: 2,
      }),
    rule,
  );
const withWindow = (rule: Rule) =>
  sjd({ window: 4, redraw: 'independent', drafter: ngram({ width: 2 }), rule });

test('LANTERN: delta 0 keeps the law; more delta, more acceptance and more distance', async () => {
  const none = await draw(TOY, withNetwork(lantern({ delta: 0, nearest })), DRAWS);
  const some = await draw(TOY, withNetwork(lantern({ delta: 0.2, nearest })), DRAWS);
  const much = await draw(TOY, withNetwork(lantern({ delta: 0.6, nearest })), DRAWS);
  expect(none.p).toBeGreaterThan(0.001);
  expect(some.p).toBeLessThan(1e-6);
  expect(some.acceptance).toBeGreaterThan(none.acceptance);
  expect(much.acceptance).toBeGreaterThan(some.acceptance);
  // Counts of 4000 draws in 256 cells are about 0.09 away from their own law.
  expect(some.distance).toBeGreaterThan(none.distance + 0.01);
  expect(much.distance).toBeGreaterThan(some.distance + 0.05);
});

test('LANTERN borrows from the nearest codes while they fit', () => {
  const near = [
    [1, 2],
    [0, 2],
    [1, 0],
  ];
  const [p, q] = [Float64Array.of(0.2, 0.3, 0.5), Float64Array.of(1, 0, 0)];
  const chance = (delta: number) => lantern({ delta, nearest: near }).acceptance(p, q, 0);
  expect(chance(0.29)).toBeCloseTo(0.2, 12);
  expect(chance(0.3)).toBeCloseTo(0.5, 12);
  expect(chance(0.8)).toBeCloseTo(1, 12);
  const relative = (lambda: number) => lantern({ lambda, nearest: near }).acceptance(p, q, 0);
  expect(relative(1)).toBeCloseTo(0.2, 12);
  expect(relative(2.4)).toBeCloseTo(0.2, 12);
  expect(relative(2.6)).toBeCloseTo(0.5, 12); // (2.6 - 1) 0.2 is enough for 0.3
  expect(relative(5.1)).toBeCloseTo(1, 12);
  expect(lantern({ lambda: 1, nearest: near }).property).toBe('lossless');
  expect(() => lantern({ lambda: 0.5, nearest: near })).toThrow(
    'expected a lambda from 1, got 0.5',
  );
});

test.each([
  ['delta', (delta: number) => ({ delta }), (delta: number) => delta],
  ['lambda', (part: number) => ({ lambda: 1 + part }), (part: number, own: number) => part * own],
] as const)('LANTERN moves no more mass than %s says, and all that fits', (_, bound, mostOf) => {
  const V = 12;
  const rng = createRng(15);
  const near = nearestCodes(rng.normals(V * 3), 3, 5);
  for (let trial = 0; trial < 300; trial++) {
    const part = rng.uniform();
    const rule = lantern({ ...bound(part), nearest: near });
    const [p, q] = [softmax(rng.normals(V), 0.7), softmax(rng.normals(V), 0.7)];
    const x = rng.integer(V);
    const most = mostOf(part, p[x]!);
    let lent = 0;
    for (const code of near[x]!) {
      if (lent + p[code]! > most) break;
      lent += p[code]!;
    }
    // A drafter that is sure of x shows the mass itself.
    const sure = rule.acceptance(p, pointMass(V, x), x);
    expect(sure - p[x]!).toBeLessThanOrEqual(most + 1e-12);
    expect(sure).toBeCloseTo(Math.min(1, p[x]! + lent), 12);
    expect(q[x]! * rule.acceptance(p, q, x)).toBeLessThanOrEqual(p[x]! + most + 1e-12);
    const otherwise = rule.otherwise(p, q, x);
    expect(otherwise.reduce((sum, share) => sum + share)).toBeCloseTo(1, 12);
  }
});

test('LANTERN without neighbours is speculative sampling, token for token', async () => {
  const none = lantern({ delta: 0.9, nearest: nearestCodes(createRng(12).normals(4 * 3), 3, 0) });
  expect(none.property).toBe('lossless');
  const by = (rule: Rule) => {
    const rngs = Array.from({ length: BATCH }, (_, i) => createRng(i));
    return withNetwork(rule).decode(oracle(TOY, BATCH), { rngs });
  };
  expect((await by(none)).tokens).toEqual((await by(exact)).tokens);
  expect((await by(lantern({ delta: 0.9, nearest }))).tokens).not.toEqual((await by(exact)).tokens);
});

test('nearest codes are in order of distance', () => {
  expect(nearestCodes([0, 1, 3, 7], 1, 2).map((list) => [...list])).toEqual([
    [1, 2],
    [0, 2],
    [1, 0],
    [2, 1],
  ]);
});

test('GSD: a group of one keeps the law; a group of three accepts more and does not', async () => {
  const one = await draw(TOY, withWindow(gsd({ group: 1 })), DRAWS);
  const three = await draw(TOY, withWindow(gsd({ group: 3, spread: 0.5 })), DRAWS);
  expect(one.p).toBeGreaterThan(0.001);
  expect(three.p).toBeLessThan(1e-6);
  expect(three.acceptance).toBeGreaterThan(one.acceptance);
});

test('AASD: a threshold above 1 keeps the law; lower ones accept more and do not', async () => {
  const none = await draw(TOY, withWindow(aasd({ threshold: 2 })), DRAWS);
  const half = await draw(TOY, withWindow(aasd({ threshold: 0.5 })), DRAWS);
  const low = await draw(TOY, withWindow(aasd({ threshold: 0.1 })), DRAWS);
  expect(none.p).toBeGreaterThan(0.001);
  expect(low.p).toBeLessThan(1e-6); // half is too near the law to be told from it at this n
  expect(half.acceptance).toBeGreaterThan(none.acceptance);
  expect(low.acceptance).toBeGreaterThan(half.acceptance);
  expect(low.distance).toBeGreaterThan(half.distance);
});

test('AASD at temperature 0 is the likeliest sequence', async () => {
  const options = { rngs: [createRng(1)], filters: { temperature: 0 } };
  const greedy = await sequential().decode(oracle(TOY), options);
  const decoder = sjd({
    window: 3,
    redraw: 'independent',
    drafter: uniform(),
    rule: aasd({ threshold: 0.5 }),
  });
  const got = await decoder.decode(oracle(TOY), options);
  expect(got.tokens).toEqual(greedy.tokens);
});

test('ZipAR: a lead of the width is sequential decoding; shorter ones need fewer passes', async () => {
  const toy = lattice(6, { height: 5, width: 5 }, 14);
  const rngs = () => [createRng(1), createRng(2)];
  const expected = await sequential().decode(oracle(toy, 2), { rngs: rngs() });
  const whole = await zipar({ width: 5, lead: 5 }).decode(oracle(toy, 2), { rngs: rngs() });
  expect(whole.tokens).toEqual(expected.tokens);
  expect(whole.passes).toBe(25);
  for (const lead of [1, 2, 3]) {
    const early = await zipar({ width: 5, lead }).decode(oracle(toy, 2), { rngs: rngs() });
    // A row starts `lead` passes after the one above, and has 5 tokens.
    expect(early.passes).toBe(4 * lead + 5);
    const places = early.trace.flatMap((pass) => pass[0]!.places!);
    expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i));
  }
});

test('ZipAR keeps the law of a lattice that looks left and up only, and no other', async () => {
  const toy = lattice(3, { height: 2, width: 3 }, 15);
  const { p } = await draw(toy, zipar({ width: 3, lead: 1 }), DRAWS);
  expect(p).toBeGreaterThan(0.001);
  const far = randomJoint(3, 6, 16);
  const { p: lost } = await draw(far, zipar({ width: 3, lead: 1 }), DRAWS);
  expect(lost).toBeLessThan(1e-6);
});
