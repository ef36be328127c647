/**
 * A tokenizer's training run: the same folder as a generator's (run.ts), with sheets of pictures beside
 * their reconstructions. Everything random depends on the seed and the step alone, so a run that was
 * stopped continues bit for bit; what the codebook remembers is saved with the optimiser's moments.
 */
import { loadInceptionLayers } from '../encoders/features/inception.ts';
import {
  type TokenizerConfig,
  type TokenizerParts,
  tokenizerParts,
} from '../encoders/tokenizers/tokenizer.ts';
import { type Picture, toFloats, toPicture } from '../png.ts';
import type { HostTensor, HostTensors, Program } from '../tensor/program.ts';
import { createRng, type Rng } from '../tensor/rng.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import { tendCodebook } from './codebook.ts';
import type { Dataset } from './data/dataset.ts';
import { heldOutBatches, SHEET, saveSheet } from './held-out.ts';
import { runSteps, type StepProgress } from './loop.ts';
import { createPerceptual } from './perceptual.ts';
import { createOptimiser, type TrainOptions } from './run.ts';
import { createOrder } from './showing.ts';
import type { TokenizerTraining } from './tokenizer-config.ts';
import { createUpdate, emaDecay, type Loss, type Update } from './update.ts';

export type TokenizerProgress = StepProgress & {
  /** Share of all codes that occur in the held-out pictures. */
  readonly codesUsed?: number;
};
export type TrainTokenizerOptions = Omit<TrainOptions, 'init' | 'registry' | 'onStep'> & {
  readonly onStep?: (progress: TokenizerProgress) => void;
};

export async function trainTokenizer(
  config: TokenizerTraining,
  options: TrainTokenizerOptions,
): Promise<{ update: Update; finished: boolean }> {
  const { engine, data, heldOut, folder, signal, onStep } = options;
  const rng = createRng(config.seed);
  const parts = networkOf(config, data);
  const weights = parts.init(rng.stream('weights'));
  const batches = pictureBatches(data, rng.stream('data'), config.batch);
  const loss = await createTokenizerLoss(config, parts);
  const inner = createOptimiser(config, engine);
  const { quantiser } = config.tokenizer;
  const optimiser =
    quantiser.kind === 'vq'
      ? tendCodebook(inner, {
          ...config.codebook!,
          codebook: quantiser.codebook,
          rng: rng.stream('codebook'),
        })
      : inner;
  const update = await createUpdate(loss, optimiser, {
    engine,
    inputs: { pictures: { shape: [config.batch, data.size, data.size, 3] } },
    weights,
    ...(config.clip === undefined ? {} : { clip: config.clip }),
    ema: emaDecay(config.ema),
  });
  const watch = await createWatch(config, { engine, heldOut, folder, parts, weights });
  const finished = await runSteps(config, { folder, update, batches, watch, signal, onStep });
  return { update, finished };
}

function networkOf({ tokenizer }: TokenizerTraining, { size }: Pick<Dataset, 'size'>) {
  const parts = tokenizerParts(tokenizer as TokenizerConfig);
  const { factor } = parts.network;
  if (size % factor === 0) return parts;
  throw new RangeError(
    `data.size: expected a multiple of the tokenizer's factor (${factor}), got ${size}`,
  );
}

/** Errors of colours and features, and what the quantiser adds; lets tokens and latents be seen. */
export async function createTokenizerLoss(
  { loss: { l1, l2, perceptual } }: Pick<TokenizerTraining, 'loss'>,
  { network, quantiser }: TokenizerParts,
): Promise<Loss> {
  const features = perceptual
    ? createPerceptual(perceptual, await loadInceptionLayers(perceptual.layers))
    : undefined;
  return ({ weights, inputs, watch }) => {
    const pictures = inputs.pictures!;
    const { codes, tokens, latents, losses } = quantiser.quantise(
      weights,
      network.encode(weights, pictures),
    );
    watch?.('tokens', tokens);
    watch?.('latents', latents);
    const made = network.decode(weights, codes);
    const terms: Tensor[] = [
      ...(l1 > 0 ? [tf.mean(tf.abs(made.sub(pictures))).mul(l1)] : []),
      ...(l2 > 0 ? [tf.mean(tf.squaredDifference(made, pictures)).mul(l2)] : []),
      ...(features ? [features(made, pictures).mul(perceptual!.weight)] : []),
      ...Object.values(losses),
    ];
    return tf.addN(terms);
  };
}

