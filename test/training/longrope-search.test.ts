import { describe, expect, test } from 'vitest';
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import type { Options } from '../../encoders/positions/contract.ts';
import { longrope } from '../../encoders/positions/extend/longrope.ts';
import { type Grid, raster, spansInTokens } from '../../encoders/positions/grid.ts';
import { axial } from '../../encoders/positions/rotate/axial.ts';
import { compileDiT } from '../../generators/compile.ts';
import type { DiTConfig } from '../../generators/dit-config.ts';
import { gridOf } from '../../generators/model.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng } from '../../tensor/rng.ts';
import { createBatches } from '../../training/batches.ts';
import type { Dataset } from '../../training/data/dataset.ts';
import { createFactorLoss } from '../../training/longrope-loss.ts';
import {
  type Factors,
  longropeSeeds,
  type SearchOptions,
  searchLongrope,
} from '../../training/longrope-search.ts';
import { expectClose } from '../close.ts';
import { tinyModel } from '../pipelines/tiny-model.ts';

const base = 10000;
const frequencies = axial.frequencies!(32, { base });
const where = {
  ...{ grid: raster(24, 32), trained: raster(16, 16) },
  ...{ layer: 0, heads: 1, headSize: 32, prefix: 0 },
};
const on = (grid: Grid) => ({
  where: { ...where, grid },
  spans: spansInTokens({ ...where, grid }),
  base,
});
const begin = longropeSeeds(frequencies, on(where.grid));
const search = (changes: Partial<SearchOptions> & Pick<SearchOptions, 'loss'>) =>
  searchLongrope({ ...begin, rng: createRng(1), population: 12, generations: 8, ...changes });

/** Rises with the distance from factors that no published method has. */
const TARGET = { y: [1, 1, 1.1, 1.2, 1.2, 1.6, 1.7, 1.8], x: [1, 1.3, 1.3, 1.4, 2, 2.2, 2.3, 2.4] };
const distance = async ({ y, x }: Factors): Promise<number> =>
  [...y, ...x].reduce((sum, f, i) => sum + (f - [...TARGET.y, ...TARGET.x][i]!) ** 2, 0);
/** A number in [0, 1) that only looks like chance. */
const hashed = (salt: number) => async (factors: Factors) =>
  createRng(salt).stream(JSON.stringify(factors)).uniform();

