/**
 * What decoders promise, on the token model that ships with the guidance of its card at temperature 1: fixed noise has
 * the tokens of sequential decoding; lossless decoders keep the model's law of two neighbouring tokens in the middle
 * of a picture, hashed to 8 groups each, by drafts of the network that ships with it; the same decoders with one rule broken do not.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bagOfWords } from '../../encoders/conditioning/attributes.ts';
import type { PositionConfig } from '../../encoders/positions/compose.ts';
import type { ARConfig } from '../../generators/ar-config.ts';
import { type ARSession, createARSession } from '../../generators/ar-session.ts';
import { createCache } from '../../generators/compile-ar.ts';
import { drafterFiles } from '../../generators/token-drafters.ts';
import {
  layoutOfAR,
  readAnyCard,
  readTokenGenerator,
  type TokenCard,
  type TokenGenerator,
  tokenGridOf,
} from '../../generators/token-model.ts';
import { createTokenPipeline } from '../../pipelines/tokens.ts';
import { logitsAt, type TokenModel } from '../../sampling/tokens/contract.ts';
import type { Decoder, Decoding } from '../../sampling/tokens/decoder.ts';
import type { Drafter } from '../../sampling/tokens/drafters/drafter.ts';
import { neighbour } from '../../sampling/tokens/drafters/neighbour.ts';
import { networkDrafter } from '../../sampling/tokens/drafters/network.ts';
import { uniform } from '../../sampling/tokens/drafters/uniform.ts';
import { softmax } from '../../sampling/tokens/filters.ts';
import { guided } from '../../sampling/tokens/guided.ts';
import type { Law } from '../../sampling/tokens/law.ts';
import { raggedPlan } from '../../sampling/tokens/plans.ts';
import { sequential } from '../../sampling/tokens/sequential.ts';
import { type Redraw, sjd } from '../../sampling/tokens/sjd.ts';
import { fixedPlan, speculative } from '../../sampling/tokens/speculative.ts';
import { tree } from '../../sampling/tokens/tree.ts';
import { branches } from '../../sampling/tokens/tree-growth.ts';
import { exact, type Rule } from '../../sampling/tokens/verify.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { jacobiBy, misstating, relabelled, withoutResidual } from '../sampling/tokens/broken.ts';
import { chiSquare } from '../sampling/tokens/chi-square.ts';
import { continuation } from './continuation.ts';

const FOLDER = join(import.meta.dirname, '../../models/avatars-ar');
const WORDS = ['style=avataaars', 'hair color=red'];
const GROUPS = 8;
/** The last token of the prefix, the two that are counted, and one that gives drafts something to reach for. */
const DRAWN = 4;
const [ROWS, DRAWS, SEED] = [50, 1000, 4_000_000];

const engine = createEngine();
const sessions: ARSession[] = [];
let generator: TokenGenerator;
let model: TokenModel;
/** The smaller model that ships as its drafter, after the same tokens. */
let small: TokenModel;
let law: Float64Array;

beforeAll(async () => {
  generator = await readTokenGenerator(FOLDER, (await readAnyCard(FOLDER)) as TokenCard);
  const files = await drafterFiles(FOLDER, generator.card).network!();
  const prefix = await openPrefix(openModel(generator, 1), openModel(files, 1));
  model = await continuation(openModel(generator, ROWS), prefix, DRAWN);
  small = await continuation(openModel(files, ROWS), prefix, DRAWN);
  law = await lawOfTwo(prefix.at(-1)!);
});
afterAll(async () => {
  for (const session of sessions) await session.dispose();
});

/** Guided as the card of the model says, its drafter too. */
function openModel(
  { card, weights }: Pick<TokenGenerator, 'card' | 'weights'>,
  pictures: number,
): TokenModel {
  const config = card.config as ARConfig;
  const grid = tokenGridOf(card);
  const { positions } = layoutOfAR(config, card.positions as PositionConfig, grid);
  const shape = { config, positions, grid, weights, batch: 2 * pictures };
  const session = createARSession(engine, { ...shape, cache: createCache(engine, shape) });
  sessions.push(session);
  const words = WORDS.map((word) => ({ id: card.vocabulary.indexOf(word) }));
  expect(words.map(({ id }) => id)).not.toContain(-1);
  const rows = Array.from({ length: 2 * pictures }, (_, row) => (row < pictures ? words : []));
  session.condition(bagOfWords(rows, card.vocabulary.length));
  return guided(session, generator.card.sampling.guidance);
}

/**
 * A drawn picture up to where, in its middle, the next token is the most open of those whose likeliest token is drawn
 * often, and which the smaller model expects too: a draft that is often right shows what comes in its place.
 */
async function openPrefix(one: TokenModel, smaller: TokenModel): Promise<Int32Array> {
  const decoding = await sequential().decode(one, { rngs: [createRng(0)] });
  const tokens = decoding.tokens[0]!;
  const lawAfter = async (asked: TokenModel, token: number): Promise<Law> => {
    const answer = await asked.forward([{ tokens: [token] }]);
    asked.commit(0, 1);
    return softmax(logitsAt(answer, 0, 0, asked.vocabulary), 1);
  };
  const likeliest = (p: Law): number => p.indexOf(Math.max(...p));
  let best = { place: 0, entropy: 0 };
  await one.start();
  await smaller.start();
  for (let place = 1; place < 3 * 64; place++) {
    const p = await lawAfter(one, tokens[place - 1]!);
    const guess = likeliest(await lawAfter(smaller, tokens[place - 1]!));
    const entropy = p.reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);
    const shows = guess === likeliest(p) && p[guess]! > 0.3;
    if (place >= 64 && shows && entropy > best.entropy) best = { place, entropy };
  }
  expect(best.entropy).toBeGreaterThan(1);
  return tokens.slice(0, best.place);
}

