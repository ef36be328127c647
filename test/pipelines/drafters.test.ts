/** What is made for one token model to draft its tokens: found through its card, and asked for by requests. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initBlock } from '../../generators/block-drafter.ts';
import {
  addBlock,
  addNetwork,
  addRetrieval,
  drafterFiles,
  readDrafter,
} from '../../generators/token-drafters.ts';
import { readTokenGenerator, type TokenCard } from '../../generators/token-model.ts';
import { describeModel } from '../../pipelines/describe.ts';
import { resolveRequest } from '../../pipelines/render.ts';
import { drafterDigestOf } from '../../pipelines/token-decoders.ts';
import { createTokenPipeline, type TokenPipeline } from '../../pipelines/tokens.ts';
import { parseRequest } from '../../request.ts';
import type { Decoding } from '../../sampling/tokens/decoder.ts';
import { retrievalStore, storedPictures } from '../../sampling/tokens/drafters/retrieval.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import type { TokenCache } from '../../training/data/token-cache.ts';
import { buildRetrieval } from '../../training/retrieval-store.ts';
import { writeTinyTokenModel } from './tiny-token-model.ts';

const T = 16;
const engine = createEngine({ threads: 1 });
let parent: string;
let folder: string;
let plain: TokenCard;
let card: TokenCard;
let pipeline: TokenPipeline;

/** Words and seeds of three pictures. */
const asked = [7, 8, 9].map((seed) => ({ words: [{ id: seed % 3 }], seed }));
const opened = async (at = folder) => {
  const { card: own } = await readDrafter(at);
  const model = await readTokenGenerator(at, own);
  return createTokenPipeline({ engine, model, drafters: drafterFiles(at, own) });
};
const decode = (decoder: string, decoderOptions: Record<string, unknown> = {}, rest: object = {}) =>
  pipeline.decode(asked, { decoder, decoderOptions: decoderOptions as never, ...rest });
const shareKept = ({ trace }: Decoding): number => {
  const passes = trace.flat().filter(({ drafted }) => drafted.length > 0);
  const sum = (of: (pass: (typeof passes)[number]) => number) =>
    passes.reduce((all, pass) => all + of(pass), 0);
  return sum(({ accepted }) => accepted) / sum(({ drafted }) => drafted.length);
};

/** The pictures that the model itself finds likeliest, unguided, as a data set. */
async function greedyData(): Promise<TokenCache> {
  const alone = await opened();
  const { tokens } = await alone.decode(asked, { temperature: 0, guidance: 1 });
  await alone.dispose();
  return {
    ...{ tokenizer: 'tiny-tokenizer', codebook: plain.tokenizer.digest, codes: 16 },
    ...{ data: 'greedy', height: 16, width: 16, vocabulary: plain.vocabulary },
    tokens: { data: Int32Array.from(tokens.flatMap((row) => [...row])), shape: [3, 4, 4] },
    words: asked.map(({ words }) => words.map(({ id }) => id)),
  };
}

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ropewalk-drafters-'));
  ({ folder, card: plain } = await writeTinyTokenModel(parent));
  const store = await buildRetrieval({
    ...{ engine, model: await readDrafter(folder), data: await greedyData() },
    ...{ pictures: 3, reduced: 24, rng: createRng(1) },
  });
  await addRetrieval(folder, plain, store);
  const { card: named } = await readDrafter(folder);
  await addNetwork(folder, named, folder); // the model drafts for itself
  const config = {
    ...{ codes: 16, words: 4, width: 16, depth: 1, heads: 2, hidden: 24 },
    ...{ slots: 3, rows: 2, pool: 2 },
  };
  const weights = initBlock(config, createRng(2));
  await addBlock(folder, (await readDrafter(folder)).card, { config, weights });
  ({ card } = await readDrafter(folder));
  pipeline = await opened();
});
afterAll(async () => {
  await pipeline.dispose();
  expect(engine.open).toBe(0);
  await rm(parent, { recursive: true, force: true });
});

