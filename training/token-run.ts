/**
 * A token model's training run: the same folder as a diffusion model's (run.ts). The loss is the cross
 * entropy of every token given those before it (Sun et al. 2024, section 2.2), in nats a token.
 * Everything random depends on the seed and the step alone, so a run that was stopped continues bit
 * for bit.
 */
import { bagOfWords, dropWords } from '../encoders/conditioning/attributes.ts';
import type { PositionConfig, Positions } from '../encoders/positions/compose.ts';
import { type Grid, raster } from '../encoders/positions/grid.ts';
import { forwardAR } from '../generators/ar.ts';
import { AR_PRESETS, type ARConfig, attributeSlots } from '../generators/ar-config.ts';
import { initAR } from '../generators/ar-weights.ts';
import { placedConstants } from '../generators/compile.ts';
import { ARSchema, layoutOfAR } from '../generators/token-model.ts';
import type { Picture } from '../png.ts';
import { checkSchema } from '../schema.ts';
import { crossEntropy } from '../tensor/ops/cross-entropy.ts';
import type { Engine, HostTensor, HostTensors, Spec } from '../tensor/program.ts';
import { specsOf } from '../tensor/program.ts';
import { createRng, type Rng } from '../tensor/rng.ts';
import { tf } from '../tensor/tf.ts';
import type { TokenCache } from './data/token-cache.ts';
import { createHeldOutLoss, heldOutBatches, SHEET, saveSheet } from './held-out.ts';
import { runSteps, type StepProgress } from './loop.ts';
import { createOptimiser } from './run.ts';
import { createOrder } from './showing.ts';
import type { TokenTraining } from './token-config.ts';
import { createUpdate, emaDecay, type Loss, type Update } from './update.ts';

