import { expect, it } from 'vitest';
import type { EmbedMethod } from '../../../encoders/positions/contract.ts';
import { learned } from '../../../encoders/positions/embed/learned.ts';
import { peg } from '../../../encoders/positions/embed/peg.ts';
import { sincos2d } from '../../../encoders/positions/embed/sincos2d.ts';
import { cellsOf, type Grid, raster } from '../../../encoders/positions/grid.ts';
import type { HostTensor, HostTensors } from '../../../tensor/program.ts';
import { createRng } from '../../../tensor/rng.ts';
import { expectClose, largestDifference } from '../../close.ts';
import { expectFixture, loadFixture, tensorOf } from '../../fixtures.ts';
import { at, evaluate, floats, inside, normals, onBothEngines } from './evaluate.ts';

const C = 8;
const merged: Grid = {
  kind: 'merged',
  height: 2,
  width: 2,
  cells: [{ y: 0.5, x: 0.5, raster: 0 }],
};
const indices = (grid: Grid, turned = false) =>
  floats(
    cellsOf(grid).flatMap(({ y, x }) => (turned ? [x, y] : [y, x])),
    [cellsOf(grid).length, 2],
  );

onBothEngines('embeddings', (engine) => {
  /** What a method adds to x, its options being its defaults unless given. */
  const embed = async (
    method: EmbedMethod,
    grid: Grid,
    x: HostTensor,
    {
      weights = {},
      options = {},
      coordinates = indices(grid),
      trained = raster(4, 4),
    }: {
      weights?: HostTensors;
      options?: Record<string, string | number>;
      coordinates?: HostTensor;
      trained?: Grid;
    } = {},
  ) => {
    const named = Object.fromEntries(Object.entries(weights).map(([name, w]) => [`w/${name}`, w]));
    const { y } = await evaluate(engine, { x, coordinates, ...named }, (given) =>
      method.embed({
        ...inside(
          given.coordinates!,
          at(grid, { trained }),
          options,
          Object.fromEntries(Object.keys(weights).map((name) => [name, given[`w/${name}`]!])),
        ),
        x: given.x!,
      }),
    );
    return y!;
  };
  const shape = { width: C, heads: 2, headSize: 4, depth: 1, trained: raster(4, 4) };

  it('sincos2d is the table of DiT and of timm', async () => {
    const base = { base: 10000, scale: 1 };
    const dit = loadFixture('dit', 'model');
    const table = await embed(sincos2d, raster(4, 4), normals('x', [1, 16, 64]), { options: base });
    expectClose(table.data, tensorOf(dit, 'weights/pos_embed'));

    // timm's first half is the row: ours with the axes exchanged.
    const timm = loadFixture('timm_torch', 'rope');
    const five = (turned: boolean) =>
      embed(sincos2d, raster(5, 5), normals('x', [1, 25, 32]), {
        options: base,
        coordinates: indices(raster(5, 5), turned),
      });
    expectFixture((await five(true)).data, timm, 'out/sincos2d_rev0_int1');
    const ours = (await five(false)).data;
    expect(() => expectFixture(ours, timm, 'out/sincos2d_rev0_int1')).toThrow(/differs/);
  });

  it('sincos2d exchanges its halves when the axes are exchanged, and takes fractions', async () => {
    const options = { base: 100, scale: 1 };
    const grid = raster(2, 3);
    const x = normals('x', [1, 6, C]);
    const { data } = await embed(sincos2d, grid, x, { options });
    const turned = await embed(sincos2d, grid, x, { options, coordinates: indices(grid, true) });
    const halves = turned.data.map((_, i) => turned.data[i + (i % C < C / 2 ? C / 2 : -C / 2)]!);
    expectClose(data, halves);
    const half = floats(
      indices(grid).data.map((value) => value / 2),
      [6, 2],
    );
    const scaled = { ...options, scale: 2 };
    expectClose(
      (await embed(sincos2d, grid, x, { options: scaled, coordinates: half })).data,
      data,
    );
  });

  it('learned is its table on the trained grid', async () => {
    const weights = learned.init!(shape, {}, createRng(1));
    expect(weights.table!.shape).toEqual([16, C]);
    const { data } = await embed(learned, raster(4, 4), normals('x', [1, 16, C]), { weights });
    expect(data).toEqual(weights.table!.data);
  });

  it('learned stretches over other grids', async () => {
    const ramp = (rows: number, columns: number) =>
      floats(
        Array.from({ length: rows * columns * C }, (_, i) => Math.floor(i / C) % columns),
        [rows * columns, C],
      );
    for (const resize of ['bicubic', 'bilinear']) {
      const options = { resize };
      const flat = { table: floats(new Float32Array(16 * C).fill(3), [16, C]) };
      const still = await embed(learned, raster(6, 5), normals('x', [1, 30, C]), {
        weights: flat,
        options,
      });
      expectClose(still.data, new Float32Array(30 * C).fill(3));
      // Column i of 8 lies at (i - 0.5) / 2 of the table; the border repeats.
      const weights = { table: ramp(4, 4) };
      const wide = await embed(learned, raster(4, 8), normals('x', [1, 32, C]), {
        weights,
        options,
      });
      const row = Array.from({ length: 8 }, (_, i) => wide.data[i * C]!);
      const mirrored = row.map((value) => 3 - value).reverse();
      expectClose(row, mirrored);
      if (resize === 'bilinear') expectClose(row.slice(0, 5), [0, 0.25, 0.75, 1.25, 1.75]);
      else expect(row[3]).not.toBeCloseTo(1.25, 2); // PyTorch's cubic (-0.75) bends a ramp
    }
  });

  it('learned gives each scale of a pyramid its own table, and refuses merged tokens', async () => {
    const weights = learned.init!(shape, {}, createRng(1));
    const options = { resize: 'bicubic' };
    const scales = [raster(2, 2), raster(4, 4)] as const;
    const grid: Grid = {
      kind: 'pyramid',
      scales: [
        { height: 2, width: 2 },
        { height: 4, width: 4 },
      ],
    };
    const parts = scales.map((scale) =>
      embed(learned, scale, normals('x', [1, cellsOf(scale).length, C]), { weights, options }),
    );
    const whole = await embed(learned, grid, normals('x', [1, 20, C]), { weights, options });
    const joined = (await Promise.all(parts)).flatMap(({ data }) => [...data]);
    expectClose(whole.data, joined);
    await expect(
      embed(learned, merged, normals('x', [1, 1, C]), { weights, options }),
    ).rejects.toThrow(/merged tokens/);
  });

  it('peg is a depthwise 3 x 3 convolution with zeros around', async () => {
    const [height, width] = [3, 4];
    const weights = {
      'proj.weight': normals('weight', [C, 1, 3, 3]),
      'proj.bias': normals('bias', [C]),
    };
    const x = normals('x', [2, height * width, C]);
    const { data } = await embed(peg, raster(height, width), x, { weights });
    const expected = Array.from(data, (_, i) => {
      const c = i % C;
      const [row, column] = [Math.floor(i / (C * width)) % height, Math.floor(i / C) % width];
      const picture = Math.floor(i / (C * width * height)) * C * width * height;
      let sum = weights['proj.bias'].data[c]!;
      for (let k = 0; k < 9; k++) {
        const [y, z] = [row + Math.floor(k / 3) - 1, column + (k % 3) - 1];
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        sum += weights['proj.weight'].data[9 * c + k]! * x.data[picture + (y * width + z) * C + c]!;
      }
      return sum;
    });
    expectClose(data, expected);
  });

  it('peg adds nothing with zero weights, and has 9 C of them', async () => {
    const weights = peg.init!(shape, {}, createRng(1));
    expect(weights['proj.weight']!.data.length).toBe(9 * C);
    const zero = {
      'proj.weight': floats(new Float32Array(9 * C), [C, 1, 3, 3]),
      'proj.bias': weights['proj.bias']!,
    };
    const { data } = await embed(peg, raster(3, 3), normals('x', [1, 9, C]), { weights: zero });
    expect(data.every((value) => value === 0)).toBe(true);
  });

  it('peg moves with the picture inside, and knows the border', async () => {
    const [height, width] = [6, 7];
    const weights = peg.init!(shape, {}, createRng(1));
    const x = normals('x', [1, height * width, C]);
    const moved = floats(
      x.data.map((_, i) => x.data[(i + x.data.length - (width + 1) * C) % x.data.length]!),
      x.shape,
    );
    const [a, b] = [
      await embed(peg, raster(height, width), x, { weights }),
      await embed(peg, raster(height, width), moved, { weights }),
    ];
    const pixel = (data: HostTensor['data'], y: number, z: number) =>
      Array.from(data.subarray((y * width + z) * C, (y * width + z + 1) * C));
    for (let y = 1; y < height - 2; y++)
      for (let z = 1; z < width - 2; z++)
        expectClose(pixel(b.data, y + 1, z + 1), pixel(a.data, y, z));
    expect(largestDifference(pixel(b.data, 1, 1), pixel(a.data, 0, 0))).toBeGreaterThan(0.1);
  });

  it('peg gives packed pictures borders of their own, and refuses merged tokens', async () => {
    const weights = peg.init!(shape, {}, createRng(1));
    const pictures = [
      { height: 2, width: 3 },
      { height: 3, width: 2 },
    ];
    const x = normals('x', [2, 12, C]);
    const whole = await embed(peg, { kind: 'packed', pictures }, x, { weights });
    const half = (data: HostTensor['data'], picture: number) =>
      [0, 1].flatMap((row) =>
        Array.from(data.subarray((row * 12 + picture * 6) * C, (row * 12 + picture * 6 + 6) * C)),
      );
    for (const [i, { height, width }] of pictures.entries()) {
      const part = floats(half(x.data, i), [2, 6, C]);
      const alone = await embed(peg, raster(height, width), part, { weights });
      expectClose(half(whole.data, i), alone.data);
    }
    await expect(embed(peg, merged, normals('x', [1, 1, C]), { weights })).rejects.toThrow(
      /no neighbours/,
    );
  });
});
