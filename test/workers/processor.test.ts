import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeModel } from '../../generators/model.ts';
import type { Progress } from '../../jobs/job.ts';
import { listModels } from '../../pipelines/models.ts';
import { fileOf, render } from '../../pipelines/render.ts';
import { readRecipe } from '../../png.ts';
import { readText } from '../../png-chunks.ts';
import { formatParameters, type ImageRequest, parseRecipe } from '../../request.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createProcessor, type Made, type RenderTask } from '../../workers/processor.ts';
import { tinyModel, writeTinyModel } from '../pipelines/tiny-model.ts';
import { writeTinyTokenModel } from '../pipelines/tiny-token-model.ts';

const engine = createEngine({ threads: 1 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-processor-'));
  await writeTinyModel(folder);
  await writeTinyTokenModel(folder);
  await writePoisoned();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  expect(engine.open).toBe(0);
});

/** 'glasses=yes' makes its pictures overflow, and no others. */
async function writePoisoned(): Promise<void> {
  const { card, weights } = tinyModel({ id: 'poisoned' });
  const { digest: _, ...rest } = card;
  weights['y_embedder.embedding_table.weight']!.data.fill(3e38, 32, 64);
  await writeModel(join(folder, 'poisoned'), rest, weights, 'F32');
}

const requested = (changes: Partial<ImageRequest> = {}): ImageRequest => ({
  version: 1,
  model: 'tiny',
  condition: ['style=cat'],
  seed: 7,
  count: 1,
  size: { width: 16, height: 16 },
  sampling: { kind: 'diffusion', solver: 'euler', steps: 4, guidance: { scale: 2 } },
  ...changes,
});
const opened = () =>
  createProcessor({ engine, models: () => listModels([folder]), now: () => performance.now() });

/** A task that keeps what it is handed, and the rest of what happens. */
function keeping(task: Partial<RenderTask> = {}) {
  const made: Made[] = [];
  return { made, task: { onPicture: (one: Made) => void made.push(one), ...task } };
}
/** The files that one request after the other gives. */
const filesOf = async (request: ImageRequest): Promise<Uint8Array[]> => {
  const rendered = await render(request, { engine, models: await listModels([folder]) });
  return Promise.all(rendered.map(fileOf));
};

describe('requests at the same time', () => {
  test('share a batch, and get the files that they get alone', async () => {
    const processor = opened();
    const asked = [
      requested({ count: 3 }),
      requested({ condition: ['style=robot'], seed: 50 }),
      requested({ size: { width: 24, height: 16 } }),
    ];
    const kept = asked.map(() => keeping());
    let calls = 0;
    const onStep = () => {
      calls++;
    };
    await Promise.all(
      asked.map((request, i) => processor.render(request, { ...kept[i]!.task, onStep })),
    );
    expect(calls).toBe(3 * 4); // three pictures take no more calls than one
    for (const [i, request] of asked.entries()) {
      const { made } = kept[i]!;
      expect(made.map(({ index }) => index)).toEqual([...Array(request.count).keys()]);
      expect(made.map(({ png }) => png)).toEqual(await filesOf(request));
    }
    const { png, recipe } = kept[0]!.made[2]!;
    expect(parseRecipe(readRecipe(png))).toEqual(recipe);
    expect(recipe.request).toEqual(requested({ seed: 9 }));
    expect(readText(png).parameters).toBe(formatParameters(recipe));
    await processor.dispose();
  });

  test('are served in turn, those of a lower number first', async () => {
    const processor = opened();
    const order: string[] = [];
    const ask = (name: string, count: number, priority: number, width = 16) => {
      const onPicture = () => void order.push(name);
      const request = requested({ count, size: { width, height: 64 } });
      return processor.render(request, { onPicture, priority });
    };
    // 16 pictures fit a batch at 16 pixels a row of tokens, 12 at 24.
    await Promise.all([
      ask('long', 40, 2),
      ask('short', 2, 2),
      ask('urgent', 1, 1),
      ask('other', 1, 2, 24),
    ]);
    expect(order.indexOf('urgent')).toBeLessThan(16);
    expect(order.lastIndexOf('short')).toBeLessThan(16);
    expect(order.indexOf('other')).toBeLessThan(order.lastIndexOf('long'));
    expect(order.filter((name) => name === 'long').length).toBe(40);
    await processor.dispose();
  });

  test('one that overflows fails alone', async () => {
    const processor = opened();
    const [good, bad] = [keeping(), keeping()];
    const model = 'poisoned';
    const [one, two] = await Promise.allSettled([
      processor.render(requested({ model, count: 2 }), good.task),
      processor.render(requested({ model, condition: ['glasses=yes'] }), bad.task),
    ]);
    expect(one.status).toBe('fulfilled');
    expect(good.made.map(({ png }) => png)).toEqual(await filesOf(requested({ model, count: 2 })));
    expect((two as PromiseRejectedResult).reason.message).toMatch(/finite values|got NaN/);
    await processor.dispose();
  });
});