describe('the search for factors', () => {
  test('begins with published methods, which its extension then is', () => {
    const { seeds, limits } = begin;
    expect(limits).toEqual({ y: 1.25 * 1.5, x: 2.5 });
    const configs: Record<string, NonNullable<PositionConfig['extend']>> = {
      interpolation: 'interpolation',
      'vision-ntk': 'vision-ntk',
      'vision-yarn': 'vision-yarn',
      'vision-yarn:alpha=0.25,beta=2': { method: 'vision-yarn', alpha: 0.25, beta: 2 },
    };
    expect(seeds.map(({ name }) => name)).toEqual(Object.keys(configs));
    const of = (extend: NonNullable<PositionConfig['extend']>) =>
      composePositions(
        { rotate: 'axial', extend },
        { width: 32, heads: 1, trained: raster(16, 16) },
      ).place(where.grid, 'sample').frequencies!.data;
    for (const { name, factors } of seeds)
      expectClose(of({ method: 'longrope', ...factors }), of(configs[name]!), { rtol: 1e-6 });
    expect(of({ method: 'longrope', ...seeds[0]!.factors })).not.toEqual(of('vision-ntk'));
  });

  test('finds better factors than it began with, always the same', async () => {
    const found = await search({ loss: distance });
    const start = Math.min(...found.seeds.map(({ loss }) => loss));
    expect(found.best.loss).toBeLessThan(0.5 * start);
    expect(found.best.loss).toBe(await distance(found.best.factors));
    expect(found.history[0]).toBe(start);
    expect(found.history).toHaveLength(9);
    expect(found.history).toEqual(found.history.toSorted((a, b) => b - a));
    expect(await search({ loss: distance })).toEqual(found);
    expect((await search({ loss: distance, rng: createRng(2) })).best).not.toEqual(found.best);
  });

  test('is never worse than what it began with, whatever the loss', async () => {
    for (let salt = 0; salt < 10; salt++) {
      const found = await search({ loss: hashed(salt), generations: 2 });
      expect(found.best.loss).toBeLessThanOrEqual(Math.min(...found.seeds.map((s) => s.loss)));
    }
    for (const [i, seed] of begin.seeds.entries()) {
      const loss = async (factors: Factors) =>
        JSON.stringify(factors) === JSON.stringify(seed.factors) ? -1 : distance(factors);
      const found = await search({ loss, generations: 2 });
      expect(found.best).toBe(found.seeds[i]);
    }
  });

  test('judges only factors that may be: none falls, none leaves its range', async () => {
    const judged: Factors[] = [];
    const loss = async (factors: Factors) => {
      judged.push(factors);
      return distance(factors);
    };
    await search({ loss, chance: 0.8 });
    expect(judged.length).toBeGreaterThan(80);
    expect(new Set(judged.map((factors) => JSON.stringify(factors))).size).toBe(judged.length);
    for (const { y, x } of judged) {
      for (const [factors, limit] of [
        [y, 1.875],
        [x, 2.5],
      ] as const) {
        expect(Math.min(...factors)).toBeGreaterThanOrEqual(1);
        expect(Math.max(...factors)).toBeLessThanOrEqual(limit);
      }
      // The extension itself refuses factors that fall.
      const options: Options = { y, x };
      longrope.extend({
        ...{ ...on(where.grid), options, frequencies, logitScale: 1 },
        coordinates: new Float64Array(0),
      });
    }
  });

  test('leaves an axis alone that is not longer', async () => {
    const wide = longropeSeeds(frequencies, on(raster(16, 32)));
    const found = await search({ ...wide, loss: distance });
    expect(found.best.factors.y).toEqual(Array(8).fill(1));
    expect(found.best.factors.x).not.toEqual(Array(8).fill(1));
  });

  test('takes what is no number for worse than any, and stops when it is told to', async () => {
    const loss = async (factors: Factors) => (factors.x[1]! > 1.1 ? Number.NaN : distance(factors));
    expect((await search({ loss })).best.loss).toBeLessThan(10);
    const stop = new AbortController();
    const stopped = search({
      loss: distance,
      signal: stop.signal,
      onJudged: ({ done, of }) => {
        expect(of).toBe(4 + 12 * 8);
        if (done === 7) stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    await expect(search({ loss: distance, seeds: [] })).rejects.toThrow(/got 0, 12 and 8/);
  });
});

describe('the loss of a model by factors', () => {
  const engine = createEngine({ threads: 1 });
  const model = tinyModel();
  const { config, vocabulary, objective, positions } = model.card;
  const data: Dataset = {
    name: 'stripes',
    size: 32,
    length: 6,
    vocabulary,
    pixels: (index) => Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * (index + 3)) % 251),
    words: (index) => [index],
  };

  test('is that of the extension with these factors', async () => {
    const factors = await createFactorLoss({ engine, model, data, seed: 5, batch: 3 });
    const losses = await Promise.all(factors.seeds.map((seed) => factors.loss(seed.factors)));
    await factors.dispose();
    const grid = gridOf(config, { height: 32, width: 32 });
    const batches = createBatches(data, createRng(5), {
      ...{ batch: 3, objective, time: { mean: 0, std: 1 }, flip: false },
      drop: { all: 0, some: 0 },
    });
    const direct = async (extend: NonNullable<PositionConfig['extend']>) => {
      const own = composePositions(
        { ...(positions as PositionConfig), extend },
        { width: config.width, heads: config.heads, trained: raster(4, 4) },
      );
      const program = await compileDiT(engine, {
        ...{ config: config as DiTConfig, positions: own, weights: model.weights, grid, batch: 3 },
      });
      let total = 0;
      for (const step of [0, 1]) {
        const { x, t, condition, target, weight } = batches(step);
        const { prediction } = await program.run({ x, t, condition });
        const size = 32 * 32 * 3;
        for (let i = 0; i < 3 * size; i++)
          total +=
            (weight.data[Math.floor(i / size)]! * (prediction!.data[i]! - target.data[i]!) ** 2) /
            (6 * size);
      }
      await program.dispose();
      return total;
    };
    // Float32 means of 3,072 squares, in another order.
    expectClose(
      [losses[0]!, losses[1]!],
      [await direct('interpolation'), await direct('vision-ntk')],
      {
        rtol: 1e-5,
      },
    );
    expect(Math.abs(losses[0]! / losses[1]! - 1)).toBeGreaterThan(1e-4);
    expect(engine.open).toBe(0);
  });

  test('names pictures of other words, a size that is not larger, and a model without a rotation', async () => {
    const make = (changes: object, card: Parameters<typeof tinyModel>[0] = {}) =>
      createFactorLoss({ engine, model: tinyModel(card), data: { ...data, ...changes }, seed: 1 });
    await expect(make({ vocabulary: ['a=b'] })).rejects.toThrow(
      /expected pictures with the 6 words of 'tiny', got 'stripes' with 1 others/,
    );
    await expect(make({ size: 16 })).rejects.toThrow(/larger than the trained 16x16/);
    await expect(make({}, { positions: { embed: 'sincos2d' } })).rejects.toThrow(
      /'longrope' changes the frequencies of a rotation, but there is no rotation/,
    );
    expect(engine.open).toBe(0);
  });
});
