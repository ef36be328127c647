/** Runs `ropewalk train`: a run that is new or goes on, its progress, and the model at the end. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfigFile } from '../training/config.ts';
import type { StepProgress } from '../training/loop.ts';
import { isDiffusion, parseTraining, runTraining, type Training } from '../workers/training.ts';
import { type Context, Exit } from './context.ts';
import { openDevice } from './device.ts';
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
  const training = withShippedTokenizer(parseTraining(await readConfigFile(file), file));
  const { kind, config } = training;
  checkInit(options.init, training);
  const folder = join(options.runs, config.name);
  await checkWritable(options.runs);
  const resumed = await checkSameRun(folder, config);
  const say = (line: string) => context.stderr.write(`${line}\n`);
  if (resumed) say(`going on with ${folder} after ${resumed}`);
  const init =
    options.init === undefined || resumed
      ? {}
      : { init: (await chooseModel(options.init, context)).folder };
  const engine = await openDevice(options, context);
  const progress = () => progressLine(context.stderr, () => performance.now());
  const [drawing, steps] = [progress(), progress()];
  const to = join(folder, kind === 'tokenizer' ? 'tokenizer' : 'model');
  const finished = await runTraining(training, {
    ...{ engine, folder, to, cache: options.cache, ...init, signal: context.signal },
    onStep: watchSteps(steps),
    onPrepare: (text) => drawing.show(text),
    say(text) {
      drawing.end();
      say(text);
    },
  }).finally(() => steps.end());
  if (!finished) throw new Exit(130, `stopped; the same command goes on with ${folder}`);
  context.stdout.write(`${to}\n`);
}

function withShippedTokenizer(training: Training): Training {
  if (training.kind !== 'tokens') return training;
  const { config } = training;
  const tokenizer = shippedFile(config.tokens.tokenizer);
  return { ...training, config: { ...config, tokens: { tokenizer } } };
}

function checkInit(init: string | undefined, training: Training): void {
  if (init === undefined || isDiffusion(training)) return;
  const what = { tokens: 'a token model', tokenizer: 'a tokenizer' };
  throw new RangeError(
    `--init: expected none for ${what[training.kind]}, which starts from new weights, got '${init}'; leave it out`,
  );
}

/** What may change between stops; all else would make another run under the same name. */
const CHANGEABLE = new Set(['title', 'licence', 'steps', 'sampling', 'every']);

/** The checkpoint that the run goes on from, if it is not new. */
async function checkSameRun(folder: string, config: object): Promise<string | undefined> {
  const latest = await readFile(join(folder, 'latest'), 'utf8').catch(() => undefined);
  if (latest === undefined) return undefined;
  const path = join(folder, 'config.json');
  const before = parseTraining(await readConfigFile(path), path).config as object;
  const different = [...new Set([...Object.keys(before), ...Object.keys(config)])].filter((key) => {
    const value = (of: object) => JSON.stringify(of[key as keyof object]);
    return !CHANGEABLE.has(key) && value(before) !== value(config);
  });
  if (different.length === 0) return latest;
  throw new Error(
    `train: expected the configuration that ${folder} was begun with, got another '${different.join("', '")}'; give the run another name, or remove the folder`,
  );
}

/** Says how it goes, from the latest steps. */
function watchSteps(line: ProgressLine) {
  const recent: StepProgress[] = [];
  let heldOut: number | undefined;
  return (progress: StepProgress): void => {
    recent.push(progress);
    if (recent.length > 50) recent.shift();
    heldOut = progress.heldOutLoss ?? heldOut;
    line.show(sayProgress(recent, heldOut));
  };
}

/** Loss, speed and the time that is left after these steps: steps of some views have fewer pictures than others. */
export function sayProgress(recent: readonly StepProgress[], heldOut?: number): string {
  const sum = (value: (one: StepProgress) => number) =>
    recent.reduce((total, one) => total + value(one), 0);
  const { step, steps } = recent.at(-1)!;
  const seconds = sum((one) => one.pictures / one.picturesPerSecond);
  const loss = (sum((one) => one.loss) / recent.length).toFixed(4);
  const unseen = heldOut === undefined ? '' : `, held-out ${heldOut.toFixed(4)}`;
  const speed = (sum((one) => one.pictures) / seconds).toFixed(1);
  const left = duration(((steps - step) * seconds) / recent.length);
  return `step ${step} of ${steps}: loss ${loss}${unseen}, ${speed} pictures/s, ${left} left`;
}
