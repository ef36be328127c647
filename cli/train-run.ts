/** Runs `ropewalk train`: data, a run that is new or goes on, its progress, and the model at the end. */
import { mkdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { readModel } from '../generators/model.ts';
import { svgToPng } from '../png.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import type { HostTensors } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import {
  parseTrainingConfig,
  readConfigFile,
  readTrainingConfig,
  type TrainingConfig,
} from '../training/config.ts';
import { curveSvg, readMetrics } from '../training/curve.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { openData, openSides } from '../training/data/open.ts';
import { exportRun } from '../training/export.ts';
import { reuseWeights } from '../training/init.ts';
import type { StepProgress } from '../training/loop.ts';
import { checkSides, createNetwork } from '../training/network.ts';
import { isPackedTraining } from '../training/packed-config.ts';
import { train } from '../training/run.ts';
import { isTokenTraining } from '../training/token-config.ts';
import { isTokenizerTraining } from '../training/tokenizer-config.ts';
import { sidesOf } from '../training/views.ts';
import { type Context, Exit } from './context.ts';
import { openDevice } from './device.ts';
import { writeModelPage } from './export-run.ts';
import { chooseModel, shippedFile } from './files.ts';
import { checkWritable } from './pictures.ts';
import { duration, type ProgressLine, progressLine } from './progress.ts';
import type { TrainCommandOptions } from './train.ts';

export async function trainRun(
  path: string,
  options: TrainCommandOptions,
  context: Context,
): Promise<void> {
  const file = shippedFile(path);
  const value = await readConfigFile(file);
  if (isTokenizerTraining(value)) {
    const { trainTokenizerRun } = await import('./train-tokenizer-run.ts');
    return trainTokenizerRun(file, options, context);
  }
  if (isTokenTraining(value)) {
    const { trainTokensRun } = await import('./train-tokens-run.ts');
    return trainTokensRun(file, options, context);
  }
  if (isPackedTraining(value)) {
    const { trainPackedRun } = await import('./train-packed-run.ts');
    return trainPackedRun(file, options, context);
  }
  const config = parseTrainingConfig(value, file);
  checkSides(config);
  const folder = join(options.runs, config.name);
  await checkWritable(options.runs);
  const resumed = await checkSameRun(folder, config, readTrainingConfig);
  const say = (line: string) => context.stderr.write(`${line}\n`);
  const line = progressLine(context.stderr, () => performance.now());
  const { data, heldOut, skipped, styles } = await openData(config.data, {
    cache: options.cache,
    onProgress: (done) => line.show(`${done} pictures drawn`),
  });
  const otherSides = await openSides(config.data, sidesOf(config), {
    cache: options.cache,
    onProgress: (done) => line.show(`${done} pictures drawn`),
  });
  line.end();
  if (skipped.length > 0)
    say(`pictures that cannot be read: ${skipped.length} (${skipped.join(', ')})`);
  if (resumed) say(`going on with ${folder} after ${resumed}`);
  const init =
    options.init === undefined || resumed
      ? undefined
      : await initialWeights(options.init, config, data, { context, say });
  const engine = await openDevice(options, context);
  const watch = watchSteps(
    config,
    progressLine(context.stderr, () => performance.now()),
  );
  const trained = await train(config, {
    engine,
    data,
    otherSides,
    heldOut,
    folder,
    signal: context.signal,
    onStep: watch.onStep,
    ...(init ? { init } : {}),
  });
  watch.end();
  await writeCurve(folder, join(folder, 'curve.svg'));
  if (!trained.finished) throw new Exit(130, `stopped; the same command goes on with ${folder}`);
  const to = join(folder, 'model');
  await writeModelPage(to, await exportRun(folder, { to, vocabulary: data.vocabulary, styles }));
  context.stdout.write(`${to}\n`);
}

/** What may change between stops; all else would make another run under the same name. */
const CHANGEABLE = new Set(['title', 'licence', 'steps', 'sampling', 'every']);

/** The checkpoint that the run goes on from, if it is not new. */
export async function checkSameRun<Config extends object>(
  folder: string,
  config: Config,
  read: (path: string) => Promise<Config>,
): Promise<string | undefined> {
  const latest = await readFile(join(folder, 'latest'), 'utf8').catch(() => undefined);
  if (latest === undefined) return undefined;
  const before = await read(join(folder, 'config.json'));
  const different = [...new Set([...Object.keys(before), ...Object.keys(config)])].filter((key) => {
    const value = (of: Config) => JSON.stringify(of[key as keyof Config]);
    return !CHANGEABLE.has(key) && value(before) !== value(config);
  });
  if (different.length === 0) return latest;
  throw new Error(
    `train: expected the configuration that ${folder} was begun with, got another '${different.join("', '")}'; give the run another name, or remove the folder`,
  );
}

async function initialWeights(
  wanted: string,
  config: TrainingConfig,
  data: Dataset,
  { context, say }: { context: Context; say: (line: string) => void },
): Promise<HostTensors> {
  const model = await readModel((await chooseModel(wanted, context)).folder);
  const fresh = createNetwork(config, data, createRng(config.seed)).weights;
  const { weights, reused, words, fresh: anew } = reuseWeights(fresh, model, data.vocabulary);
  say(`from '${model.card.id}': ${reused.length} tensors reused`);
  if (words) say(`  and the embeddings of ${words.reused} of ${words.of} words`);
  if (anew.length > 0) say(`  new: ${anew.join(', ')}`);
  return weights;
}

/** Says loss, speed and the time that is left; losses and speeds are means of the latest steps. */
export function watchSteps(
  { steps, batch, accumulate }: Pick<TrainingConfig, 'steps' | 'batch' | 'accumulate'>,
  line: ProgressLine,
) {
  const recent: StepProgress[] = [];
  let heldOut = '';
  return {
    onStep(progress: StepProgress): void {
      recent.push(progress);
      if (recent.length > 50) recent.shift();
      const mean = (value: (one: StepProgress) => number) =>
        recent.reduce((sum, one) => sum + value(one), 0) / recent.length;
      if (progress.heldOutLoss !== undefined)
        heldOut = `, held-out ${progress.heldOutLoss.toFixed(4)}`;
      const speed = mean((one) => one.picturesPerSecond);
      const seconds = ((steps - progress.step) * batch * accumulate) / speed;
      line.show(
        `step ${progress.step} of ${steps}: loss ${mean((one) => one.loss).toFixed(4)}${heldOut}, ${speed.toFixed(1)} pictures/s, ${duration(seconds)} left`,
      );
    },
    end: () => line.end(),
  };
}

/** Writes the curve as SVG or, by the file's name, PNG. */
export async function writeCurve(run: string, path: string): Promise<void> {
  const kind = extname(path).toLowerCase();
  if (kind !== '.svg' && kind !== '.png')
    throw new RangeError(`curve: expected a file name that ends in .svg or .png, got '${path}'`);
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8').catch(() => {
    throw new Error(`curve: expected a run's folder with metrics.jsonl, got '${run}'`);
  });
  const svg = Buffer.from(curveSvg(readMetrics(text), basename(run)));
  const file = kind === '.svg' ? svg : await svgToPng(svg);
  await mkdir(join(path, '..'), { recursive: true });
  await replaceFile(path, (handle) => writeFully(handle, file));
}
