/** Measures a model of avatars in this process: drawings, reader, features and pipeline, opened and closed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInception } from '../encoders/features/inception.ts';
import { readModel } from '../generators/model.ts';
import { type AnyCard, readTokenGenerator } from '../generators/token-model.ts';
import { createDiffusionPipeline } from '../pipelines/diffusion.ts';
import { createTokenPipeline } from '../pipelines/tokens.ts';
import type { Engine } from '../tensor/program.ts';
import { openAvatarEvaluation } from './avatars.ts';
import { type EvaluateModelOptions, evaluateModel } from './evaluate-model.ts';
import { loadReader } from './reader-files.ts';

export type MeasureModel = Pick<EvaluateModelOptions, 'samples' | 'heldOutSamples' | 'signal'> & {
  readonly engine: Engine;
  readonly folder: string;
  readonly card: AnyCard;
  /** The folder of the reader. */
  readonly reader: string;
  /** Drawings that the model was trained on. */
  readonly trained: number;
  /** Where drawings are kept. */
  readonly cache: string;
  readonly onProgress: NonNullable<EvaluateModelOptions['onProgress']>;
};

export async function measureModel(options: MeasureModel): ReturnType<typeof evaluateModel> {
  const { engine, folder, card, trained, cache, signal, onProgress, ...samples } = options;
  const reader = await loadReader(engine, options.reader);
  const size = card.trained.width;
  const drawings = await openAvatarEvaluation({
    ...{ size, trained, cache },
    onProgress: (done) => onProgress({ stage: 'drawings made', done, of: trained }),
  });
  const features = await createInception(engine);
  const pipeline = await openPipeline(engine, folder, card);
  const stop = signal ? { signal } : {};
  try {
    return await evaluateModel({
      ...{ ...drawings, ...samples, ...stop, card, reader, features, onProgress },
      patch: pipeline.patch,
      made: { ...card.sampling, engine: `${engine.name} ${engine.provider}`, dtype: 'float32' },
      render: (conditions, seeds) =>
        pipeline.draw(
          conditions.map((ids, i) => ({ words: ids.map((id) => ({ id })), seed: seeds[i]! })),
          stop,
        ),
    });
  } finally {
    await pipeline.dispose();
    await features.dispose();
    await reader.dispose();
  }
}

/** What draws a card's pictures, and the pixels a side of what it puts them together from. */
async function openPipeline(engine: Engine, folder: string, card: AnyCard) {
  if (card.architecture !== 'ar') {
    const pipeline = createDiffusionPipeline({ engine, model: await readModel(folder) });
    return { ...pipeline, patch: card.config.patch };
  }
  const pipeline = createTokenPipeline({ engine, model: await readTokenGenerator(folder, card) });
  return { ...pipeline, patch: card.tokenizer.factor };
}

export function checkAvatars({ id, data, trained }: AnyCard): void {
  if (data === 'avatars' && trained.width === trained.height) return;
  throw new RangeError(
    `evaluate: expected a model of square avatars, got '${id}' of '${data}' at ${trained.width}x${trained.height}`,
  );
}

/** The reader for a model's size, beside the models. */
export function readerFor({ trained }: AnyCard, parents: readonly string[]): string {
  const folders = parents.map((parent) => join(parent, `reader-avatars-${trained.width}`));
  const found = folders.find((folder) => existsSync(join(folder, 'reader.json')));
  if (found !== undefined) return found;
  throw new Error(
    `evaluate: expected a reader in ${folders.join(' or ')}, got none; train one with \`ropewalk evaluate reader\` or name it with --reader`,
  );
}
