/**
 * What decoders promise, on the token model that ships with the guidance of its card at temperature 1: fixed noise has
 * the tokens of sequential decoding; lossless decoders keep the model's law of two neighbouring tokens in the middle
 * of a picture, hashed to 8 groups each, and a broken one does not.
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
import type { Decoder } from '../../sampling/tokens/decoder.ts';
import type { Drafter } from '../../sampling/tokens/drafters/drafter.ts';
import { neighbour } from '../../sampling/tokens/drafters/neighbour.ts';
import { ngram } from '../../sampling/tokens/drafters/ngram.ts';
import { softmax } from '../../sampling/tokens/filters.ts';
import { guided } from '../../sampling/tokens/guided.ts';
import { pointMass } from '../../sampling/tokens/law.ts';
import { sequential } from '../../sampling/tokens/sequential.ts';
import { sjd } from '../../sampling/tokens/sjd.ts';
import { fixedPlan, speculative } from '../../sampling/tokens/speculative.ts';
import { tree } from '../../sampling/tokens/tree.ts';
import { branches } from '../../sampling/tokens/tree-growth.ts';
import { exact, type Rule } from '../../sampling/tokens/verify.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { chiSquare } from '../sampling/tokens/chi-square.ts';
import { continuation } from './continuation.ts';

const FOLDER = join(import.meta.dirname, '../../models/avatars-ar');
const WORDS = ['style=avataaars', 'hair color=red'];
const GROUPS = 8;
/** Tokens that are drawn after the prefix; the first two are counted, the others give drafts something to reach for. */
const DRAWN = 4;
const [ROWS, DRAWS, SEED] = [50, 2500, 4_000_000];

const engine = createEngine();
let generator: TokenGenerator;
let session: ARSession;
let model: TokenModel;
let law: Float64Array;
/** The likeliest token after each first one. */
let likeliestAfter: Int32Array;

beforeAll(async () => {
  generator = await readTokenGenerator(FOLDER, (await readAnyCard(FOLDER)) as TokenCard);
  const prefix = await undecidedPrefix(await openModel(1));
  await session.dispose();
  model = await continuation(await openModel(ROWS), prefix, DRAWN);
  law = await lawOfTwo();
});
afterAll(() => session.dispose());

async function openModel(pictures: number): Promise<TokenModel> {
  const { card, weights } = generator;
  const config = card.config as ARConfig;
  const grid = tokenGridOf(card);
  const { positions } = layoutOfAR(config, card.positions as PositionConfig, grid);
  const shape = { config, positions, grid, weights, batch: 2 * pictures };
  session = createARSession(engine, { ...shape, cache: createCache(engine, shape) });
  const words = WORDS.map((word) => ({ id: card.vocabulary.indexOf(word) }));
  expect(words.map(({ id }) => id)).not.toContain(-1);
  const rows = Array.from({ length: 2 * pictures }, (_, row) => (row < pictures ? words : []));
  session.condition(bagOfWords(rows, card.vocabulary.length));
  return guided(session, card.sampling.guidance);
}

/** A drawn picture up to where, in its middle, the next token is the most open. */
async function undecidedPrefix(one: TokenModel): Promise<Int32Array> {
  const decoding = await sequential().decode(one, { rngs: [createRng(0)] });
  const tokens = decoding.tokens[0]!;
  let best = { place: 0, entropy: 0 };
  await one.start();
  for (let place = 1; place < 3 * 64; place++) {
    const answer = await one.forward([{ tokens: [tokens[place - 1]!] }]);
    one.commit(0, 1);
    const p = softmax(logitsAt(answer, 0, 0, one.vocabulary), 1);
    const entropy = p.reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);
    if (place >= 64 && entropy > best.entropy) best = { place, entropy };
  }
  expect(best.entropy).toBeGreaterThan(2);
  return tokens.slice(0, best.place);
}

const cellOf = (first: number, second: number) => (first % GROUPS) * GROUPS + (second % GROUPS);

