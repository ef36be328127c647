/** Pictures that keep their own shapes: buckets and native sizes, from a folder to a run that goes on. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { readSafetensors } from '../../tensor/safetensors.ts';
import { createBatches } from '../../training/batches.ts';
import type { Dataset, Shape, Sides } from '../../training/data/dataset.ts';
import { openFolder } from '../../training/data/folder.ts';
import { descriptionOf, openData } from '../../training/data/open.ts';
import { bucketsOf, checkOwnShapes, shapeRuleOf } from '../../training/data/own-shapes.ts';
import type { StepProgress } from '../../training/loop.ts';
import { createPackedBatches } from '../../training/packed-batches.ts';
import { parsePackedTraining } from '../../training/packed-config.ts';
import { trainPacked } from '../../training/packed-run.ts';
import { train } from '../../training/run.ts';
import { showBuckets } from '../../training/showing.ts';
import { seeOwn } from '../../training/views.ts';
import { parseTraining } from '../../workers/training.ts';
import { tinyConfig } from './tiny.ts';

let root: string;
const FILES: readonly Sides[] = [
  ...Array.from({ length: 9 }, (): Sides => [32, 32]),
  ...Array.from({ length: 6 }, (): Sides => [20, 40]),
  ...Array.from({ length: 5 }, (): Sides => [50, 30]),
];
/** Red grows downwards and green to the right, 4 and 5 a pixel; blue tells pictures apart. */
const red = (y: number) => 4 * y;
const green = (x: number) => 5 * x;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ropewalk-shapes-'));
  await mkdir(join(root, 'pictures', 'a'), { recursive: true });
  for (const [i, [height, width]] of FILES.entries()) {
    const pixels = Uint8Array.from({ length: 3 * height * width }, (_, at) => {
      const [y, x] = [Math.floor(at / (3 * width)), Math.floor(at / 3) % width];
      return [red(y), green(x), i][at % 3]!;
    });
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(root, 'pictures', 'a', `${String(i).padStart(2, '0')}.png`));
  }
});
afterAll(() => rm(root, { recursive: true, force: true }));

const folder = () => ({ folder: join(root, 'pictures'), cache: join(root, 'cache'), size: 16 });
const BUCKETS = { multiple: 4, ratio: 2 };

describe('buckets', () => {
  test('have about the same area, never more, and each its transpose', () => {
    expect(bucketsOf(64, { multiple: 8, ratio: 2 })).toEqual([
      ...[
        [48, 80],
        [56, 72],
        [64, 64],
        [72, 56],
        [80, 48],
      ],
    ]);
    expect(bucketsOf(64, { multiple: 8, ratio: 1 })).toEqual([[64, 64]]);
    for (const side of [60, 96, 256])
      for (const multiple of [4, 8, 16]) {
        const all = bucketsOf(side, { multiple, ratio: 3 });
        for (const [h, w] of all) {
          expect(all).toContainEqual([w, h]);
          expect([h % multiple, w % multiple]).toEqual([0, 0]);
          expect(h * w).toBeLessThanOrEqual(side ** 2);
          expect(Math.max(h / w, w / h)).toBeLessThanOrEqual(3);
          // The longer side could not be one step longer; the square is always one of them.
          if (h !== w)
            expect(Math.min(h, w) * (Math.max(h, w) + multiple)).toBeGreaterThan(side ** 2);
        }
      }
  });

  const rule = shapeRuleOf({ size: 64, buckets: { multiple: 8, ratio: 2 } })!;
  test.each<[Sides, Shape]>([
    [[640, 640], { size: [64, 64], cut: [64, 64] }],
    [[640, 480], { size: [75, 56], cut: [72, 56] }], // 4:3 is nearer to 72:56 than to 80:48 or 64:64
    [[480, 640], { size: [56, 75], cut: [56, 72] }],
    [[30, 20], { size: [80, 53], cut: [80, 48] }], // a small one is scaled up
    [[100, 1000], { size: [48, 480], cut: [48, 80] }], // beyond the last bucket: the rest is cut off
  ])('a picture of %j is scaled to cover the one nearest in ratio', (picture, shape) => {
    expect(rule(picture)).toEqual(shape);
  });

  test('what is cut is told: its place in the picture, and the picture', () => {
    const [height, width] = [10, 6];
    const pixels = Uint8Array.from({ length: 180 }, (_, at) =>
      at % 3 === 0 ? red(Math.floor(at / 18)) : at % 3 === 1 ? green(Math.floor(at / 3) % 6) : 0,
    );
    const shape: Shape = { size: [height, width], cut: [8, 4] };
    const places = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const mirrored = i % 2 === 1;
      const { pixels: cut, size } = seeOwn(pixels, shape, { rng: createRng(i), mirrored });
      const [top, left] = size.crop;
      expect(size).toEqual({ original: [10, 6], crop: [top, left], target: [8, 4] });
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 4; x++) {
          const column = mirrored ? 5 - (left + x) : left + x;
          expect([...cut.subarray(3 * (4 * y + x), 3 * (4 * y + x) + 2)]).toEqual([
            ...[red(top + y), green(column)],
          ]);
        }
      places.add(`${top},${left}`);
    }
    expect(places.size).toBe(9); // of 3 x 3
    const whole = { size: [8, 4], cut: [8, 4] } as const;
    expect(seeOwn(pixels.subarray(0, 96), whole, { rng: createRng(1) }).size).toEqual({
      ...{ original: [8, 4], crop: [0, 0], target: [8, 4] },
    });
  });
});