/** Batches of pictures in the order of their epoch's permutation. */
function pictureBatches(data: Dataset, rng: Rng, batch: number) {
  const order = createOrder(data.length, rng);
  return (step: number): { pictures: HostTensor } => ({
    pictures: picturesAt(
      data,
      Array.from({ length: batch }, (_, row) => order(step * batch + row)),
    ),
  });
}

/** Pictures as [B, S, S, 3] in [-1, 1]. */
function picturesAt(data: Dataset, indices: readonly number[]): HostTensor {
  const { size } = data;
  const length = size * size * 3;
  const all = new Float32Array(indices.length * length);
  for (const [row, index] of indices.entries()) all.set(toFloats(data.pixels(index)), row * length);
  return { data: all, shape: [indices.length, size, size, 3] };
}

type WatchOptions = Pick<TrainTokenizerOptions, 'engine' | 'heldOut' | 'folder'> & {
  readonly parts: TokenizerParts;
  readonly weights: HostTensors;
};

/** What is looked at on the way: errors on held-out pictures, codes in use, and sheets of reconstructions. */
async function createWatch(
  { batch, loss: { l1, l2 } }: TokenizerTraining,
  { engine, heldOut, folder, parts, weights }: WatchOptions,
) {
  const { size } = heldOut;
  const count = heldOutBatches(heldOut.length, batch);
  const batches = Array.from({ length: count }, (_, i) =>
    Array.from({ length: batch }, (_, row) => (i * batch + row) % heldOut.length),
  );
  const program = await engine.compile(
    reconstruction(parts, { l1, l2 }),
    { inputs: { pictures: { shape: [batch, size, size, 3] } }, weights },
    { name: 'reconstruction', weights: 'live' },
  );
  const run = (ema: HostTensors, indices: readonly number[]) =>
    program.run({ pictures: picturesAt(heldOut, indices) }, { weights: ema });
  return {
    async heldOut(ema: HostTensors) {
      let total = 0;
      const met = new Set<number>();
      for (const indices of batches) {
        const { loss, tokens } = await run(ema, indices);
        total += loss!.data[0]!;
        for (const token of tokens!.data) met.add(token);
      }
      return { heldOutLoss: total / count, codesUsed: met.size / parts.quantiser.vocabulary };
    },
    sheet: async (ema: HostTensors, step: number) =>
      saveSheet(folder, step, await sheetOf(run, ema, heldOut, batch), 8),
    dispose: () => program.dispose(),
  };
}

/** The errors of colours alone: without what only training needs. */
const reconstruction =
  ({ network, quantiser }: TokenizerParts, { l1, l2 }: { l1: number; l2: number }) =>
  ({ inputs, weights }: { inputs: Tensors; weights: Tensors }) => {
    const pictures = inputs.pictures!;
    const { tokens, codes } = quantiser.quantise(weights, network.encode(weights, pictures));
    const made = network.decode(weights, codes);
    const absolute = tf.mean(tf.abs(made.sub(pictures))).mul(l1);
    const squared = tf.mean(tf.squaredDifference(made, pictures)).mul(l2);
    return { outputs: { made, tokens, loss: absolute.add(squared) } };
  };

/** The first held-out pictures, each followed by its reconstruction. */
async function sheetOf(
  run: (ema: HostTensors, indices: readonly number[]) => ReturnType<Program['run']>,
  ema: HostTensors,
  heldOut: Dataset,
  batch: number,
): Promise<Picture[]> {
  const { size } = heldOut;
  const indices = Array.from({ length: batch }, (_, i) => i % heldOut.length);
  const { made } = await run(ema, indices);
  const shape = { width: size, height: size };
  const length = size * size * 3;
  return indices
    .slice(0, Math.min(SHEET, heldOut.length))
    .flatMap((index, i) => [
      { ...shape, data: heldOut.pixels(index) },
      toPicture((made!.data as Float32Array).subarray(i * length, (i + 1) * length), shape),
    ]);
}