/** Of the first two tokens' groups, by asking for what follows each of all codes. */
async function lawOfTwo(): Promise<Float64Array> {
  const V = model.vocabulary;
  const joint = new Float64Array(GROUPS * GROUPS);
  const next = softmax((await model.start()).subarray(0, V), 1);
  likeliestAfter = new Int32Array(V);
  for (let from = 0; from < V; from += ROWS) {
    const answer = await model.forward(
      Array.from({ length: ROWS }, (_, row) => ({ tokens: [Math.min(V - 1, from + row)] })),
    );
    for (let row = 0; row < ROWS && from + row < V; row++) {
      const after = softmax(logitsAt(answer, row, 0, V), 1);
      likeliestAfter[from + row] = after.indexOf(Math.max(...after));
      for (let code = 0; code < V; code++)
        joint[cellOf(from + row, code)]! += next[from + row]! * after[code]!;
    }
  }
  return joint;
}

async function pOf(decoder: Decoder): Promise<number> {
  const counts = new Float64Array(law.length);
  for (let done = 0; done < DRAWS; done += ROWS) {
    const rngs = Array.from({ length: ROWS }, (_, i) => createRng(SEED + done + i));
    for (const [first, second] of (await decoder.decode(model, { rngs })).tokens)
      counts[cellOf(first!, second!)]!++;
  }
  return chiSquare(counts, law);
}

const drafter = () => ngram({ width: DRAWN });
const left = () => neighbour({ side: 'left', width: DRAWN });
const LOSSLESS: Record<string, () => Decoder> = {
  sequential,
  sjd: () => sjd({ window: DRAWN, redraw: 'independent', drafter: drafter() }),
  'sjd, spatial': () => sjd({ window: DRAWN, redraw: 'independent', drafter: left() }),
  'scd, maximal': () => sjd({ window: DRAWN, redraw: 'maximal', drafter: drafter() }),
  'scd, Gumbel': () => sjd({ window: DRAWN, redraw: 'gumbel', drafter: drafter() }),
  speculative: () => speculative(() => fixedPlan({ drafter: drafter(), length: 2 })),
  tree: () => tree({ drafter: drafter(), growth: branches([2, 1]) }),
};

test.each(Object.entries(LOSSLESS))('%s keeps the law of the shipped model', async (_, create) => {
  expect(await pOf(create())).toBeGreaterThan(0.001);
});

/** Drafts what the model most likely draws second: often right, so that a fault shows. */
const likeliest = (): Drafter => ({
  name: 'likeliest',
  laws: (asked) =>
    asked.map(({ tokens }) => pointMass(model.vocabulary, likeliestAfter[tokens.at(-1)!]!)),
});

const BROKEN: Record<string, { rule: Rule; drafter: () => Drafter }> = {
  'keeps half of the drafts, however unlikely': {
    rule: { ...exact, acceptance: () => 0.5 },
    drafter: left,
  },
  'draws from the whole law in place of what is left of it': {
    rule: { ...exact, otherwise: (p) => p },
    drafter: likeliest,
  },
};
test.each(Object.entries(BROKEN))('a decoder that %s is found out', async (_, broken) => {
  const decoder = speculative(() => fixedPlan({ drafter: broken.drafter(), length: 2 }), {
    ...{ ...broken.rule, property: 'approximate' },
  });
  expect(await pOf(decoder)).toBeLessThan(1e-6);
});

test('fixed noise has the tokens of sequential decoding for 200 pairs of seed and window', async () => {
  const pipeline = createTokenPipeline({
    ...{ engine, model: generator, drafters: drafterFiles(FOLDER, generator.card) },
  });
  const words = WORDS.map((word) => ({ id: generator.card.vocabulary.indexOf(word) }));
  const asked = Array.from({ length: 50 }, (_, seed) => ({ words, seed }));
  const { tokens, passes } = await pipeline.decode(asked, {
    ...{ decoder: 'sequential', temperature: 1 },
  });
  for (const window of [2, 8, 16, 32]) {
    const decoding = await pipeline.decode(asked, {
      ...{ decoder: 'fixed-noise', decoderOptions: { window }, temperature: 1 },
    });
    expect(decoding.tokens).toEqual(tokens);
    expect(decoding.passes).toBeLessThan(passes);
  }
  await pipeline.dispose();
});