describe('a folder in its own shapes', () => {
  test('keeps pictures scaled to cover their buckets, also when opened again', async () => {
    for (const data of [
      await openFolder({ ...folder(), buckets: BUCKETS }),
      await openFolder({ ...folder(), buckets: BUCKETS }),
    ]) {
      const seen = FILES.map((_, i) => data.shape!(i));
      expect(seen[0]).toEqual({ size: [16, 16], cut: [16, 16] });
      expect(seen[9]).toEqual({ size: [12, 24], cut: [12, 20] });
      expect(seen[15]).toEqual({ size: [20, 12], cut: [20, 12] });
      for (const [i, { size }] of seen.entries()) {
        const pixels = data.pixels(i);
        expect(pixels.length).toBe(3 * size[0] * size[1]);
        // Nothing is cut off yet: the corners are the file's, up to the kernel.
        const [height, width] = FILES[i]!;
        const last = pixels.subarray(pixels.length - 3);
        expect(Math.abs(last[0]! - red(height - 1))).toBeLessThan(10);
        expect(Math.abs(last[1]! - green(width - 1))).toBeLessThan(14);
        expect(last[2]).toBe(i);
      }
    }
  });

  test('native: small pictures as they are, larger ones scaled down, strips to a patch', async () => {
    const data = await openFolder({ ...folder(), size: 40, native: { multiple: 4 } });
    expect(data.shape!(0)).toEqual({ size: [32, 32], cut: [32, 32] });
    expect(data.shape!(15)).toEqual({ size: [50, 30], cut: [48, 28] });
    const [y, x] = [49, 29];
    expect([...data.pixels(15).subarray(-3)]).toEqual([red(y), green(x), 15]); // not one pixel resampled
    const rule = shapeRuleOf({ size: 16, native: { multiple: 4 } })!;
    expect(rule([50, 30])).toEqual({ size: [21, 12], cut: [20, 12] });
    expect(rule([2, 600])).toEqual({ size: [4, 1200], cut: [4, 64] });
    expect(rule([600, 2])).toEqual({ size: [1200, 4], cut: [64, 4] });
    for (let i = 1; i < 400; i++) {
      const { size, cut } = rule([1 + ((i * 37) % 90), 1 + ((i * 53) % 70)]);
      expect(cut[0] * cut[1]).toBeLessThanOrEqual(256);
      for (const axis of [0, 1] as const) {
        expect(cut[axis]).toBeLessThanOrEqual(size[axis]);
        expect([cut[axis] % 4, cut[axis] > 0]).toEqual([0, true]);
      }
    }
  });

  test('a picture that lies on its side is one of its upright shape', async () => {
    const at = join(root, 'turned');
    await mkdir(at);
    await sharp({ create: { width: 40, height: 20, channels: 3, background: '#123' } })
      .withMetadata({ orientation: 6 })
      .toFile(join(at, '1.jpg'));
    const data = await openFolder({ ...folder(), folder: at, buckets: BUCKETS });
    expect(data.shape!(0)).toEqual({ size: [24, 12], cut: [20, 12] });
  });
});

/** Pictures of three cuts, 23, 11 and 3 of them, whose blue says which they are. */
const CUTS: readonly Sides[] = [
  [16, 16],
  [12, 20],
  [20, 12],
];
const cutOf = (i: number): Sides => CUTS[i < 23 ? 0 : i < 34 ? 1 : 2]!;
const shaped: Dataset & { shape(index: number): Shape } = {
  ...{ name: 'shaped', size: 16, length: 37, vocabulary: ['class=a'] },
  shape: (i) => ({ size: [cutOf(i)[0] + 1, cutOf(i)[1]], cut: cutOf(i) }),
  pixels: (i) => new Uint8Array(3 * (cutOf(i)[0] + 1) * cutOf(i)[1]).fill(i),
  words: () => [0],
};