export type TokenData = Pick<TokenCache, 'codes' | 'vocabulary' | 'tokens' | 'words'>;
/** Draws pictures with the weights as they are, one a list of words. */
export type DrawSheet = (
  network: TokenNetwork,
  words: readonly (readonly number[])[],
) => Promise<readonly Picture[]>;
export type TokenNetwork = {
  readonly config: ARConfig;
  readonly positions: Positions;
  readonly grid: Grid;
  readonly weights: HostTensors;
};
export type TrainTokensOptions = {
  readonly engine: Engine;
  readonly data: TokenData;
  /** Pictures that are never trained on, for the held-out loss and the conditions of sheets. */
  readonly heldOut: TokenData;
  /** The run's folder. */
  readonly folder: string;
  /** Default: no sheets. */
  readonly draw?: DrawSheet;
  /** Stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly onStep?: (progress: StepProgress) => void;
};

export async function trainTokens(
  config: TokenTraining,
  options: TrainTokensOptions,
): Promise<{ network: TokenNetwork; update: Update; finished: boolean }> {
  const { engine, data } = options;
  const rng = createRng(config.seed);
  const network = createTokenNetwork(config, data, rng);
  const batches = tokenBatches(data, rng.stream('data'), { ...config, network });
  const loss = createTokenLoss(network);
  const inputs = specsOf(batches(0));
  const update = await createUpdate(loss, createOptimiser(config, engine), {
    engine,
    inputs,
    weights: network.weights,
    ...(config.clip === undefined ? {} : { clip: config.clip }),
    ema: emaDecay(config.ema),
  });
  const watch = await createWatch(config, { ...options, network, loss, inputs, rng });
  const { folder, signal, onStep } = options;
  const finished = await runSteps(config, { folder, update, batches, watch, signal, onStep });
  return { network, update, finished };
}

/** The network of a configuration, for the codes and words of a data set, with new weights. */
export function createTokenNetwork(
  { model }: Pick<TokenTraining, 'model'>,
  data: Pick<TokenData, 'codes' | 'vocabulary' | 'tokens'>,
  rng: Rng,
): TokenNetwork {
  const preset: ARConfig | undefined = AR_PRESETS[model.preset as keyof typeof AR_PRESETS];
  if (!preset)
    throw new RangeError(
      `model.preset: expected one of ${Object.keys(AR_PRESETS).join(', ')}, got '${model.preset}'`,
    );
  const tokens = 'tokens' in preset.condition ? preset.condition.tokens : 1;
  const isApart = 'slots' in preset.condition;
  const condition = {
    ...{ words: data.vocabulary.length, tokens },
    ...(isApart ? { slots: attributeSlots(data.vocabulary, tokens) } : {}),
  };
  const merged = { ...preset, codes: data.codes, condition, ...model.config };
  const config = checkSchema(ARSchema, merged, 'model.config') as ARConfig;
  const [, height, width] = data.tokens.shape as [number, number, number];
  const grid = raster(height, width);
  const { positions } = layoutOfAR(config, model.positions as PositionConfig, grid);
  return { config, positions, grid, weights: initAR(config, rng.stream('weights')) };
}

type BatchOptions = Pick<TokenTraining, 'batch' | 'drop'> & {
  readonly network: Pick<TokenNetwork, 'positions' | 'grid'>;
};

/** Tokens [B, T] and bags of words [B, V]; where positions are random, also coordinates [B, T, 2]. */
function tokenBatches(
  { tokens, words, vocabulary }: TokenData,
  rng: Rng,
  { batch, drop, network: { positions, grid } }: BatchOptions,
): (step: number) => Record<string, HostTensor> {
  const [count, height, width] = tokens.shape as [number, number, number];
  const T = height * width;
  const order = createOrder(count, rng);
  const always = new Set(vocabulary.flatMap((word, id) => (word.startsWith('style=') ? [id] : [])));
  return (step) => {
    const draw = rng.stream(`step/${step}`);
    const indices = Array.from({ length: batch }, (_, row) => order(step * batch + row));
    const all = new Int32Array(batch * T);
    for (const [row, index] of indices.entries())
      all.set(tokens.data.subarray(index * T, (index + 1) * T), row * T);
    const bags = indices.map((index) =>
      dropWords(words[index]!, always, draw, drop).map((id) => ({ id })),
    );
    return {
      tokens: { data: all, shape: [batch, T] },
      condition: bagOfWords(bags, vocabulary.length),
      ...(positions.random ? { coordinates: drawnCoordinates(positions, grid, draw, batch) } : {}),
    };
  };
}

function drawnCoordinates(positions: Positions, grid: Grid, rng: Rng, batch: number): HostTensor {
  const rows = Array.from(
    { length: batch },
    (_, row) =>
      positions.place(grid, 'train', { rng: rng.stream(`coordinates/${row}`) }).coordinates,
  );
  const data = Float32Array.from(rows.flatMap((row) => [...row.data]));
  return { data, shape: [batch, ...rows[0]!.shape] };
}

/** Mean over pictures and tokens of -log p(token). */
export function createTokenLoss({ config, positions, grid }: TokenNetwork): Loss {
  return ({ weights, inputs: { tokens, condition, coordinates } }) => {
    const constants = placedConstants(positions.place(grid, 'sample'));
    const logits = forwardAR(config, positions, weights, {
      tokens: tokens!,
      condition: condition!,
      placed: coordinates ? { ...constants, coordinates } : constants,
      grid,
    });
    return tf.mean(crossEntropy(logits, tokens!));
  };
}

type WatchOptions = TrainTokensOptions & {
  readonly network: TokenNetwork;
  readonly loss: Loss;
  readonly inputs: Record<string, Spec>;
  readonly rng: Rng;
};

/** What is looked at on the way: the loss on held-out pictures, always the same, and sheets of samples. */
async function createWatch(config: TokenTraining, options: WatchOptions) {
  const { engine, heldOut, folder, draw, network, loss, inputs, rng } = options;
  const drop = { all: 0, some: 0 };
  const batches = tokenBatches(heldOut, rng.stream('held-out'), { ...config, drop, network });
  const held = await createHeldOutLoss({
    ...{ engine, loss, inputs, batches, weights: network.weights },
    count: heldOutBatches(heldOut.words.length, config.batch),
  });
  return {
    heldOut: held.heldOut,
    async sheet(ema: HostTensors, step: number): Promise<void> {
      if (!draw) return;
      const pictures = await draw({ ...network, weights: ema }, heldOut.words.slice(0, SHEET));
      await saveSheet(folder, step, pictures);
    },
    dispose: held.dispose,
  };
}