describe('drafters of a model', () => {
  test('a network that is the model itself has every draft kept, guided and filtered', async () => {
    const options = { drafter: 'network', length: 3 };
    for (const rest of [{}, { guidance: 1, topK: 5, temperature: 2 }])
      expect(shareKept(await decode('speculative', options, rest))).toBe(1);
  });

  test('a store of its greedy pictures drafts them at temperature 0', async () => {
    const greedy = { temperature: 0, guidance: 1 };
    const found = await decode('speculative', { drafter: 'retrieval', length: 4 }, greedy);
    expect(found.tokens).toEqual((await decode('sequential', {}, greedy)).tokens);
    const other = await decode('speculative', { drafter: 'uniform', length: 4 }, greedy);
    expect(shareKept(found)).toBeGreaterThan(shareKept(other) + 0.3);
  });

  test.each(['network', 'retrieval', 'block'])(
    '%s: a picture alone is as in a batch',
    async (drafter) => {
      const together = await decode('speculative', { drafter, length: 3 });
      const settings = { decoder: 'speculative', decoderOptions: { drafter, length: 3 } };
      const alone = await pipeline.decode(asked.slice(1, 2), settings);
      expect(alone.tokens[0]).toEqual(together.tokens[1]);
    },
  );

  test('LANTERN that borrows nothing is speculative decoding, else it is not', async () => {
    const drafts = { drafter: 'uniform', length: 3 };
    const exact = await decode('speculative', drafts);
    const near = (delta: number) => decode('lantern', { ...drafts, delta, neighbours: 8 });
    expect((await near(0)).tokens).toEqual(exact.tokens);
    expect((await near(0.9)).tokens).not.toEqual(exact.tokens);
  });

  test('stand in what a form may ask for', () => {
    const choices = (of: TokenCard, decoder = 'speculative', option = 'drafter') => {
      const { sampling } = describeModel(of);
      if (sampling.kind !== 'tokens') return [];
      const { options } = sampling.decoders.find(({ name }) => name === decoder)!;
      return options.find(({ name }) => name === option)!.choices!.map(String);
    };
    expect(choices(plain)).toEqual(['uniform', 'left', 'above', 'ngram']);
    const own = ['network', 'retrieval', 'block'];
    expect(choices(card)).toEqual(['uniform', 'left', 'above', 'ngram', ...own]);
    expect(choices(plain, 'bandit', 'second')).toEqual(['none', ...choices(plain)]);
    expect(choices(plain, 'bandit', 'rule')).toEqual(['ucb', 'exp3']);
  });

  test("are a bandit's to choose from, and all of them in the recipe", async () => {
    const options = { limit: 3, drafter: 'network', second: 'retrieval', third: 'block' };
    const { tokens } = await decode('bandit', options);
    expect((await decode('bandit', options)).tokens).toEqual(tokens);
    const digestOf = (decoderOptions: Record<string, string>) =>
      drafterDigestOf({ kind: 'tokens', decoder: 'bandit', temperature: 1, decoderOptions }, card);
    const { network, retrieval } = card.drafters!;
    expect(digestOf({ drafter: 'network', second: 'ngram' })).toBe(network!.digest);
    expect(digestOf({ second: 'retrieval' })).toBe(retrieval!.digest);
    const both = digestOf({ drafter: 'network', second: 'retrieval' });
    expect(both).toMatch(/^[0-9a-f]{64}$/);
    expect([network!.digest, retrieval!.digest]).not.toContain(both);
    expect(digestOf({})).toBeUndefined();
  });
});

test('a store of whole pictures finds what a store of the same entries finds', () => {
  const [C, r, length, N] = [6, 4, 5, 3];
  const matrix = createRng(4).normals(C * r);
  const grown = retrievalStore(C, r, createRng(4));
  const tokens = Int32Array.from({ length: N * length }, (_, i) => i % 7);
  const states = Array.from({ length: N * (length - 1) }, (_, i) =>
    createRng(5).stream(`${i}`).normals(C),
  );
  const keys = new Float32Array(states.length * r);
  for (const [i, state] of states.entries()) {
    const [picture, place] = [Math.floor(i / (length - 1)), (i % (length - 1)) + 1];
    grown.add(state, [...tokens.subarray(picture * length + place, (picture + 1) * length)]);
    const product = Array.from({ length: r }, (_, j) =>
      state.reduce((sum, value, c) => sum + value * matrix[c * r + j]!, 0),
    );
    const norm = Math.hypot(...product);
    keys.set(
      product.map((value) => value / norm),
      i * r,
    );
  }
  const stored = storedPictures({ matrix, keys, tokens, length });
  const state = createRng(6).normals(C);
  const plainOf = (store: Pick<typeof grown, 'nearest'>) =>
    store.nearest(state, 5).map(({ similarity, tokens: found }) => ({
      similarity: similarity.toFixed(5), // keys are stored as float32
      tokens: Array.from(found),
    }));
  expect(plainOf(stored)).toEqual(plainOf(grown));
  expect(plainOf(grown)).toHaveLength(5);
});

