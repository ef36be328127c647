import { afterEach, expect, it } from 'vitest';
import { composePositions } from '../../encoders/positions/compose.ts';
import { raw } from '../../encoders/positions/coordinates/raw.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { constantOf } from '../../generators/compile.ts';
import { forwardFiT } from '../../generators/fit.ts';
import { FIT_PRESETS, type FiTConfig } from '../../generators/fit-config.ts';
import { shapesOfFiT } from '../../generators/fit-weights.ts';
import type { HostTensor } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { tf } from '../../tensor/tf.ts';
import { expectClose, largestDifference } from '../close.ts';
import { evaluate, floats, normals, onBothEngines } from '../encoders/positions/evaluate.ts';

const CONFIG: FiTConfig = {
  ...FIT_PRESETS['fitv2-xl/2'],
  width: 32,
  depth: 2,
  heads: 2,
  hidden: 48,
  condition: { classes: 3 },
  lora: 4,
};
const trained = raster(4, 4);
type Choice = { bias?: string; extend?: string; scale?: readonly number[] };
const CELLS = 16;

const places = (height: number, width: number) => {
  const grid = raster(height, width);
  return [...raw.coordinates({ grid, trained: grid, mode: 'sample', options: {} })];
};
const wide = { tokens: normals('wide', [1, 6, CELLS]).data, places: places(2, 3) };
const tall = { tokens: normals('tall', [1, 8, CELLS]).data, places: places(4, 2) };

onBothEngines('FiT', (engine) => {
  afterEach(() => expect(tf.memory().numTensors, 'tensors left').toBe(0));

  const predict = async (
    rows: readonly { tokens: ArrayLike<number>; places: number[] }[],
    mask: readonly number[],
    { bias, extend, scale = [1, 1, 1, 1] }: Choice = {},
  ): Promise<Float32Array> => {
    const positions = composePositions(
      { rotate: 'axial', ...(bias ? { bias } : {}), ...(extend ? { extend } : {}) },
      { width: 32, heads: 2, depth: 2, trained },
    );
    const tokens = rows.flatMap((row) => Array.from(row.tokens));
    const T = tokens.length / CELLS;
    const { frequencies } = positions.place(trained, 'sample');
    const weights = Object.fromEntries(
      Object.entries(shapesOfFiT(CONFIG)).map(([name, shape]): [string, HostTensor] => [
        name,
        {
          data: createRng(1)
            .stream(name)
            .normals(sizeOf(shape))
            .map((v) => 0.2 * v),
          shape,
        },
      ]),
    );
    const inputs = {
      tokens: floats(tokens, [1, T, CELLS]),
      coordinates: floats(
        rows.flatMap((row) => row.places),
        [1, T, 2],
      ),
      mask: floats(mask, [1, T]),
      ...weights,
      'positions.head-scale.scale': floats(scale, [2, 2]),
    };
    const { y } = await evaluate(engine, inputs, ({ tokens: x, coordinates, mask: m, ...w }) =>
      forwardFiT(CONFIG, positions, w, {
        tokens: x!,
        t: tf.tensor1d([0.3]),
        condition: tf.tensor1d([2]),
        mask: m!,
        placed: { coordinates: coordinates!, frequencies: constantOf(frequencies!) },
        grid: extend ? raster(8, 8) : trained,
      }),
    );
    return y!.data as Float32Array;
  };
  const ones = (count: number, value = 1) => Array<number>(count).fill(value);

  it('draws pictures of two shapes in one row as it draws them alone', async () => {
    const alone = [...(await predict([wide], ones(6))), ...(await predict([tall], ones(8)))];
    const packed = await predict([wide, tall], [...ones(6), ...ones(8, 2)]);
    // Outputs of about 1 of sums in another order.
    expectClose(packed, alone, { atol: 1e-5 });
    const mixed = await predict([wide, tall], ones(14));
    expect(largestDifference(mixed, alone)).toBeGreaterThan(0.01);
  });

  it('has the scales, biases and far offsets of its positions', async () => {
    const plain = await predict([tall], ones(8));
    expectClose(await predict([tall], ones(8), { bias: 'head-scale' }), plain, { atol: 1e-5 });
    const changes = [
      { bias: 'head-scale', scale: [1, 1, 1, 3] },
      { bias: 'alibi' },
      { extend: 'string' },
    ];
    for (const change of changes)
      expect(largestDifference(await predict([tall], ones(8), change), plain)).toBeGreaterThan(
        1e-3,
      );
  });

  it('says nothing for padding, whatever it holds, and does not see it', async () => {
    const padded = await predict([wide, tall], [...ones(6), ...ones(8, 0)]);
    expectClose(padded.subarray(0, 6 * CELLS), await predict([wide], ones(6)), { atol: 1e-5 });
    expect(padded.subarray(6 * CELLS).every((value) => value === 0)).toBe(true);
  });
});

it('has the published number of weights', () => {
  const count = Object.values(shapesOfFiT(FIT_PRESETS['fitv2-xl/2'])).reduce(
    (sum, shape) => sum + sizeOf(shape),
    0,
  );
  expect(Math.round(count / 1e6)).toBe(671);
});
