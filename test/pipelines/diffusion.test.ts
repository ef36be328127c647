import { expect, test } from 'vitest';
import type { Model } from '../../generators/model.ts';
import {
  createDiffusionPipeline,
  type PipelineOptions,
  type RenderOptions,
} from '../../pipelines/diffusion.ts';
import { toPicture } from '../../png.ts';
import { noise } from '../../sampling/noise.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { tinyFiT, tinyModel } from './tiny-model.ts';

const cat = [{ id: 4 }, { id: 3, weight: 1.5 }];

async function draw(
  options: Partial<RenderOptions> = {},
  { model = tinyModel(), ...pipeline }: { model?: Model } & Partial<PipelineOptions> = {},
) {
  const engine = createEngine({ threads: 1 });
  const drawing = createDiffusionPipeline({ engine, model, ...pipeline });
  const pictures = await drawing.render({ words: cat, seed: 7, ...options });
  await drawing.dispose();
  expect(engine.open).toBe(0);
  return pictures;
}

test('pictures depend on seed, words, negative words, guidance and steps', async () => {
  const base = (await draw())[0]!;
  expect([base.width, base.height]).toEqual([16, 16]);
  expect(await draw()).toEqual([base]);
  const changes: Partial<RenderOptions>[] = [
    { seed: 8 },
    { words: [{ id: 4 }] },
    { words: [{ id: 4 }, { id: 3 }] },
    { negative: [{ id: 5 }] },
    { guidance: 3 },
    { interval: { from: 0, to: 0.5 } },
    { steps: 4 },
    { solver: 'heun' },
    { shift: 2 },
  ];
  for (const change of changes)
    expect(await draw(change), JSON.stringify(change)).not.toEqual([base]);
});

test('picture i has seed + i, and the same bits in calls of any number of rows', async () => {
  const together = await draw({ count: 5 });
  for (const i of [0, 3]) expect(await draw({ seed: 7 + i })).toEqual([together[i]]);
  for (const rows of [1, 2, 3, 8, 64]) expect(await draw({ count: 5 }, { rows })).toEqual(together);
  const engine = createEngine({ threads: 2 });
  expect(await draw({ count: 5 }, { engine })).toEqual(together);
});

test('negative words that are the asked ones make guidance vanish', async () => {
  expect(await draw({ negative: cat, guidance: 5 })).toEqual(await draw({ guidance: 1 }));
});

test('an interval outside of which nothing is guided', async () => {
  expect(await draw({ guidance: 5, interval: { from: 0, to: 0 } })).toEqual(
    await draw({ guidance: 1 }),
  );
});

test('the start at another size is the trained noise, larger', async () => {
  const still = tinyModel({ objective: { prediction: 'velocity', schedule: 'flow' } }, 0);
  const size = { height: 24, width: 32 };
  const [picture] = await draw({ size }, { model: still });
  const start = noise(createRng(7).stream('noise'), { ...size, channels: 3 }, still.card.trained);
  expect(picture).toEqual(toPicture(start, size));
});

test('positions that depend on t', async () => {
  const size = { height: 32, width: 32 };
  const plain = await draw({ size });
  const timed = await draw({ size, extend: 'dype-ntk', count: 2 });
  expect(timed[0]).not.toEqual(plain[0]);
  expect(await draw({ size, extend: 'dype-ntk', count: 2 }, { rows: 1 })).toEqual(timed);
  expect(await draw({ extend: 'dype-ntk' })).toEqual(await draw()); // at the trained size nothing changes
});

test('an extension shifts the times of a larger size, on top of the shift that is asked for', async () => {
  const [extend, size] = ['time-shift', { width: 32, height: 32 }];
  const larger = await draw({ size, extend, shift: 1.5 });
  expect(larger).toEqual(await draw({ size, shift: 3 })); // twice the side
  expect(larger).not.toEqual(await draw({ size, shift: 1.5 }));
  expect(await draw({ extend })).toEqual(await draw());
});

