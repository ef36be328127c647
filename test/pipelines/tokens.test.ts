import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTokenGenerator, type TokenCard } from '../../generators/token-model.ts';
import { listModels } from '../../pipelines/models.ts';
import { createRenderer, resolveRequest } from '../../pipelines/render.ts';
import { DECODER_NAMES } from '../../pipelines/token-decoders.ts';
import { createTokenPipeline } from '../../pipelines/tokens.ts';
import { type ImageRequest, parseRequest } from '../../request.ts';
import { arithmetic, encode } from '../../sampling/tokens/arithmetic.ts';
import { sequential } from '../../sampling/tokens/sequential.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { writeTinyTokenModel } from './tiny-token-model.ts';

const engine = createEngine({ threads: 1 });
const two = createEngine({ threads: 2 });
let parent: string;
let folder: string;
let card: TokenCard;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ropewalk-token-models-'));
  ({ folder, card } = await writeTinyTokenModel(parent));
});
afterAll(async () => {
  await rm(parent, { recursive: true, force: true });
  expect([engine.open, two.open]).toEqual([0, 0]);
});

const request = (changes: Record<string, unknown> = {}): ImageRequest =>
  parseRequest({
    version: 1,
    model: 'tiny-tokens',
    condition: ['style=cat'],
    seed: 7,
    size: { width: 16, height: 16 },
    sampling: { kind: 'tokens', decoder: 'sequential', temperature: 1, guidance: 2 },
    ...changes,
  });

async function renderedBy(on: typeof engine, asked: ImageRequest) {
  const renderer = createRenderer({ engine: on, models: await listModels([parent]) });
  const rendered = await renderer.render(asked);
  await renderer.dispose();
  return rendered;
}
const pixelsOf = (rendered: Awaited<ReturnType<typeof renderedBy>>) =>
  rendered.map(({ picture }) => [...picture.data]);

