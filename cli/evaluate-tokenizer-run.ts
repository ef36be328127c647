/** Runs `ropewalk evaluate tokenizer`. */
import { createInception } from '../encoders/features/inception.ts';
import { createTokenizer } from '../encoders/tokenizers/tokenizer.ts';
import { evaluateTokenizer } from '../evaluation/evaluate-tokenizer.ts';
import { picturesOf } from '../evaluation/reader-files.ts';
import {
  recordTokenizerEvaluation,
  writeTokenizerEvaluation,
} from '../evaluation/tokenizer-evaluation-files.ts';
import { formatTokenizer, tokenizerBars } from '../evaluation/tokenizer-report.ts';
import { configOf, readTokenizer } from '../generators/tokenizer-card.ts';
import { openAvatars } from '../training/data/avatars.ts';
import { type Context, Exit } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluateTokenizerCommand } from './evaluate.ts';
import { checkWritable } from './pictures.ts';
import { duration, progressLine } from './progress.ts';
import { tokenizerFolder } from './tokenize-run.ts';

/** Exits with 1 when a bar is missed. */
export async function measureTokenizer(
  options: EvaluateTokenizerCommand,
  context: Context,
): Promise<void> {
  const folder = tokenizerFolder(options.model, context);
  const { card, weights } = await readTokenizer(folder);
  if (card.data !== 'avatars')
    throw new RangeError(
      `evaluate: expected a tokenizer of avatars, got '${card.id}' of '${card.data}'`,
    );
  await checkWritable(options.out);
  const engine = await openDevice(options, context);
  const line = progressLine(context.stderr, () => performance.now());
  const drawings = await openAvatars({
    size: options.size ?? card.trained.width,
    split: 'validation',
    count: options.pictures,
    cache: options.cache,
    onProgress: (done) => line.show(`${done} drawings made`),
  });
  const pictures = picturesOf(drawings);
  const tokenizer = createTokenizer(engine, { config: configOf(card), weights });
  const features = options.kid ? await createInception(engine) : undefined;
  const began = performance.now();
  const { evaluation, reconstructions } = await evaluateTokenizer({
    card,
    tokenizer,
    pictures,
    ...(features ? { features } : {}),
    made: { dtype: 'float32', engine: `${engine.name} ${engine.provider}` },
    signal: context.signal,
    onProgress: ({ stage, done, of }) => line.show(`${stage}: ${done} of ${of}`),
  });
  line.end();
  await tokenizer.dispose();
  await features?.dispose();
  await writeTokenizerEvaluation(options.out, { evaluation, reconstructions, pictures });
  if (options.record) await recordTokenizerEvaluation(folder, evaluation);
  context.stderr.write(
    `measured in ${duration((performance.now() - began) / 1000)}, files in ${options.out}\n`,
  );
  context.stdout.write(formatTokenizer(evaluation));
  if (tokenizerBars(evaluation).some(({ passed }) => !passed)) throw new Exit(1);
}
