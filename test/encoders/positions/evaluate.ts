/** Runs a few ops on an engine, and small networks on both, for the tests of position methods. */
import { describe } from 'vitest';
import type { Inside, Options, Where } from '../../../encoders/positions/contract.ts';
import { type Grid, raster } from '../../../encoders/positions/grid.ts';
import { createEngine } from '../../../tensor/engine.ts';
import type { Engine, HostTensor, HostTensors } from '../../../tensor/program.ts';
import { createRng } from '../../../tensor/rng.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import type { Tensor, Tensors } from '../../../tensor/tf.ts';

/** The same tests on the engine that ships and on the one that is the truth. */
export function onBothEngines(name: string, tests: (engine: Engine) => void): void {
  describe.each(['onnx', 'reference'] as const)(`${name}, %s`, (kind) => {
    tests(createEngine({ name: kind, ...(kind === 'onnx' ? { threads: 1 } : {}) }));
  });
}

/** What `fn` makes of the tensors, each under its name; a single tensor is called `y`. */
export async function evaluate(
  engine: Engine,
  tensors: HostTensors,
  fn: (tensors: Tensors) => Tensor | Tensors,
): Promise<Record<string, HostTensor>> {
  const inputs = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape }]) => [name, { shape }]),
  );
  const program = await engine.compile(
    (given) => {
      const out = fn(given.inputs);
      return { outputs: 'shape' in out ? { y: out as Tensor } : (out as Tensors) };
    },
    { inputs },
  );
  try {
    return await program.run(tensors);
  } finally {
    await program.dispose();
  }
}

export const normals = (name: string, shape: readonly number[]): HostTensor => ({
  data: createRng(7).stream(name).normals(sizeOf(shape)),
  shape,
});

export const floats = (values: ArrayLike<number>, shape: readonly number[]): HostTensor => ({
  data: Float32Array.from(values),
  shape,
});

/** Coordinates of a grid moved by (y, x), [T, 2]. */
export const shifted = (points: Float64Array, [y, x]: readonly [number, number]): HostTensor =>
  floats(
    points.map((value, i) => value + (i % 2 === 0 ? y : x)),
    [points.length / 2, 2],
  );

export const at = (grid: Grid, changes: Partial<Where> = {}): Where => ({
  grid,
  trained: raster(4, 4),
  layer: 0,
  heads: 2,
  headSize: 8,
  prefix: 0,
  ...changes,
});

/** What every hook is given, with a method's own weights under their short names. */
export const inside = (
  coordinates: Tensor,
  where: Where,
  options: Options = {},
  weights: Tensors = {},
): Inside => ({ coordinates, where, options, weights });

/** One tensor for all that a bias may look at, of which these ask for none. */
export const tokens = (x: Tensor) => ({ x, q: x, k: x });
