/** What a packed run trains: FiT with its weights, the loss of packed rows, and where tokens are. */
import {
  composePositions,
  type PositionConfig,
  type Positions,
} from '../encoders/positions/compose.ts';
import { placedConstants } from '../generators/compile.ts';
import { forwardFiT } from '../generators/fit.ts';
import { FIT_PRESETS, type FiTConfig, FiTSchema } from '../generators/fit-config.ts';
import { initFiT } from '../generators/fit-weights.ts';
import { gridOf } from '../generators/model.ts';
import { checkSchema } from '../schema.ts';
import type { HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { tf } from '../tensor/tf.ts';
import { checkOwnShapes } from './data/own-shapes.ts';
import { checkObjective } from './objective.ts';
import type { PackedTraining } from './packed-config.ts';
import type { Loss } from './update.ts';
import { type View, viewsOf } from './views.ts';

export type PackedNetwork = {
  readonly config: FiTConfig;
  readonly positions: Positions;
  readonly weights: HostTensors;
};

/** The network of a configuration, for as many words, with new or given weights. */
export function createPackedNetwork(
  training: Pick<PackedTraining, 'model' | 'data' | 'objective'>,
  words: number,
  rng: Rng,
  init?: HostTensors,
): PackedNetwork {
  const { model, data, objective } = training;
  const preset: FiTConfig | undefined = FIT_PRESETS[model.preset as keyof typeof FIT_PRESETS];
  if (!preset)
    throw new RangeError(
      `model.preset: expected one of ${Object.keys(FIT_PRESETS).join(', ')} for packed pictures, got '${model.preset}'`,
    );
  const merged = { ...preset, condition: { words }, ...model.config };
  const config = checkSchema(FiTSchema, merged, 'model.config') as FiTConfig;
  if (config.variance)
    throw new RangeError('model.config.variance: expected false for packed pictures, got true');
  checkObjective(objective, config);
  if (objective.cosine)
    throw new RangeError('objective.cosine: expected none for packed pictures, got true');
  const positions = positionsOf(model.positions as PositionConfig, config, data.size);
  const fresh = {
    ...initFiT(config, rng.stream('weights'), positions.projectedHeads),
    ...positions.init(rng.stream('weights')),
  };
  return { config, positions, weights: { ...fresh, ...init } };
}

/** Of a row only its tokens' coordinates are known, not one grid. */
function positionsOf(choice: PositionConfig, config: FiTConfig, size: number): Positions {
  for (const hook of ['embed', 'bias', 'score', 'extend'] as const)
    if (choice[hook] !== undefined)
      throw new RangeError(
        `positions.${hook}: expected none for packed pictures, which have coordinates and a rotation, got ${JSON.stringify(choice[hook])}`,
      );
  const { width, heads, depth } = config;
  const trained = gridOf(config, { height: size, width: size });
  return composePositions(choice, { width, heads, depth, trained });
}

/** The views of a packed run; throws unless each has room in a row. */
export function packedViews(training: PackedTraining, { patch }: FiTConfig): View[] {
  const { views = [], packed, data } = training;
  if (data.size % patch !== 0)
    throw new RangeError(
      `data.size: expected a multiple of the patch (${patch}), got ${data.size}`,
    );
  for (const [i, { batch }] of views.entries())
    if (batch !== undefined)
      throw new RangeError(
        `views[${i}].batch: expected none for packed pictures, which share their rows, got ${batch}; leave it out`,
      );
  checkOwnShapes(training, patch);
  const all = viewsOf(training, patch);
  for (const [i, view] of all.entries())
    if (tokensOf(view, patch) > packed.length)
      throw new RangeError(
        `views[${i}]: expected at most the ${packed.length} tokens of a row, got ${tokensOf(view, patch)}`,
      );
  return all;
}

export const tokensOf = ({ size: [height, width] }: Pick<View, 'size'>, patch: number): number =>
  (height / patch) * (width / patch);

/** Mean over pictures of weight times mean square error; a batch's weights say what a token counts. */
export function createPackedLoss({ config, positions }: Omit<PackedNetwork, 'weights'>): Loss {
  return ({ weights, inputs }) => {
    const { tokens, t, condition, mask, coordinates, target, weight } = inputs;
    const grid = positions.trained;
    const prediction = forwardFiT(config, positions, weights, {
      tokens: tokens!,
      t: t!,
      condition: condition!,
      mask: mask!,
      placed: { ...placedConstants(positions.place(grid, 'sample')), coordinates: coordinates! },
      grid,
    });
    const errors = tf.sum(tf.square(prediction.sub(target!)), -1); // [R, L]
    return tf.sum(errors.mul(weight!));
  };
}