const cellOf = (first: number, second: number) => (first % GROUPS) * GROUPS + (second % GROUPS);

/** Of the groups of the two tokens after `last`, by asking for what follows each of all codes. */
async function lawOfTwo(last: number): Promise<Float64Array> {
  const V = model.vocabulary;
  const joint = new Float64Array(GROUPS * GROUPS);
  await model.start();
  for (let from = 0; from < V; from += ROWS) {
    const answer = await model.forward(
      Array.from({ length: ROWS }, (_, row) => ({ tokens: [last, Math.min(V - 1, from + row)] })),
    );
    for (let row = 0; row < ROWS && from + row < V; row++) {
      const next = softmax(logitsAt(answer, row, 0, V), 1)[from + row]!;
      const after = softmax(logitsAt(answer, row, 1, V), 1);
      for (let code = 0; code < V; code++) joint[cellOf(from + row, code)]! += next * after[code]!;
    }
  }
  return joint;
}

async function pOf(decoder: Decoder): Promise<number> {
  const counts = new Float64Array(law.length);
  for (let done = 0; done < DRAWS; done += ROWS) {
    const rngs = Array.from({ length: ROWS }, (_, i) => createRng(SEED + done + i));
    for (const [_, first, second] of (await decoder.decode(model, { rngs })).tokens)
      counts[cellOf(first!, second!)]!++;
  }
  return chiSquare(counts, law);
}

const network = () => networkDrafter({ network: small });
/** Sure of what the network finds likeliest, and often right: so that a fault of what comes instead shows. */
const greedy = () => networkDrafter({ network: small, filters: { temperature: 0 } });
const left = () => neighbour({ side: 'left', width: DRAWN });
const jacobi = (redraw: Redraw, drafter: Drafter, rule: Rule = exact) =>
  sjd({ window: 3, redraw, drafter, rule });
const LOSSLESS: Record<string, () => Decoder> = {
  sequential,
  sjd: () => jacobi('independent', network()),
  'sjd, greedy drafts': () => jacobi('independent', greedy()),
  'sjd, spatial': () => jacobi('independent', left()),
  'scd, maximal': () => jacobi('maximal', network()),
  'scd, Gumbel': () => jacobi('gumbel', network()),
  speculative: () => speculative(() => fixedPlan({ drafter: network(), length: 2 })),
  ragged: () => speculative(() => raggedPlan(network(), { first: 1, limit: 2 })),
  tree: () => tree({ drafter: network(), growth: branches([2, 1]) }),
};

test.each(Object.entries(LOSSLESS))('%s keeps the law of the shipped model', async (_, create) => {
  expect(await pOf(create())).toBeGreaterThan(0.001);
});

const BROKEN: Record<string, () => Decoder> = {
  'sjd, greedy drafts, without residual': () => jacobi('independent', greedy(), withoutResidual),
  'sjd, pending drafts kept and relabelled': () =>
    jacobiBy(relabelled, { window: 3, drafter: uniform() }),
  'scd, misstated': () => misstating(network(), (drafter) => jacobi('maximal', drafter)),
  'tree, misstated': () =>
    misstating(network(), (drafter) => tree({ drafter, growth: branches([2, 1]) })),
};

test.each(Object.entries(BROKEN))('%s is found out', async (_, create) => {
  expect(await pOf(create())).toBeLessThan(1e-6);
});

/** Passes that decided something of a picture, which does not depend on its batch. */
const passesOf = ({ trace }: Decoding): number =>
  trace.flat().filter(({ decided }) => decided.length > 0).length / trace[0]!.length;

test('fixed noise has the tokens of sequential decoding for 200 pairs of seed and window, a quarter of its passes by default', async () => {
  const pipeline = createTokenPipeline({
    ...{ engine, model: generator, drafters: drafterFiles(FOLDER, generator.card) },
  });
  const words = WORDS.map((word) => ({ id: generator.card.vocabulary.indexOf(word) }));
  const asked = Array.from({ length: 40 }, (_, seed) => ({ words, seed }));
  const by = (decoder: string, decoderOptions = {}) =>
    pipeline.decode(asked, { decoder, decoderOptions, temperature: 1 });
  const expected = await by('sequential');
  for (const window of [1, 2, 8]) {
    const decoding = await by('fixed-noise', { window });
    expect(decoding.tokens).toEqual(expected.tokens);
    if (window > 1) expect(decoding.passes).toBeLessThan(expected.passes);
  }
  const drafted = await by('fixed-noise', { window: 8, drafter: 'network' });
  expect(drafted.tokens).toEqual(expected.tokens);
  const usual = await by('fixed-noise');
  expect(usual.tokens).toEqual(expected.tokens);
  expect(4 * passesOf(usual)).toBeLessThanOrEqual(passesOf(expected));
  await pipeline.dispose();
});
