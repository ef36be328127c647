import { expect, it } from 'vitest';
import { alibi, alibiSlopes } from '../../../encoders/positions/bias/alibi.ts';
import type { Options, Where } from '../../../encoders/positions/contract.ts';
import { raw } from '../../../encoders/positions/coordinates/raw.ts';
import { raster } from '../../../encoders/positions/grid.ts';
import type { HostTensor } from '../../../tensor/program.ts';
import { expectClose, largestDifference } from '../../close.ts';
import {
  at,
  evaluate,
  floats,
  inside,
  normals,
  onBothEngines,
  shifted,
  tokens,
} from './evaluate.ts';

const grid = raster(3, 4);
const T = 12;
const H = 4;
const points = raw.coordinates({ grid, trained: grid, mode: 'sample', options: {} });
const manhattan = { distance: 'manhattan', slope: 1 };
const euclidean = { distance: 'euclidean', slope: 1 };

it('has the slopes 1/2, 1/4 ... 1/256 for eight heads', () => {
  expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((h) => 2 ** -h));
});

onBothEngines('ALiBi', (engine) => {
  const bias = async (
    coordinates: HostTensor,
    options: Options = manhattan,
    where: Partial<Where> = {},
  ) => {
    const place = at(grid, { heads: H, ...where });
    const { y } = await evaluate(
      engine,
      { coordinates },
      ({ coordinates: c }) => alibi.bias!({ ...inside(c!, place, options), ...tokens(c!) })!,
    );
    return y!;
  };
  const still = shifted(points, [0, 0]);

  it('is -2^(-8 h / H) times the distance', async () => {
    const expected = (length: (dy: number, dx: number) => number) =>
      Array.from({ length: H * T * T }, (_, i) => {
        const [h, a, b] = [Math.floor(i / (T * T)), Math.floor(i / T) % T, i % T];
        const [dy, dx] = [0, 1].map((axis) => points[2 * a + axis]! - points[2 * b + axis]!);
        return -(2 ** ((-8 * (h + 1)) / H)) * length(dy!, dx!);
      });
    const one = await bias(still);
    expect(one.shape).toEqual([H, T, T]);
    expectClose(
      one.data,
      expected((dy, dx) => Math.abs(dy) + Math.abs(dx)),
    );
    expectClose((await bias(still, euclidean)).data, expected(Math.hypot));
  });

  it('sees offsets only, and both directions alike', async () => {
    for (const options of [manhattan, euclidean]) {
      const { data } = await bias(still, options);
      expectClose((await bias(shifted(points, [5, -3]), options)).data, data);
      const turned = data.map(
        (_, i) => data[i - (i % (T * T)) + (i % T) * T + (Math.floor(i / T) % T)]!,
      );
      expectClose(data, turned);
    }
    const stretched = floats(
      points.map((value) => 2 * value),
      [T, 2],
    );
    expect(
      largestDifference((await bias(stretched)).data, (await bias(still)).data),
    ).toBeGreaterThan(1);
  });

  it('is nothing with slope 0', async () => {
    expect((await bias(still, { ...manhattan, slope: 0 })).data.every((value) => value === 0)).toBe(
      true,
    );
  });

  it('leaves condition tokens alone', async () => {
    const { data, shape } = await bias(still, manhattan, { prefix: 2 });
    const plain = (await bias(still)).data;
    expect(shape).toEqual([H, T + 2, T + 2]);
    for (let i = 0; i < data.length; i++) {
      const side = T + 2;
      const [h, a, b] = [
        Math.floor(i / side ** 2),
        (Math.floor(i / side) % side) - 2,
        (i % side) - 2,
      ];
      expect(data[i]).toBe(a < 0 || b < 0 ? 0 : plain[h * T * T + a * T + b]);
    }
  });

  it('takes coordinates of each picture, and any grid', async () => {
    const two = normals('coordinates', [2, T, 2]);
    const { data, shape } = await bias(two, euclidean, { prefix: 1 });
    expect(shape).toEqual([2, H, T + 1, T + 1]);
    for (const row of [0, 1]) {
      const own = floats(two.data.subarray(row * 2 * T, (row + 1) * 2 * T), [T, 2]);
      const size = H * (T + 1) ** 2;
      expectClose(
        data.subarray(row * size, (row + 1) * size),
        (await bias(own, euclidean, { prefix: 1 })).data,
      );
    }
  });
});
