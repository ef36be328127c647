/** Embeddings of Fourier features, scales, tiles and countdowns, and tables read at coordinates. */
import { expect, it } from 'vitest';
import { composePositions, type PositionConfig } from '../../../encoders/positions/compose.ts';
import type { EmbedMethod, Options } from '../../../encoders/positions/contract.ts';
import { countdown } from '../../../encoders/positions/embed/countdown.ts';
import { learnedAt } from '../../../encoders/positions/embed/learned-at.ts';
import { fourierFeatures, lff } from '../../../encoders/positions/embed/lff.ts';
import { locality } from '../../../encoders/positions/embed/locality.ts';
import { msPe } from '../../../encoders/positions/embed/ms-pe.ts';
import { sincos2d } from '../../../encoders/positions/embed/sincos2d.ts';
import { withinTile } from '../../../encoders/positions/embed/within-tile.ts';
import { cellsOf, type Grid, raster } from '../../../encoders/positions/grid.ts';
import { completeOptions } from '../../../encoders/positions/options.ts';
import type { HostTensor, HostTensors } from '../../../tensor/program.ts';
import { createRng } from '../../../tensor/rng.ts';
import { tf } from '../../../tensor/tf.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { at, evaluate, floats, inside, normals, onBothEngines } from './evaluate.ts';

const C = 16;
const trained = raster(4, 4);
const shape = { width: C, heads: 2, headSize: 8, depth: 1, trained };
const indices = (grid: Grid) =>
  floats(
    cellsOf(grid).flatMap(({ y, x }) => [y, x]),
    [cellsOf(grid).length, 2],
  );
const square = (side: number) => ({ height: side, width: side });
const row = (data: HostTensor['data'], token: number) =>
  Array.from(data.subarray(token * C, (token + 1) * C));

