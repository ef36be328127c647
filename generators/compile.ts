/** Compiles a diffusion transformer for one grid and batch. */
import { MICRO_WIDTH, microRows } from '../encoders/conditioning/micro.ts';
import type { Placed, Placement, Positions } from '../encoders/positions/compose.ts';
import type { MicroSize } from '../encoders/positions/contract.ts';
import { extentOf, type Grid } from '../encoders/positions/grid.ts';
import {
  type Engine,
  type HostTensor,
  type HostTensors,
  type Program,
  type Spec,
  specsOf,
} from '../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import { forwardDiT } from './dit.ts';
import type { DiTConfig } from './dit-config.ts';

export type CompileDiT = {
  readonly config: DiTConfig;
  readonly positions: Positions;
  readonly weights: HostTensors;
  readonly grid: Grid;
  readonly batch: number;
  /** Default: baked. Training looks at its current weights with live ones. */
  readonly mode?: 'baked' | 'live';
};

export const constantOf = ({ data, shape }: HostTensor): Tensor =>
  tf.tensor(data, [...shape], 'float32');

/**
 * A program of inputs x [B, H, W, C], t [B], condition ([B] or [B, V]) and output `prediction`, with
 * `variance` as a fraction of its range where the network learns one, both as large as x; also what
 * `microInputs` and, where the positions depend on t, `placementInputs` give.
 */
export async function compileDiT(engine: Engine, options: CompileDiT): Promise<Program> {
  const { config, positions, weights, grid, batch, mode = 'baked' } = options;
  const { height, width } = extentOf(grid);
  const inputs: Record<string, Spec> = {
    x: { shape: [batch, height * config.patch, width * config.patch, config.channels] },
    t: { shape: [batch] },
    condition:
      'classes' in config.condition
        ? { shape: [batch], dtype: 'int32' }
        : { shape: [batch, config.condition.words] },
    ...(config.micro ? { micro: { shape: [batch, MICRO_WIDTH] } } : {}),
    ...placementSpecs(positions, grid),
  };
  return engine.compile(
    ({ inputs: given, weights: w }) => {
      const { x, t, condition, micro } = given;
      const prediction = forwardDiT(config, positions, w, {
        x: x!,
        t: t!,
        condition: condition!,
        ...(micro ? { micro } : {}),
        placed: placedOf(given, positions, grid),
        grid,
      });
      return { outputs: config.variance ? withVariance(prediction) : { prediction } };
    },
    { inputs, weights },
    { name: 'diffusion transformer', weights: mode },
  );
}

/** DiT's channels are the prediction's, then those of a variance in [-1, 1]. */
function withVariance(channels: Tensor): Tensors {
  const [prediction, variance] = tf.split(channels, 2, -1) as [Tensor, Tensor];
  return { prediction, variance: variance.add(1).div(2) };
}

/**
 * The input `micro` that tells a program of `compileDiT` where its pictures come from, all of them alike,
 * or nothing; no input where the network is never told.
 */
export function microInputs(
  { micro }: Pick<DiTConfig, 'micro'>,
  batch: number,
  size: MicroSize | undefined,
): HostTensors {
  return micro ? { micro: microRows(Array(batch).fill(size)) } : {};
}

/**
 * The inputs that tell a program of `compileDiT` where its tokens are at time t: none where positions
 * do not depend on it, else `coordinates` [T, 2], `logitScale` [1] and, with a rotation that has them,
 * `frequencies` [2, F]. All rows of a call share their t.
 */
export function placementInputs(positions: Positions, grid: Grid, t: number): HostTensors {
  if (!positions.timed) return {};
  const { logitScale, ...placed } = positions.place(grid, 'sample', { t });
  return { ...placed, logitScale: { data: Float32Array.of(logitScale), shape: [1] } };
}

/** What a program says of those inputs. */
export const placementSpecs = (positions: Positions, grid: Grid): Record<string, Spec> =>
  specsOf(placementInputs(positions, grid, 1));

/** Where tokens are, in the function being traced: as its inputs say, else constants. */
export function placedOf(
  { coordinates, frequencies, logitScale }: Tensors,
  positions: Positions,
  grid: Grid,
): Placed {
  if (!coordinates) return placedConstants(positions.place(grid, 'sample'));
  return { coordinates, logitScale: logitScale!, ...(frequencies ? { frequencies } : {}) };
}

/** A placement as constants of the function being traced. */
export function placedConstants({ coordinates, frequencies, logitScale }: Placement) {
  return {
    coordinates: constantOf(coordinates),
    ...(frequencies ? { frequencies: constantOf(frequencies) } : {}),
    logitScale,
  };
}
