/** Runs `ropewalk evaluate model` and `ropewalk evaluate reader`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openAvatarEvaluation } from '../evaluation/avatars.ts';
import { evaluateModel } from '../evaluation/evaluate-model.ts';
import { recordEvaluation, writeEvaluation } from '../evaluation/evaluation-files.ts';
import { loadReader } from '../evaluation/reader-files.ts';
import { makeReader, readReaderConfiguration } from '../evaluation/reader-run.ts';
import { barsOf, formatEvaluation } from '../evaluation/report.ts';
import { type ModelCard, readModel } from '../generators/model.ts';
import { createDiffusionPipeline } from '../pipelines/diffusion.ts';
import { type Context, Exit, modelFolders } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluateModelCommand, EvaluateReaderCommand } from './evaluate.ts';
import { chooseModel, shippedFile } from './files.ts';
import { checkWritable } from './pictures.ts';
import { duration, progressLine } from './progress.ts';

/** Exits with 1 when a bar is missed. */
export async function measure(options: EvaluateModelCommand, context: Context): Promise<void> {
  const { cache, trained, samples, heldOut: heldOutSamples, out } = options;
  const { folder, card } = await chooseModel(options.model, context);
  checkAvatars(card);
  const engine = await openDevice(options, context);
  const reader = await loadReader(engine, options.reader ?? readerFor(card, context));
  await checkWritable(out);
  const line = progressLine(context.stderr, () => performance.now());
  const size = card.trained.width;
  const onProgress = (done: number) => line.show(`${done} drawings made`);
  const drawings = await openAvatarEvaluation({ size, trained, cache, onProgress });
  const pipeline = createDiffusionPipeline({ engine, model: await readModel(folder) });
  const began = performance.now();
  const result = await evaluateModel({
    ...drawings,
    card,
    reader,
    samples,
    heldOutSamples,
    made: { ...card.sampling, engine: `${engine.name} ${engine.provider}`, dtype: 'float32' },
    render: (conditions, seeds) =>
      pipeline.draw(
        conditions.map((ids, i) => ({ words: ids.map((id) => ({ id })), seed: seeds[i]! })),
        { signal: context.signal },
      ),
    signal: context.signal,
    onProgress: ({ stage, done, of }) => line.show(`${stage}: ${done} of ${of}`),
  });
  line.end();
  await pipeline.dispose();
  await reader.dispose();
  await writeEvaluation(out, result);
  if (options.record) await recordEvaluation(folder, result.evaluation);
  context.stderr.write(
    `measured in ${duration((performance.now() - began) / 1000)}, files in ${out}\n`,
  );
  context.stdout.write(formatEvaluation(result.evaluation));
  if (barsOf(result.evaluation).some(({ passed }) => !passed)) throw new Exit(1);
}

function checkAvatars({ id, data, trained }: ModelCard): void {
  if (data === 'avatars' && trained.width === trained.height) return;
  throw new RangeError(
    `evaluate: expected a model of square avatars, got '${id}' of '${data}' at ${trained.width}x${trained.height}`,
  );
}

function readerFor({ trained }: ModelCard, context: Context): string {
  const name = `reader-avatars-${trained.width}`;
  const folders = modelFolders(context).map((folder) => join(folder, name));
  const found = folders.find((folder) => existsSync(join(folder, 'reader.json')));
  if (found !== undefined) return found;
  throw new Error(
    `evaluate: expected a reader in ${folders.join(' or ')}, got none; train one with \`ropewalk evaluate reader\` or name it with --reader`,
  );
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