describe('batches', () => {
  test('are of one cut, and show every picture once an epoch', () => {
    const show = showBuckets(shaped, createRng(1), 4);
    const counts = new Map<number, number>();
    let [shown, batches] = [0, 0];
    for (let epoch = 1; epoch <= 12; epoch++) {
      while (4 * (batches + 1) <= epoch * 37 - 9) {
        const { size, pictures } = show(batches++);
        for (const index of pictures) {
          expect(cutOf(index)).toEqual(size);
          counts.set(index, (counts.get(index) ?? 0) + 1);
        }
        shown += pictures.length;
      }
      // At most 3 pictures of each cut wait, so each was shown in all epochs but one, and in no later one.
      const times = Array.from({ length: 37 }, (_, i) => counts.get(i) ?? 0);
      expect(Math.min(...times)).toBeGreaterThanOrEqual(epoch - 2);
      expect(Math.max(...times)).toBeLessThanOrEqual(epoch);
    }
    expect(shown).toBe(4 * batches);
  });

  test('begin anywhere as they would have come', () => {
    const all = showBuckets(shaped, createRng(5), 4);
    const walked = Array.from({ length: 60 }, (_, i) => all(i).pictures);
    expect(showBuckets(shaped, createRng(5), 4)(59).pictures).toEqual(walked[59]);
    expect(all(7).pictures).toEqual(walked[7]);
    expect(showBuckets(shaped, createRng(6), 4)(59).pictures).not.toEqual(walked[59]);
  });

  test('say of each picture where it was cut', () => {
    const batches = createBatches(shaped, createRng(2), {
      ...tinyConfig({ batch: 4 }),
      ...{ micro: true, drop: { all: 0, some: 0 } },
    });
    const shapes = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const { x, micro, target } = batches(i);
      const [B, h, w] = x.shape as [number, number, number];
      expect([B, target.shape]).toEqual([4, x.shape]);
      shapes.add(`${h}x${w}`);
      for (let row = 0; row < B; row++) {
        const [H, W, top, left, ...rest] = micro!.data.subarray(7 * row, 7 * row + 7);
        expect([H, W, left, ...rest]).toEqual([h + 1, w, 0, h, w, 1]);
        expect([0, Math.fround(1000 / (h + 1))]).toContain(top);
      }
    }
    expect(shapes).toEqual(new Set(['16x16', '12x20', '20x12']));
  });

  test('packed: a batch goes on where the one before ended', () => {
    const config = parsePackedTraining(
      {
        ...tinyConfig({ batch: 6 }),
        data: { set: 'folder', size: 16, native: { multiple: 4 } },
        packed: { rows: 2, length: 40 },
      },
      'packed',
    );
    const make = () =>
      createPackedBatches(shaped, createRng(4), {
        ...config,
        ...{ views: [], pictures: () => shaped, patch: 4 },
        coordinates: (_, { size: [h, w] }) => ({
          data: new Float32Array((h * w) / 8),
          shape: [(h * w) / 16, 2],
        }),
      });
    const batches = make();
    const seen: number[] = [];
    const taken = (step: number) => {
      const { mask, target } = batches(step);
      const found: number[] = [];
      for (let row = 0; row < 2; row++)
        for (let number = 1, at = 0; ; number++) {
          at = mask.data.indexOf(number, 40 * row);
          if (at < 0 || at >= 40 * (row + 1)) break;
          found.push(Math.round(127.5 * (target.data[at * 48]! + 1)));
        }
      return found;
    };
    for (let step = 0; seen.length < 37 * 3; step++) seen.push(...taken(step));
    const times = Array.from({ length: 37 }, (_, i) => seen.filter((one) => one === i).length);
    expect(Math.min(...times)).toBe(3);
    expect(Math.max(...times)).toBeLessThanOrEqual(4); // the last batch may begin the next epoch
    expect(make()(9)).toEqual(batches(9));
  });
});

