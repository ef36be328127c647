/** Runs `ropewalk evaluate model` and `ropewalk evaluate reader`. */
import { join } from 'node:path';
import { checkBeside } from '../evaluation/beside.ts';
import { recordEvaluation, writeEvaluation } from '../evaluation/evaluation-files.ts';
import { checkAvatars, measureModel, readerFor } from '../evaluation/model-session.ts';
import { makeReader, readReaderConfiguration } from '../evaluation/reader-run.ts';
import { barsOf, formatEvaluation } from '../evaluation/report.ts';
import type { AnyCard } from '../generators/token-model.ts';
import { type Context, Exit, modelFolders } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluateModelCommand, EvaluateReaderCommand } from './evaluate.ts';
import { chooseAnyModel, shippedFile } from './files.ts';
import { checkWritable } from './pictures.ts';
import { duration, progressLine } from './progress.ts';

/** Exits with 1 when a bar is missed. */
export async function measure(options: EvaluateModelCommand, context: Context): Promise<void> {
  const { cache, trained, samples, heldOut: heldOutSamples, out } = options;
  const { folder, card } = await chooseAnyModel(options.model, context);
  checkAvatars(card);
  const beside = await chooseBeside(options, card, context);
  const reader = options.reader ?? readerFor(card, modelFolders(context));
  const engine = await openDevice(options, context);
  await checkWritable(out);
  const line = progressLine(context.stderr, () => performance.now());
  const began = performance.now();
  const result = await measureModel({
    ...{ engine, folder, card, reader, trained, cache, samples, heldOutSamples },
    signal: context.signal,
    onProgress: ({ stage, done, of }) => line.show(`${stage}: ${done} of ${of}`),
  }).finally(() => line.end());
  await writeEvaluation(out, result);
  if (options.record) await recordEvaluation(folder, result.evaluation, beside);
  context.stderr.write(
    `measured in ${duration((performance.now() - began) / 1000)}, files in ${out}\n`,
  );
  context.stdout.write(formatEvaluation(result.evaluation));
  if (barsOf(result.evaluation).some(({ passed }) => !passed)) throw new Exit(1);
}

/** The card of the model whose numbers go beside. */
async function chooseBeside(
  { beside, record }: EvaluateModelCommand,
  card: AnyCard,
  context: Context,
): Promise<AnyCard | undefined> {
  if (beside === undefined) return undefined;
  if (!record)
    throw new RangeError(
      `--beside: expected --record, which writes the README that has '${beside}' beside, got none; add it`,
    );
  const other = await chooseAnyModel(beside, context);
  checkBeside(card, other.card);
  return other.card;
}

export async function trainReaderRun(
  path: string,
  options: EvaluateReaderCommand,
  context: Context,
): Promise<void> {
  const config = await readReaderConfiguration(shippedFile(path));
  const run = join(options.runs, config.id);
  const out = options.out ?? join(run, 'reader');
  await checkWritable(out);
  const engine = await openDevice(options, context);
  const line = progressLine(context.stderr, () => performance.now());
  const began = performance.now();
  let first: number | undefined;
  const made = await makeReader(config, {
    engine,
    cache: options.cache,
    run,
    out,
    signal: context.signal,
    onStep: ({ step, steps, loss }) => {
      first ??= step - 1;
      const left = ((performance.now() - began) / 1000 / (step - first)) * (steps - step);
      line.show(`step ${step} of ${steps}: loss ${loss.toFixed(4)}, ${duration(left)} left`);
    },
  });
  line.end();
  if (!made) throw new Exit(130, `stopped; the same command goes on with ${run}`);
  context.stdout.write(`${out}\n`);
}