onBothEngines('embeddings', (engine) => {
  type Call = { options?: Options; weights?: HostTensors; coordinates?: HostTensor };
  /** What a method adds, with initial weights unless given. */
  const embed = async (method: EmbedMethod, grid: Grid, call: Call = {}) => {
    const options = completeOptions(method, call.options ?? {});
    const weights = { ...method.init?.(shape, options, createRng(1)), ...call.weights };
    const coordinates = call.coordinates ?? indices(grid);
    const x = normals('x', [1, cellsOf(grid).length, C]);
    const named = Object.fromEntries(Object.entries(weights).map(([name, w]) => [`w/${name}`, w]));
    const { y } = await evaluate(engine, { x, coordinates, ...named }, (given) => {
      const own = Object.keys(weights).map((name) => [name, given[`w/${name}`]!]);
      return method.embed({
        ...inside(given.coordinates!, at(grid, { trained }), options, Object.fromEntries(own)),
        x: given.x!,
      });
    });
    return y!;
  };
  const sincos = (grid: Grid, coordinates = indices(grid)) =>
    embed(sincos2d, grid, { coordinates });

  it('lff starts as a Gaussian kernel of the distance, alike in all directions', async () => {
    const D = 4096;
    const waves = {
      data: createRng(3)
        .normals(D)
        .map((value) => value / 2),
      shape: [D / 2, 2],
    };
    const places = [0, 0, 1, 0, 0, 1, 1, 1, 0.6, 0.8, 3, 2, 2, -3, 5, 1];
    const points = floats(places, [8, 2]);
    const { y } = await evaluate(engine, { points, waves }, (given) =>
      fourierFeatures(given.points!, given.waves!),
    );
    expect(y!.shape).toEqual([8, D]);
    const product = (a: number, b: number) => {
      let sum = 0;
      for (let i = 0; i < D; i++) sum += y!.data[a * D + i]! * y!.data[b * D + i]!;
      return sum;
    };
    for (let a = 0; a < 8; a++)
      for (let b = 0; b < 8; b++) {
        const distance = Math.hypot(
          places[2 * a]! - places[2 * b]!,
          places[2 * a + 1]! - places[2 * b + 1]!,
        );
        const gaussian = Math.exp(-(distance ** 2) / (2 * 2 ** 2));
        // A mean of 2048 cosines: its standard error is at most 0.016 (0.7 / sqrt(2048)).
        expect(Math.abs(product(a, b) - gaussian)).toBeLessThan(0.05);
      }
    expect(product(0, 0)).toBeCloseTo(1, 4);
  });

  it('lff takes fractions, and a wider gamma makes neighbours more alike', async () => {
    const half = floats(
      indices(trained).data.map((value) => value / 2),
      [16, 2],
    );
    const apart = async (gamma: number, coordinates?: HostTensor) => {
      const { data } = await embed(lff, trained, {
        options: { gamma, features: 64, hidden: 8 },
        ...(coordinates ? { coordinates } : {}),
      });
      return { data, by: largestDifference(row(data, 0), row(data, 1)) };
    };
    const near = await apart(1);
    expect((await apart(8)).by).toBeLessThan(near.by / 2);
    // Half the coordinates are those of twice the gamma.
    expectClose((await apart(1, half)).data, (await apart(2)).data, { rtol: 1e-4, atol: 1e-5 });
    expect(() => lff.init!(shape, { gamma: 1, features: 5, hidden: 4 }, createRng(1))).toThrow(
      /even number of features/,
    );
  });

  it('ms-pe is sincos2d times a gamma of each scale, the last for scales beyond', async () => {
    const grid = raster(3, 5);
    expectClose((await embed(msPe, grid)).data, (await sincos(grid)).data);
    const none = { gamma: floats([0], [1]) };
    const nothing = await embed(msPe, grid, { weights: none });
    expect(nothing.data.every((value) => value === 0)).toBe(true);
    const pyramid = (...sides: number[]): Grid => ({ kind: 'pyramid', scales: sides.map(square) });
    const levels = msPe.init!({ ...shape, trained: pyramid(1, 2, 4) }, {}, createRng(1));
    expect(levels.gamma!.shape).toEqual([3]);
    const weights = { gamma: floats([0.5, -1, 2], [3]) };
    const scales = pyramid(1, 2, 4, 6);
    const { data } = await embed(msPe, scales, { weights });
    const gammas = cellsOf(scales).flatMap(({ raster: level }) => {
      return Array<number>(C).fill([0.5, -1, 2, 2][level]!);
    });
    const plain = (await sincos(scales)).data;
    expectClose(
      data,
      Array.from(plain, (value, i) => value * gammas[i]!),
    );
  });

  it('within-tile is sincos2d where a tile covers the grid, and says nothing in tiles of one', async () => {
    const one = await embed(withinTile, raster(4, 3), { options: { tile: 4 } });
    expectClose(one.data, (await sincos(raster(4, 3))).data);
    const single = await embed(withinTile, raster(4, 3), { options: { tile: 1 } });
    for (let i = 0; i < 12; i++) expect(row(single.data, i)).toEqual(row(single.data, 0));
  });

  it('within-tile repeats from tile to tile, not within one', async () => {
    const { data } = await embed(withinTile, raster(6, 6), { options: { tile: 3 } });
    const token = (y: number, x: number) => row(data, 6 * y + x);
    for (const [y, x] of [
      [0, 1],
      [2, 2],
      [1, 0],
    ] as const) {
      expect(token(y + 3, x)).toEqual(token(y, x));
      expect(token(y + 3, x + 3)).toEqual(token(y, x));
    }
    expect(largestDifference(token(0, 1), token(0, 0))).toBeGreaterThan(0.1);
    await expect(embed(withinTile, raster(2, 2), { options: { tile: 0 } })).rejects.toThrow(
      /within-tile: .* got 0/,
    );
  });

  it('countdown is sincos2d turned by half a turn, and 0 at the last row and column', async () => {
    const grid = raster(4, 4);
    const { data } = await embed(countdown, grid);
    const plain = (await sincos(grid)).data;
    for (let i = 0; i < 16; i++) expectClose(row(data, i), row(plain, 15 - i));
    expectClose(row(data, 15), row(plain, 0));
  });

  it('countdown tells sizes apart where indices cannot, scale by scale', async () => {
    const size = { 'size.weight': normals('size', [2, C]) };
    const small = (await embed(countdown, raster(3, 4), { weights: size })).data;
    const tall = (await embed(countdown, raster(6, 4), { weights: size })).data;
    expect(largestDifference(row(small, 0), row(tall, 0))).toBeGreaterThan(0.1);
    // The last token counts to 0 on both: ln 6 / 4 - ln 3 / 4 times the vector of heights is left.
    const vector = size['size.weight'].data.subarray(0, C);
    const left = row(tall, 23).map((value, i) => value - row(small, 11)[i]!);
    expectClose(
      left,
      vector.map((value) => Math.log(2) * value),
      { rtol: 1e-4, atol: 1e-5 },
    );
    const none = (grid: Grid) => sincos(grid).then(({ data }) => data);
    expect(row(await none(raster(3, 4)), 0)).toEqual(row(await none(raster(6, 4)), 0));
    const scales = [square(2), square(3)];
    const whole = await embed(countdown, { kind: 'pyramid', scales }, { weights: size });
    const parts = await Promise.all(
      [raster(2, 2), raster(3, 3)].map((grid) => embed(countdown, grid, { weights: size })),
    );
    expectClose(
      whole.data,
      parts.flatMap(({ data }) => [...data]),
    );
  });

  it('countdown learns its sizes where they vary', async () => {
    const grid = raster(6, 4);
    const given = { x: normals('x', [1, 24, C]), coordinates: indices(grid) };
    const weight = { weight: floats(new Float32Array(2 * C), [2, C]) };
    const { y } = await evaluate(engine, { ...given, ...weight }, ({ x, coordinates, weight }) =>
      tf.grad((size) => {
        const own = { 'size.weight': size };
        const all = inside(coordinates!, at(grid, { trained }), { base: 10000 }, own);
        return tf.sum(countdown.embed({ ...all, x: x! }));
      })(weight!),
    );
    const expected = Array.from({ length: 2 * C }, (_, i) => (i < C ? 24 * Math.log(6 / 4) : 0));
    expectClose(y!.data, expected);
  });

  it('learned-at is its table at whole coordinates, and linear between', async () => {
    const weights = { table: normals('table', [16, C]) };
    expectClose((await embed(learnedAt, trained, { weights })).data, weights.table.data);
    const coordinates = floats([1, 2.25, 0.5, 3, 0, 3.9, 1.5, 1.5], [4, 2]);
    const { data } = await embed(learnedAt, raster(1, 4), { weights, coordinates });
    const entry = (y: number, x: number) => row(weights.table.data, 4 * y + x);
    const mean = (...entries: [number, number[]][]) =>
      Array.from({ length: C }, (_, i) => entries.reduce((sum, [w, e]) => sum + w * e[i]!, 0));
    expectClose(row(data, 0), mean([0.75, entry(1, 2)], [0.25, entry(1, 3)]));
    expectClose(row(data, 1), mean([0.5, entry(0, 3)], [0.5, entry(1, 3)]));
    expectClose(row(data, 2), entry(0, 3)); // its cell's end
    const corners = [entry(1, 1), entry(1, 2), entry(2, 1), entry(2, 2)];
    expectClose(row(data, 3), mean(...corners.map((e): [number, number[]] => [0.25, e])));
  });

  it('learned-at is refused at places that its table has no entries for', () => {
    const compose = (coordinates: PositionConfig['coordinates'], range: number[] = []) =>
      composePositions(
        { coordinates: coordinates!, embed: { method: 'learned-at', range } },
        { width: C, heads: 2, trained },
      );
    const place = (grid: Grid, ...config: Parameters<typeof compose>) =>
      compose(...config).place(grid, 'sample');
    expect(() => place(raster(4, 5), 'raw')).toThrow(
      "positions.embed 'learned-at': expected places from 0 to below 4 for rows and 4 for columns, the entries of its table, got column 4; with neighbours 1 apart the largest possible grid is 4 x 4",
    );
    expect(() => place(raster(7, 5), 'raw', [6, 5])).toThrow(/got row 6; .* is 6 x 5$/);
    expect(() => place(raster(3, 3), 'centred')).toThrow(/got row -1;/);
    expect(() => place(trained, 'rpe2d')).toThrow(/got column 5\.8;/);
    const rng = createRng(1);
    expect(() => compose('rpe2d').place(trained, 'train', { rng })).toThrow(/the entries of its/);
    for (const fits of [
      () => place(raster(6, 5), 'raw', [6, 5]),
      () => place(raster(16, 16), 'rpe2d', [16]),
      () => place(raster(9, 30), 'v2pe'),
    ])
      expect(fits).not.toThrow();
  });

  it('learned-at holds a table of another range, for coordinates of each picture', async () => {
    const options = { range: [3, 5] };
    const weights = { table: normals('wide', [15, C]) };
    expect(learnedAt.init!(shape, options, createRng(1)).table!.shape).toEqual([15, C]);
    const coordinates = floats([2, 4, 0, 0, 1, 1, 2, 0], [2, 2, 2]);
    const { data, shape: size } = await embed(learnedAt, raster(1, 2), {
      options,
      weights,
      coordinates,
    });
    expect(size).toEqual([2, 2, C]);
    const expected = [14, 0, 6, 10].flatMap((entry) => row(weights.table.data, entry));
    expectClose(data, expected);
    expect(() => learnedAt.init!(shape, { range: [1.5] }, createRng(1))).toThrow(/got \[1.5\]/);
  });

  it('locality moves with the picture inside, and adds nothing with zero weights', async () => {
    const zero = {
      'proj.weight': floats(new Float32Array(9 * C), [C, 1, 3, 3]),
      'proj.bias': floats(new Float32Array(C), [C]),
    };
    const nothing = await embed(locality, raster(3, 3), { weights: zero });
    expect(nothing.data.every((value) => value === 0)).toBe(true);
    const flat = {
      'proj.weight': floats(new Float32Array(9 * C).fill(1), [C, 1, 3, 3]),
      'proj.bias': floats(new Float32Array(C), [C]),
    };
    // Sums of neighbourhoods, with zeros around.
    const { data } = await embed(locality, raster(3, 3), { weights: flat });
    const x = normals('x', [1, 9, C]).data;
    const sum = (tokens: number[]) => tokens.reduce((all, token) => all + x[token * C]!, 0);
    expectClose([data[0]!], [sum([0, 1, 3, 4])]);
    expectClose([data[4 * C]!], [sum([0, 1, 2, 3, 4, 5, 6, 7, 8])]);
  });
});
