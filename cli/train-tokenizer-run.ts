/** Runs `ropewalk train` on a tokenizer's configuration. */
import { join } from 'node:path';
import { openData } from '../training/data/open.ts';
import { readTokenizerTraining } from '../training/tokenizer-config.ts';
import { exportTokenizer } from '../training/tokenizer-export.ts';
import { trainTokenizer } from '../training/tokenizer-run.ts';
import { type Context, Exit } from './context.ts';
import { openDevice } from './device.ts';
import { writeTokenizerPage } from './export-run.ts';
import { checkWritable } from './pictures.ts';
import { progressLine } from './progress.ts';
import type { TrainCommandOptions } from './train.ts';
import { checkSameRun, watchSteps, writeCurve } from './train-run.ts';

export async function trainTokenizerRun(
  path: string,
  options: TrainCommandOptions,
  context: Context,
): Promise<void> {
  if (options.init !== undefined)
    throw new RangeError(
      `--init: expected none for a tokenizer, which starts from new weights, got '${options.init}'; leave it out`,
    );
  const config = await readTokenizerTraining(path);
  const folder = join(options.runs, config.name);
  await checkWritable(options.runs);
  const resumed = await checkSameRun(folder, config, readTokenizerTraining);
  const line = progressLine(context.stderr, () => performance.now());
  const { data, heldOut } = await openData(config.data, {
    cache: options.cache,
    onProgress: (done) => line.show(`${done} pictures drawn`),
  });
  line.end();
  if (resumed) context.stderr.write(`going on with ${folder} after ${resumed}\n`);
  const engine = await openDevice(options, context);
  const watch = watchSteps(
    config,
    progressLine(context.stderr, () => performance.now()),
  );
  const { update, finished } = await trainTokenizer(config, {
    engine,
    data,
    heldOut,
    folder,
    signal: context.signal,
    onStep: watch.onStep,
  });
  watch.end();
  await update.dispose();
  await writeCurve(folder, join(folder, 'curve.svg'));
  if (!finished) throw new Exit(130, `stopped; the same command goes on with ${folder}`);
  const to = join(folder, 'tokenizer');
  await writeTokenizerPage(to, await exportTokenizer(folder, to));
  context.stdout.write(`${to}\n`);
}