test('classes: the null class is the last row of the table', async () => {
  const model = tinyModel({
    config: { ...tinyModel().card.config, condition: { classes: 3 } },
    vocabulary: ['a', 'b', 'c'],
  });
  const [a] = await draw({ words: [{ id: 0 }] }, { model });
  expect(await draw({ words: [{ id: 1 }] }, { model })).not.toEqual([a]);
  expect(await draw({ words: [{ id: 0 }], negative: [{ id: 1 }] }, { model })).not.toEqual([a]);
  await expect(draw({ words: [{ id: 0 }, { id: 1 }] }, { model })).rejects.toThrow(
    'condition: expected at most one class, got 2',
  );
});

test('a learned variance is left out of the picture', async () => {
  const config = { ...tinyModel().card.config, variance: true };
  expect(await draw({}, { model: tinyModel({ config }) })).toHaveLength(1);
});

test('FiT draws as DiT does: by words and seed, in any batch, at other sizes, with extensions', async () => {
  const model = tinyFiT();
  const [base] = await draw({}, { model });
  expect(await draw({ seed: 8 }, { model })).not.toEqual([base]);
  expect(await draw({ words: [{ id: 4 }] }, { model })).not.toEqual([base]);
  expect((await draw({ seed: 5, count: 4 }, { model, rows: 8 }))[2]).toEqual(base);
  const wide = { width: 32, height: 16 };
  const extended = await Promise.all(
    [[], 'yarn', 'dype-yarn'].map((extend) => draw({ size: wide, extend }, { model })),
  );
  expect(extended.map(([picture]) => [picture!.width, picture!.height])).toEqual([
    ...Array(3).fill([32, 16]),
  ]);
  expect(new Set(extended.map((pictures) => JSON.stringify(pictures))).size).toBe(3);
});

test('different conditions share batches', async () => {
  const drawing = createDiffusionPipeline({
    engine: createEngine({ threads: 1 }),
    model: tinyModel(),
  });
  const asked = [
    { words: cat, seed: 7 },
    { words: [{ id: 5 }], seed: 9 },
  ];
  const pictures = await drawing.draw(asked);
  await drawing.dispose();
  expect(pictures).toEqual([...(await draw()), ...(await draw({ words: [{ id: 5 }], seed: 9 }))]);
});

test('programs are compiled once and few are kept', async () => {
  const engine = createEngine({ threads: 1 });
  const drawing = createDiffusionPipeline({ engine, model: tinyModel() });
  const render = (side: number) =>
    drawing.render({ words: cat, seed: 1, steps: 1, size: { height: side, width: side } });
  await render(16);
  await render(16);
  expect(engine.open).toBe(1);
  for (const side of [20, 24, 28, 32]) await render(side);
  expect(engine.open).toBe(3);
  await drawing.dispose();
  expect(engine.open).toBe(0);
});

test('progress counts the steps of all batches and shows what is there', async () => {
  const seen: [number, number, number, number][] = [];
  await draw(
    {
      count: 3,
      onStep: ({ step, steps, first, preview }) => {
        seen.push([step, steps, first, preview().length]);
      },
    },
    { rows: 4 },
  );
  expect(seen).toEqual([
    [1, 6, 0, 2],
    [2, 6, 0, 2],
    [3, 6, 0, 2],
    [4, 6, 2, 1],
    [5, 6, 2, 1],
    [6, 6, 2, 1],
  ]);
});

test('stops on a signal', async () => {
  const stop = new AbortController();
  const stopped = draw({ signal: stop.signal, onStep: () => stop.abort() });
  await expect(stopped).rejects.toThrow('aborted');
});

test.each([
  [
    { height: 16, width: 18 },
    'size.width: expected a multiple of the patch (4) from 4 to 64, got 18',
  ],
  [
    { height: 68, width: 16 },
    'size.height: expected a multiple of the patch (4) from 4 to 64, got 68',
  ],
])('refuses size %o', async (size, message) => {
  await expect(draw({ size })).rejects.toThrow(message);
});
