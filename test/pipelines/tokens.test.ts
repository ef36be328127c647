import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTokenGenerator, type TokenCard } from '../../generators/token-model.ts';
import { listModels } from '../../pipelines/models.ts';
import { createRenderer, resolveRequest } from '../../pipelines/render.ts';
import { createTokenPipeline } from '../../pipelines/tokens.ts';
import { type ImageRequest, parseRequest } from '../../request.ts';
import { drawToken, filteredProbabilities } from '../../sampling/tokens/draw.ts';
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

  test('are made again from their recipe', async () => {
    const [, second] = await renderedBy(engine, request({ count: 2 }));
    expect(second!.recipe.request).toMatchObject({ seed: 8, count: 1 });
    expect(second!.recipe.digest).toBe(card.digest);
    const [again] = await renderedBy(engine, second!.recipe.request);
    expect(again!.picture).toEqual(second!.picture);
  });

  test('depend on condition, negative condition, guidance and temperature', async () => {
    const sampling = (changes: object) => ({ sampling: { ...request().sampling, ...changes } });
    const asked = [
      request(),
      request({ condition: ['style=robot'] }),
      request({ negative: ['glasses=yes'] }),
      request(sampling({ guidance: 1 })),
      request(sampling({ temperature: 0 })),
      request(sampling({ topK: 2 })),
    ];
    const all = [];
    for (const one of asked) all.push(JSON.stringify(pixelsOf(await renderedBy(engine, one))));
    expect(new Set(all).size).toBe(asked.length);
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

describe('a token', () => {
  const logits = Float32Array.of(2, 1, 0, -1);

  test('keeps what its filters let through', () => {
    const kept = (filters: object) =>
      [...filteredProbabilities(logits, { temperature: 1, ...filters })].map((p) => p > 0);
    expect(kept({})).toEqual([true, true, true, true]);
    expect(kept({ topK: 2 })).toEqual([true, true, false, false]);
    expect(kept({ topP: 0.65 })).toEqual([true, true, false, false]); // 0.644, then 0.237
    expect(kept({ topP: 0.64 })).toEqual([true, false, false, false]);
    expect(kept({ minP: 0.1 })).toEqual([true, true, true, false]); // ratios 1, 0.37, 0.14, 0.05
  });

  test('follows its probabilities', () => {
    const wanted = filteredProbabilities(logits, { temperature: 0.7 });
    const counts = [0, 0, 0, 0];
    const n = 4000;
    for (let i = 0; i < n; i++)
      counts[drawToken(logits, { temperature: 0.7 }, createRng(1).stream(`${i}`))]!++;
    const chi = wanted.reduce((sum, p, i) => sum + (counts[i]! - n * p) ** 2 / (n * p), 0);
    expect(chi).toBeLessThan(16.27); // p = 0.001 with 3 degrees of freedom
    expect(drawToken(logits, { temperature: 0 }, createRng(1))).toBe(0);
  });
});
