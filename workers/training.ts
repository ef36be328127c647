/** Trainings of every kind, from data to the folder that others load: what the command and the jobs do. */
import { join } from 'node:path';
import { writeModelPage, writeTokenizerPage } from '../evaluation/model-pages.ts';
import { readModel } from '../generators/model.ts';
import type { Engine, HostTensors } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { parseTrainingConfig, type TrainingConfig } from '../training/config.ts';
import { writeCurve } from '../training/curve-file.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { descriptionOf, openData, openSides } from '../training/data/open.ts';
import { exportRun } from '../training/export.ts';
import { reuseWeights } from '../training/init.ts';
import type { StepProgress } from '../training/loop.ts';
import { checkNetwork, createNetwork } from '../training/network.ts';
import {
  isPackedTraining,
  type PackedTraining,
  parsePackedTraining,
} from '../training/packed-config.ts';
import { createPackedNetwork, packedViews } from '../training/packed-network.ts';
import { trainPacked } from '../training/packed-run.ts';
import { train } from '../training/run.ts';
import {
  isTokenTraining,
  parseTokenTraining,
  type TokenTraining,
} from '../training/token-config.ts';
import {
  isTokenizerTraining,
  parseTokenizerTraining,
  type TokenizerTraining,
} from '../training/tokenizer-config.ts';
import { exportTokenizer } from '../training/tokenizer-export.ts';
import { trainTokenizer } from '../training/tokenizer-run.ts';
import { sidesOf } from '../training/views.ts';
import { runTokens } from './token-training.ts';

export type Training =
  | { readonly kind: 'diffusion'; readonly config: TrainingConfig }
  | { readonly kind: 'packed'; readonly config: PackedTraining }
  | { readonly kind: 'tokens'; readonly config: TokenTraining }
  | { readonly kind: 'tokenizer'; readonly config: TokenizerTraining };
type DiffusionTraining = Extract<Training, { readonly kind: 'diffusion' | 'packed' }>;
/** Of a diffusion model, on packed pictures or others: what `init` may begin. */
export const isDiffusion = (training: Training): training is DiffusionTraining =>
  training.kind === 'diffusion' || training.kind === 'packed';

export type TrainingOptions = {
  readonly engine: Engine;
  /** The run's folder; one that was stopped goes on. */
  readonly folder: string;
  /** What is written at the end: a model's folder, or a tokenizer's. */
  readonly to: string;
  /** Where drawn pictures and tokens are kept. */
  readonly cache: string;
  /** Of diffusion, packed or not: the folder of a model whose weights a new run begins with. */
  readonly init?: string;
  readonly signal: AbortSignal;
  readonly onStep: (progress: StepProgress) => void;
  /** What is made ready before the first step. */
  readonly onPrepare: (line: string) => void;
  /** What a person should know. */
  readonly say: (line: string) => void;
};

/** The configuration of a training of any kind, checked by the schema of its kind. */
export function parseTraining(value: unknown, where: string): Training {
  if (isTokenizerTraining(value))
    return { kind: 'tokenizer', config: parseTokenizerTraining(value, where) };
  if (isTokenTraining(value)) return { kind: 'tokens', config: parseTokenTraining(value, where) };
  if (isPackedTraining(value)) {
    const config = parsePackedTraining(value, where);
    packedViews(config, createPackedNetwork(config, 1, createRng(0)).config); // before pictures are drawn
    return { kind: 'packed', config };
  }
  const config = parseTrainingConfig(value, where);
  checkNetwork(config);
  return { kind: 'diffusion', config };
}

/** False when the signal stopped it: the same call goes on. */
export async function runTraining(training: Training, options: TrainingOptions): Promise<boolean> {
  const { folder } = options;
  const run = () => {
    if (isDiffusion(training)) return runDiffusion(training, options);
    return training.kind === 'tokens'
      ? runTokens(training.config, options)
      : runTokenizer(training.config, options);
  };
  const written = await run();
  await writeCurve(folder, join(folder, 'curve.svg'));
  await written?.();
  return written !== undefined;
}

/** What writes the result, where the run came to its end. */
export type Finished = (() => Promise<void>) | undefined;

async function runDiffusion(
  training: DiffusionTraining,
  options: TrainingOptions,
): Promise<Finished> {
  const { config } = training;
  const { engine, folder, to, signal, onStep, say } = options;
  const opened = await openData(config.data, preparing(options));
  const { data, heldOut, skipped } = opened;
  const otherSides = await openSides(config.data, sidesOf(config), preparing(options));
  if (skipped.length > 0)
    say(`pictures that cannot be read: ${skipped.length} (${skipped.join(', ')})`);
  const run = { engine, data, otherSides, heldOut, folder, signal, onStep };
  const given = { ...run, ...(await initialWeights(training, data, options)) };
  const { update, finished } =
    training.kind === 'packed'
      ? await trainPacked(training.config, given)
      : await train(training.config, given);
  await update.dispose();
  if (!finished) return undefined;
  return async () => writeModelPage(to, await exportRun(folder, { to, ...descriptionOf(opened) }));
}

export const preparing = ({ cache, onPrepare }: TrainingOptions) => ({
  cache,
  onProgress: (done: number) => onPrepare(`${done} pictures drawn`),
});

/** What a new run begins with in place of random weights, where a model was named. */
async function initialWeights(
  { kind, config }: DiffusionTraining,
  data: Dataset,
  { init, say }: TrainingOptions,
): Promise<{ readonly init?: HostTensors }> {
  if (init === undefined) return {};
  const model = await readModel(init);
  const { vocabulary } = data;
  const rng = createRng(config.seed);
  const { weights: fresh } =
    kind === 'packed'
      ? createPackedNetwork(config, vocabulary.length, rng)
      : createNetwork(config, data, rng);
  const { weights, reused, words, fresh: anew } = reuseWeights(fresh, model, vocabulary);
  say(`from '${model.card.id}': ${reused.length} tensors reused`);
  if (words) say(`  and the embeddings of ${words.reused} of ${words.of} words`);
  if (anew.length > 0) say(`  new: ${anew.join(', ')}`);
  return { init: weights };
}

async function runTokenizer(
  config: TokenizerTraining,
  options: TrainingOptions,
): Promise<Finished> {
  const { engine, folder, to, signal, onStep } = options;
  const { data, heldOut } = await openData(config.data, preparing(options));
  const run = { engine, data, heldOut, folder, signal, onStep };
  const { update, finished } = await trainTokenizer(config, run);
  await update.dispose();
  if (!finished) return undefined;
  return async () => writeTokenizerPage(to, await exportTokenizer(folder, to));
}