describe('pictures from tokens', () => {
  test('are the same for a seed in any batch and with any number of threads', async () => {
    const [alone] = pixelsOf(await renderedBy(engine, request({ seed: 8 })));
    const together = pixelsOf(await renderedBy(two, request({ seed: 7, count: 3 })));
    expect(together[1]).toEqual(alone);
    expect(together[0]).not.toEqual(alone);
    const model = await readTokenGenerator(folder, card);
    const pipeline = createTokenPipeline({ engine, model, pictures: 2 });
    const words = [{ id: 2 }];
    const parts = await pipeline.draw([7, 8, 9].map((seed) => ({ words, seed })));
    await pipeline.dispose();
    expect(parts.map(({ data }) => [...data])).toEqual(together);
  });

  test('are the same by fixed-noise decoding in any window, guided and several at once', async () => {
    const wanted = pixelsOf(await renderedBy(engine, request({ count: 3 })));
    for (const decoderOptions of [{ window: 3 }, { window: 8, drafter: 'above' }]) {
      const sampling = { ...request().sampling, decoder: 'fixed-noise', decoderOptions };
      expect(pixelsOf(await renderedBy(engine, request({ count: 3, sampling })))).toEqual(wanted);
    }
  });

  test('come by every decoder that a request may name, guided, a picture alone as in a batch', async () => {
    const model = await readTokenGenerator(folder, card);
    const pipeline = createTokenPipeline({ engine, model });
    const asked = [7, 8].map((seed) => ({ words: [{ id: 2 }], seed }));
    const small: Record<string, Record<string, number>> = {
      ...{ ragged: { limit: 4 }, bandit: { limit: 4 }, zipar: { lead: 2 } },
    };
    for (const decoder of DECODER_NAMES) {
      const options = { decoder, decoderOptions: small[decoder] ?? {} };
      const { tokens, trace, passes } = await pipeline.decode(asked, options);
      expect(passes).toBeLessThanOrEqual(16);
      expect(trace.length).toBe(passes);
      for (const list of tokens) {
        expect(list.length).toBe(16);
        expect(list.every((token) => token >= 0 && token < 16)).toBe(true);
      }
      if (decoder === 'ragged' || decoder === 'bandit') continue; // lengths are the batch's
      const alone = await pipeline.decode(asked.slice(1), options);
      expect(alone.tokens[0], decoder).toEqual(tokens[1]);
    }
    await pipeline.dispose();
  });

  test('are made again from their recipe', async () => {
    const [, second] = await renderedBy(engine, request({ count: 2 }));
    expect(second!.recipe.request).toMatchObject({ seed: 8, count: 1 });
    expect(second!.recipe.digest).toBe(card.digest);
    const [again] = await renderedBy(engine, second!.recipe.request);
    expect(again!.picture).toEqual(second!.picture);
  });

  test('by decoders that look at the whole batch are drawn alone, so that recipes hold', async () => {
    for (const decoder of ['ragged', 'bandit']) {
      const sampling = { kind: 'tokens', decoder, decoderOptions: { limit: 4 }, temperature: 3 };
      const [, second] = await renderedBy(engine, request({ count: 2, sampling }));
      const [again] = await renderedBy(engine, second!.recipe.request);
      expect(again!.picture).toEqual(second!.picture);
    }
  });

  test('depend on condition, negative condition, guidance and temperature', async () => {
    // Warm, so that no token is a matter of course.
    const warm = (changes: object = {}) => ({
      sampling: { ...request().sampling, temperature: 3, ...changes },
    });
    const asked = [
      request(warm()),
      request({ condition: ['style=robot'], ...warm() }),
      request({ negative: ['glasses=yes'], ...warm() }),
      request(warm({ guidance: 1 })),
      request(warm({ guidance: 20 })),
      request(warm({ guidance: 20, guidanceOptions: { schedule: 'linear' } })),
      request(warm({ guidance: 20, guidanceOptions: { schedule: 'cosine' } })),
      request(warm({ guidance: 20, guidanceOptions: { from: 0.5 } })),
      request(warm({ temperature: 0 })),
      request(warm({ topK: 2 })),
    ];
    const all = [];
    for (const one of asked) all.push(JSON.stringify(pixelsOf(await renderedBy(engine, one))));
    expect(new Set(all).size).toBe(asked.length);
  });

  test('guided from the end of the tokens on are those of no guidance', async () => {
    const [never, none, always, plain] = await Promise.all(
      [
        { guidance: 4, guidanceOptions: { from: 1 } },
        { guidance: 1 },
        { guidance: 4, guidanceOptions: { schedule: 'constant', from: 0, to: 1 } },
        { guidance: 4 },
      ].map(async (changes) =>
        pixelsOf(
          await renderedBy(engine, request({ sampling: { ...request().sampling, ...changes } })),
        ),
      ),
    );
    expect(never).toEqual(none);
    expect(always).toEqual(plain);
    expect(plain).not.toEqual(none);
  });

  test("by a program's own decoders: the model is opened as decoders see it", async () => {
    const model = await readTokenGenerator(folder, card);
    const pipeline = createTokenPipeline({ engine, model });
    const asked = [7, 8].map((seed) => ({ words: [{ id: 2 }], seed }));
    const rngs = asked.map(({ seed }) => createRng(seed));
    const wanted = await pipeline.decode(asked, { decoder: 'sequential' });
    const opened = await pipeline.open(asked);
    const { tokens } = await sequential().decode(opened, { rngs });
    expect(tokens).toEqual(wanted.tokens);
    expect(await pipeline.paint(tokens)).toEqual(await pipeline.draw(asked));
    const plain = await pipeline.open(asked, { guidance: 1 });
    expect(plain.batch).toBe(2);
    const other = await sequential().decode(plain, { rngs });
    expect(other.tokens).not.toEqual(tokens);
    // Points of the guided law, read in windows, give back the tokens that were drawn one a pass.
    const points = (await encode(await pipeline.open(asked), tokens)).map(({ low }) => low);
    const back = await arithmetic({ points }).decode(await pipeline.open(asked), { rngs });
    expect(back.tokens).toEqual(tokens);
    expect((await pipeline.nearestCodes(3))[5]).toHaveLength(3);
    await pipeline.dispose();
  });

  test('stop on a signal, and tell how far they are', async () => {
    const stop = new AbortController();
    const steps: number[] = [];
    const renderer = createRenderer({ engine, models: await listModels([parent]) });
    const asked = renderer.render(request(), {
      signal: stop.signal,
      onStep: ({ step, steps: of }) => {
        expect(of).toBe(16);
        steps.push(step);
        if (step === 3) stop.abort();
      },
    });
    await expect(asked).rejects.toThrow(/abort/i);
    expect(steps).toEqual([1, 2, 3]);
    await renderer.dispose();
  });

  test.each([
    [{ size: { width: 32, height: 16 } }, 'size: expected 16x16'],
    [{ condition: ['style=dog'] }, "condition: expected a known name, got 'style=dog'"],
    [{ sampling: { kind: 'tokens', decoder: 'magic' } }, 'sampling.decoder: expected a known name'],
    [
      { sampling: { kind: 'tokens', decoder: 'sequential', topK: 17 } },
      'sampling.topK: expected at most 16',
    ],
    [
      { sampling: { kind: 'tokens', decoder: 'sjd', decoderOptions: { window: 17 } } },
      'sampling.decoderOptions.window: expected a whole number from 1 to 16, got 17',
    ],
    [
      { sampling: { kind: 'tokens', decoder: 'sequential', decoderOptions: { window: 2 } } },
      "sampling.decoderOptions: expected no options, got 'window'",
    ],
    [
      {
        sampling: {
          ...{ kind: 'tokens', decoder: 'sequential', guidance: 2 },
          guidanceOptions: { schedule: 'liner' },
        },
      },
      "sampling.guidanceOptions.schedule: expected a known name, got 'liner'; nearest: linear",
    ],
    [{ sampling: { kind: 'diffusion', solver: 'euler', steps: 3 } }, 'sampling: expected tokens'],
    [{ position: { extend: 'yarn' } }, 'position.extend: expected none'],
  ])('refuse %j', (changes, message) => {
    expect(() => resolveRequest(request(changes), card)).toThrow(message);
  });

  test('need the tokenizer whose codes they are', async () => {
    const other = { ...card, tokenizer: { ...card.tokenizer, digest: '0'.repeat(64) } };
    await expect(readTokenGenerator(folder, other)).rejects.toThrow(
      'its codes mean something else',
    );
    const none = { ...card, tokenizer: { ...card.tokenizer, id: 'missing' } };
    await expect(readTokenGenerator(folder, none)).rejects.toThrow(
      "expected its tokenizer 'missing'",
    );
  });
});