describe('what is missing is one sentence', () => {
  const request = (sampling: object) =>
    parseRequest({
      ...{ version: 1, model: 'tiny-tokens', condition: [], seed: 1 },
      size: { width: 16, height: 16 },
      sampling: { kind: 'tokens', ...sampling },
    });
  test.each([
    [
      { decoder: 'sjd', decoderOptions: { drafter: 'network' } },
      "sampling.decoderOptions.drafter: expected one of uniform, left, above, ngram, got 'network', which 'tiny-tokens' has none of; give it one with `ropewalk drafters`",
    ],
    [
      { decoder: 'bandit', decoderOptions: { second: 'block' } },
      "sampling.decoderOptions.second: expected one of uniform, left, above, ngram, got 'block', which 'tiny-tokens' has none of",
    ],
    [
      { decoder: 'sjd', decoderOptions: { drafter: 'netwrk' } },
      "sampling.decoderOptions.drafter: expected a known name, got 'netwrk'; nearest: network",
    ],
    [
      { decoder: 'lantern', decoderOptions: { neighbours: 16 } },
      "sampling.decoderOptions.neighbours: expected at most 15, the other codes of 'tiny-tokens', got 16",
    ],
    [
      { decoder: 'lantern', decoderOptions: { delta: 2 } },
      "sampling.decoderOptions: 'delta': expected a number from 0 to 1, got 2",
    ],
  ])('%j', (sampling, message) => {
    expect(() => resolveRequest(request(sampling), plain)).toThrow(message);
  });

  test('files that are not there, or are of other weights', async () => {
    const copy = join(parent, 'copy');
    await cp(folder, copy, { recursive: true });
    await cp(join(parent, 'tiny-tokenizer'), join(copy, 'tokenizer'), { recursive: true });
    await rm(join(copy, 'drafter'), { recursive: true });
    const other = await opened(copy);
    const by = (drafter: string) =>
      other.decode(asked, { decoder: 'sjd', decoderOptions: { drafter, window: 4 } });
    // Beside it under its id lies the model itself, which will do; not so under another id.
    await by('network');
    await other.dispose();
    const path = join(copy, 'model.json');
    const text = await readFile(path, 'utf8');
    const changed = JSON.parse(text) as TokenCard;
    await writeFile(
      path,
      JSON.stringify({
        ...changed,
        drafters: { ...changed.drafters, network: { id: 'gone', digest: card.digest } },
      }),
    );
    const lost = await opened(copy);
    const lostBy = (drafter: string) =>
      lost.decode(asked, { decoder: 'sjd', decoderOptions: { drafter, window: 4 } });
    await expect(lostBy('network')).rejects.toThrow("expected its drafter 'gone' in");
    await rm(join(copy, 'retrieval.safetensors'));
    await expect(lostBy('retrieval')).rejects.toThrow('expected its store');
    expect((await lost.decode(asked)).tokens).toHaveLength(3); // others go on
    await lost.dispose();

    const foreign = { ...plain, digest: 'f'.repeat(64) };
    await addRetrieval(copy, foreign, {
      ...{ matrix: { data: new Float32Array(32), shape: [32, 1] } },
      ...{ keys: { data: new Float32Array(15), shape: [1, 15, 1] } },
      tokens: { data: new Int32Array(T), shape: [1, T] },
    });
    const { card: named } = await readDrafter(folder);
    const files = drafterFiles(copy, {
      ...named,
      drafters: {
        retrieval: (JSON.parse(await readFile(path, 'utf8')) as TokenCard).drafters!.retrieval!,
      },
    });
    await expect(files.retrieval!()).rejects.toThrow('expected hidden states of the weights');
  });

  test('a drafter of other codes, words or sizes', async () => {
    const at = join(parent, 'others');
    const { folder: words } = await writeTinyTokenModel(at, {
      vocabulary: ['a', 'b', 'c', 'd'],
    });
    await expect(addNetwork(folder, card, words)).rejects.toThrow(
      "drafter 'tiny-tokens': expected the 4 words of 'tiny-tokens', got 4, or others",
    );
    const tokenizer = { ...card.tokenizer, digest: '0'.repeat(64) };
    await expect(addNetwork(folder, { ...card, tokenizer }, folder)).rejects.toThrow(
      "expected the codes of 'tiny-tokenizer'",
    );
    const trained = { height: 32, width: 32 };
    await expect(addNetwork(folder, { ...card, trained }, folder)).rejects.toThrow(
      'expected pictures of 32x32',
    );
  });
});