describe('a request', () => {
  test('tells of its steps and shows what is there', async () => {
    let clock = 0;
    const now = () => {
      clock += 200;
      return clock;
    };
    const processor = createProcessor({ engine, models: await listModels([folder]), now });
    const steps: Progress[] = [];
    const previews: number[] = [];
    const existing = new Set([1]);
    const { made, task } = keeping({
      existing,
      onStep: (progress) => void steps.push(progress),
      onPreview: (index, png) => {
        expect(png.length).toBeLessThan(4000);
        previews.push(index);
      },
    });
    // Four steps with a reading of the clock between them, for two pictures; telling of them is not counted.
    expect(await processor.render(requested({ count: 3 }), task)).toBeCloseTo(0.4, 10);
    expect(made.map(({ index }) => index)).toEqual([0, 2]);
    expect(steps.map(({ step, steps: of, done }) => [step, of, done])).toEqual(
      [6, 8, 10, 12].map((step) => [step, 12, 1]), // the one that exists has had its four
    );
    expect(steps[0]!.eta).toBeGreaterThan(0);
    expect(steps.at(-1)!.eta).toBe(0);
    // of one step; they are encoded side by side, in no order
    expect(new Set(previews.slice(0, 2))).toEqual(new Set([0, 2]));
    await processor.dispose();
  });

  test('of which all pictures exist makes none', async () => {
    const processor = opened();
    const { made, task } = keeping({ existing: new Set([0, 1]) });
    expect(await processor.render(requested({ count: 2 }), task)).toBeUndefined();
    expect(made).toEqual([]);
    await processor.dispose();
  });

  test('is cancelled within a step, keeps what is finished, and leaves the others alone', async () => {
    const processor = opened();
    const stop = new AbortController();
    let steps = 0;
    const mine = keeping({
      signal: stop.signal,
      onStep: () => {
        steps++;
        if (steps === 6) stop.abort(new Error('cancelled')); // in the middle of its second batch
      },
    });
    const theirs = keeping();
    const [one, two] = await Promise.allSettled([
      processor.render(requested({ count: 40 }), mine.task),
      processor.render(requested({ count: 20, seed: 300 }), theirs.task),
    ]);
    expect((one as PromiseRejectedResult).reason.message).toBe('cancelled');
    expect(steps).toBe(6);
    expect(mine.made.length).toBe(8);
    expect(two.status).toBe('fulfilled');
    expect(theirs.made.length).toBe(20);
    await processor.dispose();
  });

  test('cancelled alone stops the network within a step, of diffusion and of tokens', async () => {
    const processor = opened();
    const tokens = requested({
      model: 'tiny-tokens',
      sampling: { kind: 'tokens', decoder: 'sequential', temperature: 1 },
    });
    for (const request of [requested({ count: 2 }), tokens]) {
      const stop = new AbortController();
      let steps = 0;
      const { made, task } = keeping({
        signal: stop.signal,
        onStep: () => {
          steps++;
          stop.abort(new Error('cancelled'));
        },
      });
      await expect(processor.render(request, task)).rejects.toThrow('cancelled');
      expect([steps, made.length]).toEqual([1, 0]);
    }
    await processor.dispose();
  });

  test('of a model that cannot be read fails with the reason; the next one is served', async () => {
    const { folder: at } = await writeTinyModel(folder, { id: 'damaged' });
    await writeFile(join(at, 'model.safetensors'), 'nothing');
    const processor = opened();
    const { made, task } = keeping();
    const request = requested({ model: 'damaged' });
    await expect(processor.render(request, task)).rejects.toThrow('changed or damaged');
    await expect(processor.render(requested({ model: 'tinny' }), task)).rejects.toThrow(
      'nearest: tiny',
    );
    await processor.render(requested(), task);
    expect(made.length).toBe(1);
    await writeTinyModel(folder, { id: 'damaged' });
    await processor.render(request, task); // restored
    expect(made.length).toBe(2);
    await processor.dispose();
  });

  test('whose picture cannot be kept fails with the reason', async () => {
    const processor = opened();
    const onPicture = () => Promise.reject(new Error('the disk is full'));
    await expect(processor.render(requested(), { onPicture })).rejects.toThrow('disk is full');
    await processor.dispose();
  });
});