/** Losses of a run that may be stopped, and what it left. */
async function runTwice(
  run: (name: string, signal: AbortSignal, seen: StepProgress[]) => Promise<void>,
) {
  const seen: Record<string, StepProgress[]> = {};
  for (const [name, stopAfter] of [['whole'], ['parts', 2], ['parts']] as const) {
    const stop = new AbortController();
    const own: StepProgress[] = [];
    own.push = (...items) => {
      if (items.at(-1)!.step === stopAfter) stop.abort();
      return Array.prototype.push.apply(own, items);
    };
    await run(name, stop.signal, own);
    seen[name] = [...(seen[name] ?? []), ...own];
  }
  const losses = (name: string) =>
    seen[name]!.map(({ step, loss, norm }) => ({ step, loss, norm }));
  expect(losses('parts')).toEqual(losses('whole'));
  return losses('whole');
}

const read = async (name: string) => {
  const latest = await readFile(join(root, name, 'latest'), 'utf8');
  return (await readSafetensors(join(root, name, latest, 'weights.safetensors'))).tensors;
};

describe('runs', () => {
  test('over buckets, stopped and continued, are the same bit for bit; the card has the sizes', async () => {
    const base = tinyConfig();
    const data = {
      set: 'folder' as const,
      size: 16,
      path: join(root, 'pictures'),
      buckets: BUCKETS,
    };
    const config = tinyConfig({
      ...{ data, batch: 3, steps: 6, every: { checkpoint: 3, heldOut: 3, sheet: 6 } },
      model: { ...base.model, config: { ...base.model.config, micro: true } },
      sampling: { ...base.sampling, steps: 1 },
    });
    const opened = await openData(config.data, { cache: join(root, 'cache') });
    expect(opened.heldOut.shape).toBeDefined();
    expect(descriptionOf(opened).sizes).toEqual(
      expect.arrayContaining([
        [16, 16],
        [12, 20],
        [20, 12],
      ]),
    );
    const losses = await runTwice(async (name, signal, seen) => {
      const { update } = await train(config, {
        ...{ engine: createEngine({ threads: 1 }), ...opened, signal },
        folder: join(root, `buckets-${name}`),
        onStep: (progress) => void seen.push(progress),
      });
      await update.dispose();
    });
    expect(losses).toHaveLength(6);
    expect(await read('buckets-parts')).toEqual(await read('buckets-whole'));
  });

  test('over native sizes in shared rows too', async () => {
    const data = { set: 'folder' as const, size: 16, path: join(root, 'pictures') };
    const config = parsePackedTraining(
      {
        ...tinyConfig({ steps: 4, every: { checkpoint: 2, heldOut: 4, sheet: 9 } }),
        data: { ...data, native: { multiple: 4 } },
        sampling: { ...tinyConfig().sampling, steps: 1 },
        model: {
          preset: 'avatars-fit',
          config: { patch: 4, width: 32, depth: 1, heads: 2, hidden: 48, lora: 8 },
          positions: { rotate: { method: 'axial', base: 100 } },
        },
        packed: { rows: 2, length: 32 },
      },
      'packed',
    );
    const opened = await openData(config.data, { cache: join(root, 'cache') });
    await runTwice(async (name, signal, seen) => {
      const { update } = await trainPacked(config, {
        ...{ engine: createEngine({ threads: 1 }), ...opened, signal },
        folder: join(root, `native-${name}`),
        onStep: (progress) => void seen.push(progress),
      });
      await update.dispose();
    });
    expect(await read('native-parts')).toEqual(await read('native-whole'));
  });
});

describe('configurations', () => {
  const data = { set: 'folder', size: 16, path: 'x' };
  test.each([
    [
      { buckets: { multiple: 6 } },
      {},
      'data.buckets.multiple: expected a multiple of the patch (4) up to data.size (16), got 6',
    ],
    [{ buckets: { multiple: 32 } }, {}, 'up to data.size (16), got 32'],
    [{ buckets: BUCKETS, set: 'avatars' }, {}, "data.buckets: expected the data set 'folder'"],
    [
      { buckets: BUCKETS },
      { views: [{ how: 'full', share: 1 }] },
      'views: expected none with data.buckets',
    ],
    [{ native: { multiple: 4 } }, {}, "expected no key 'native'"],
    [{ buckets: BUCKETS }, { packed: { rows: 2, length: 32 } }, "expected no key 'buckets'"],
  ])('refuse %j with %j', (more, changes, sentence) => {
    const config = { ...tinyConfig(), data: { ...data, ...more }, ...changes };
    expect(() => parseTraining(config, 'train')).toThrow(sentence);
  });

  test('native pictures of another patch', () => {
    const own = { data: { ...data, native: { multiple: 4 } } };
    expect(() => checkOwnShapes(own, 8)).toThrow('expected a multiple of the patch (8)');
    expect(() => checkOwnShapes(own, 4)).not.toThrow();
  });
});
