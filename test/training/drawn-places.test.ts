/** Small networks that draw a picture from places alone: what training at random or at a larger picture's places is for. */
import { afterAll, expect, test } from 'vitest';
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import { type Grid, raster } from '../../encoders/positions/grid.ts';
import { createEngine } from '../../tensor/engine.ts';
import { gelu } from '../../tensor/ops/gelu.ts';
import { linear } from '../../tensor/ops/linear.ts';
import type { HostTensor } from '../../tensor/program.ts';
import { createRng, type Rng } from '../../tensor/rng.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import { adamW } from '../../training/optimisers/adamw.ts';
import { createUpdate } from '../../training/update.ts';
import { coordinatesOf, see } from '../../training/views.ts';

const [C, HIDDEN, BATCH, STEPS] = [32, 64, 16, 200];
const engine = createEngine({ threads: 1 });
afterAll(() => expect(engine.open).toBe(0));

/** The picture; it repeats after 8 cells on both axes. */
const periodic = (y: number, x: number) =>
  Math.sin((2 * Math.PI * y) / 8 + 1) + Math.cos((2 * Math.PI * (x - y)) / 8);

type Drawing = {
  readonly grid: Grid;
  readonly positions: PositionConfig;
  /** Coordinates of a picture in training; those of the grid without. */
  readonly places?: (rng: Rng) => HostTensor;
};

/** Trains a network on `grid`, and gives what it draws at coordinates [T, 2] of any grid. */
async function draughtsman({ grid, positions: config, places }: Drawing) {
  const positions = composePositions(config, { width: C, heads: 1, trained: grid });
  const forward = (weights: Tensors, coordinates: Tensor, on: Grid): Tensor => {
    const tokens = tf.zeros([BATCH, coordinates.shape.at(-2)!, C]);
    const where = { grid: on, trained: grid, layer: 0, heads: 1, headSize: C, prefix: 0 };
    const x = positions.embed(weights, tokens, { coordinates }, where, 0);
    return linear(gelu(linear(x, weights.fc1!, weights.bias!)), weights.fc2!); // [B, T, 1]
  };
  const rng = createRng(3);
  const normal = (name: string, shape: [number, number]): HostTensor => ({
    data: rng
      .stream(name)
      .normals(shape[0] * shape[1])
      .map((z) => z / Math.sqrt(shape[1])),
    shape,
  });
  const examples = (of: Rng) => {
    const each = Array.from({ length: BATCH }, (_, i) => {
      const own = of.stream(`${i}`);
      return (places?.(own) ?? positions.place(grid, 'train', { rng: own }).coordinates).data;
    });
    const data = Float32Array.from(each.flatMap((points) => [...points]));
    const T = each[0]!.length / 2;
    const truth = Float32Array.from({ length: BATCH * T }, (_, i) =>
      periodic(data[2 * i]!, data[2 * i + 1]!),
    );
    return {
      coordinates: { data, shape: [BATCH, T, 2] },
      truth: { data: truth, shape: [BATCH, T, 1] },
    };
  };
  const first = examples(rng);
  const update = await createUpdate(
    ({ weights, inputs }) =>
      tf.mean(
        tf.square(forward(weights, inputs.coordinates!, grid).sub(inputs.truth!)),
      ) as tf.Scalar,
    adamW({ rate: 1e-2 }),
    {
      engine,
      inputs: {
        coordinates: { shape: first.coordinates.shape },
        truth: { shape: first.truth.shape },
      },
      weights: {
        fc1: normal('fc1', [HIDDEN, C]),
        bias: { data: new Float32Array(HIDDEN), shape: [HIDDEN] },
        fc2: normal('fc2', [1, HIDDEN]),
        ...positions.init(rng),
      },
      clip: 1,
    },
  );
  for (let step = 0; step < STEPS; step++)
    await update.step([examples(rng.stream(`step/${step}`))], 1 - step / STEPS);
  const { weights } = update.state();
  await update.dispose();
  return async (coordinates: HostTensor, on: Grid): Promise<Float32Array> => {
    const program = await engine.compile(
      ({ inputs, weights: w }) => ({ outputs: { y: forward(w, inputs.coordinates!, on) } }),
      { inputs: { coordinates: { shape: coordinates.shape } }, weights },
    );
    const { y } = await program.run({ coordinates });
    await program.dispose();
    return (y!.data as Float32Array).subarray(0, coordinates.shape[0]!);
  };
}

const square = (side: number, [y, x]: readonly [number, number] = [0, 0]): HostTensor => ({
  data: Float32Array.from(
    Array.from({ length: side * side }, (_, i) => [
      Math.floor(i / side) + y,
      (i % side) + x,
    ]).flat(),
  ),
  shape: [side * side, 2],
});
const meanSquare = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length;

const truthOf = (side: number) =>
  Array.from({ length: side * side }, (_, i) => periodic(Math.floor(i / side), i % side));

test('MS-PE trained with shifts draws the picture moved, 6 dB nearer than what was trained without', async () => {
  const grid = raster(8, 8);
  const train = (positions: PositionConfig) => draughtsman({ grid, positions });
  const embed = { method: 'ms-pe', base: 100 };
  const shifted = await train({ coordinates: 'shifted', embed });
  const controls = [await train({ embed }), await train({ embed: 'learned' })];
  const rolled = (drawn: Float32Array, [y, x]: readonly [number, number]) =>
    drawn.map((_, i) => drawn[((Math.floor(i / 8) + y + 8) % 8) * 8 + ((i + x + 8) % 8)]!);
  for (const by of [
    [3, 2],
    [-2, 5],
  ] as const) {
    const off = async (draw: typeof shifted) =>
      meanSquare(await draw(square(8, by), grid), rolled(await draw(square(8), grid), by));
    const moved = await off(shifted);
    for (const control of controls)
      expect(10 * Math.log10((await off(control)) / moved)).toBeGreaterThan(6);
  }
  // All of them draw the picture itself, whose mean square is 1.
  for (const draw of [shifted, ...controls])
    expect(meanSquare(await draw(square(8), grid), truthOf(8))).toBeLessThan(0.01);
});

test('segments of a larger picture at their own places lower the loss on the whole of it', async () => {
  const [grid, large] = [raster(4, 4), raster(8, 8)];
  const positions = { embed: { method: 'sincos2d', base: 100 } };
  const places = (how: 'window' | 'rows') => (rng: Rng) => {
    const view = { how, size: [4, 4], of: 8, share: 1, from: 1, until: 1, batch: 1 } as const;
    const { tokens } = see(view, new Uint8Array(8 * 8 * 3), 1, { rng });
    return { data: coordinatesOf(square(8).data, 8, tokens!), shape: [16, 2] };
  };
  const loss = async (draw: Awaited<ReturnType<typeof draughtsman>>) =>
    meanSquare(await draw(square(8), large), truthOf(8));
  const small = await loss(await draughtsman({ grid, positions }));
  for (const how of ['window', 'rows'] as const)
    expect(await loss(await draughtsman({ grid, positions, places: places(how) }))).toBeLessThan(
      small / 4,
    );
});
