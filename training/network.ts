/** What a configuration trains: the network with its weights, the loss of a batch, and where tokens are. */
import {
  composePositions,
  type PositionConfig,
  type Positions,
} from '../encoders/positions/compose.ts';
import type { Registry } from '../encoders/positions/registry.ts';
import { placedConstants } from '../generators/compile.ts';
import { forwardDiT } from '../generators/dit.ts';
import { DIT_PRESETS, type DiTConfig, DiTSchema } from '../generators/dit-config.ts';
import { initDiT } from '../generators/dit-weights.ts';
import { gridOf, type ObjectiveConfig } from '../generators/model.ts';
import { checkSchema } from '../schema.ts';
import type { HostTensor, HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import type { BatchOptions } from './batches.ts';
import type { TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { checkOwnShapes } from './data/own-shapes.ts';
import { createObjective } from './objective.ts';
import type { Loss } from './update.ts';
import { coordinatesOf, viewsOf } from './views.ts';

export type NetworkOptions = {
  /** Weights to start a new run from in place of random ones. */
  readonly init?: HostTensors;
  /** Position methods beyond those that ship (withMethods). */
  readonly registry?: Registry;
};

/** The network of a configuration, for a data set's vocabulary, with new or given weights. */
export function createNetwork(
  config: Pick<TrainingConfig, 'model'>,
  data: Pick<Dataset, 'size' | 'vocabulary'>,
  rng: Rng,
  { init, registry }: NetworkOptions = {},
) {
  const dit = ditOf(config, data.vocabulary.length);
  const size = { height: data.size, width: data.size };
  checkSide(data.size, dit);
  const { width, heads, depth } = dit;
  const positions = composePositions(
    config.model.positions as PositionConfig,
    { width, heads, depth, trained: gridOf(dit, size) },
    registry,
  );
  const fresh = {
    ...initDiT(dit, rng.stream('weights'), positions.projectedHeads),
    ...positions.init(rng.stream('weights')),
  };
  return { dit, positions, weights: { ...fresh, ...init } };
}

/** Throws unless pictures, views and what sampling says fit the network: before any picture is drawn. */
export function checkNetwork(config: TrainingConfig): void {
  const dit = ditOf(config, 1);
  const { micro } = config.sampling;
  if (micro !== undefined && !dit.micro)
    throw new RangeError(
      `sampling.micro: expected none of a network without micro-conditioning, got '${micro}'; leave it out`,
    );
  checkSide(config.data.size, dit);
  viewsOf(config, dit.patch);
  checkOwnShapes(config, dit.patch);
}

function ditOf({ model }: Pick<TrainingConfig, 'model'>, words: number): DiTConfig {
  const preset = DIT_PRESETS[model.preset as keyof typeof DIT_PRESETS];
  if (!preset) {
    throw new RangeError(
      `model.preset: expected one of ${Object.keys(DIT_PRESETS).join(', ')}, got '${model.preset}'`,
    );
  }
  const merged = { ...preset, condition: { words }, ...model.config };
  return checkSchema(DiTSchema, merged, 'model.config') as DiTConfig;
}

function checkSide(side: number, { patch }: DiTConfig): void {
  if (side % patch !== 0)
    throw new RangeError(`data.size: expected a multiple of the patch (${patch}), got ${side}`);
}

/** The loss of a batch of any size; a picture's tokens lie where the batch says, else on its grid. */
export function createLoss(dit: DiTConfig, positions: Positions, objective: ObjectiveConfig): Loss {
  const error = createObjective(objective, dit);
  return ({ weights, inputs }) => {
    const { x, t, condition, coordinates, micro } = inputs;
    const [, height, width] = x!.shape as [number, number, number, number];
    const grid = gridOf(dit, { height, width });
    const constants = placedConstants(positions.place(grid, 'sample'));
    const prediction = forwardDiT(dit, positions, weights, {
      x: x!,
      t: t!,
      condition: condition!,
      ...(micro ? { micro } : {}),
      placed: coordinates ? { ...constants, coordinates } : constants,
      grid,
    });
    return error(prediction, inputs);
  };
}

/**
 * Times are drawn in training as positions shift them in sampling (extend/time-shift.ts): the same noise hides less of a
 * larger picture.
 */
export const createTimeShift =
  (dit: Pick<DiTConfig, 'patch'>, positions: Positions): NonNullable<BatchOptions['timeShift']> =>
  ([height, width]) =>
    positions.timeShift(gridOf(dit, { height, width }));

/**
 * Coordinates of a picture's tokens where they are its own: random methods draw them anew, and views
 * of larger pictures keep those that they have there. Others are constants.
 */
export function createPlaces(
  dit: Pick<DiTConfig, 'patch'>,
  positions: Positions,
): NonNullable<BatchOptions['coordinates']> {
  /** By side, of methods that place every picture alike. */
  const still = new Map<number, HostTensor>();
  const placesOf = (side: number, rng: Rng): HostTensor => {
    const grid = gridOf(dit, { height: side, width: side });
    if (positions.random) return positions.place(grid, 'train', { rng }).coordinates;
    const places = still.get(side) ?? positions.place(grid, 'sample').coordinates;
    still.set(side, places);
    return places;
  };
  return (rng, { of, size: [height, width] }, tokens) => {
    if (tokens) {
      const data = coordinatesOf(placesOf(of, rng).data, of / dit.patch, tokens);
      return { data, shape: [data.length / 2, 2] };
    }
    if (!positions.random) return undefined;
    return positions.place(gridOf(dit, { height, width }), 'train', { rng }).coordinates;
  };
}
