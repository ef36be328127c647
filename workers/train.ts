/**
 * A training as a job. Names in its configuration are those of data sets and models that are here, never paths: it
 * comes from whoever may ask the server.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diffusionCard } from '../generators/token-model.ts';
import type { TrainInput } from '../jobs/job.ts';
import { Conflict, type JobTask } from '../jobs/jobs.ts';
import { findModel, listModels } from '../pipelines/models.ts';
import { decodePicture } from '../png.ts';
import type { Engine } from '../tensor/program.ts';
import type { StepProgress } from '../training/loop.ts';
import { isDiffusion, parseTraining, runTraining, type Training } from './training.ts';

export type Places = {
  /** Folders of models. */
  readonly folders: readonly string[];
  /** `datasets/` of pictures, and what jobs write: `runs/`, `models/`, `reports/`, `cache/`. */
  readonly data: string;
};

/** The training with its names resolved, or a sentence why it cannot be. */
export async function resolveTraining(
  { config, init }: Pick<TrainInput, 'config' | 'init'>,
  places: Places,
): Promise<{ training: Training; init?: string }> {
  const training = withPlaces(parseTraining(config, 'train'), places);
  if (init === undefined) return { training };
  if (!isDiffusion(training))
    throw new RangeError(`init: expected none for ${training.kind}, got '${init}'; leave it out`);
  const { folder, card } = findModel(init, await listModels(places.folders));
  diffusionCard(card);
  return { training, init: folder };
}

/** Throws where a model, or a tokenizer, of the training's name is here already: it would be hidden or lost. */
export function checkNewName({ config: { name } }: Training, { folders }: Places): void {
  const taken = folders.some((folder) => existsSync(join(folder, name)));
  if (taken)
    throw new Conflict(
      `train: 'name': expected a new name, got '${name}', which a model has; take another`,
    );
}

function withPlaces(training: Training, { folders, data }: Places): Training {
  const set = training.config.data;
  const named = { ...training.config, data: { ...set } };
  if (set.path !== undefined) named.data.path = dataSet(set.path, data);
  if (training.kind !== 'tokens') return { ...training, config: named } as Training;
  const { tokenizer } = training.config.tokens;
  const config = { ...named, tokens: { tokenizer: tokenizerFolder(tokenizer, folders) } };
  return { ...training, config } as Training;
}

const NAME = /^\w[\w.-]{0,63}$/;

function dataSet(name: string, data: string): string {
  const folder = join(data, 'datasets', name);
  if (NAME.test(name) && existsSync(folder)) return folder;
  throw new RangeError(
    `train: 'data.path': expected the name of a folder of pictures in ${join(data, 'datasets')}, got '${name}'; put one there`,
  );
}

function tokenizerFolder(name: string, folders: readonly string[]): string {
  const found = folders
    .map((folder) => join(folder, name))
    .find((folder) => existsSync(join(folder, 'tokenizer.json')));
  if (NAME.test(name) && found !== undefined) return found;
  throw new RangeError(
    `train: 'tokens.tokenizer': expected the name of a tokenizer beside the models, got '${name}'; train one first`,
  );
}

export type TrainOptions = Places & {
  readonly engine: Engine;
  /** Milliseconds. */
  readonly now: () => number;
};

/** The run's folder is the job's, so a job that is taken up again goes on from its newest checkpoint. */
export async function trainJob(
  input: TrainInput,
  task: JobTask,
  { engine, now, ...places }: TrainOptions,
): Promise<{ readonly model: string }> {
  const { training, init } = await resolveTraining(input, places);
  const { name } = training.config;
  const folder = join(places.data, 'runs', task.job.id);
  const isNew = !existsSync(join(folder, 'latest'));
  if (isNew) checkNewName(training, places);
  const watch = watchTraining(training, folder, task, now);
  const finished = await runTraining(training, {
    ...{ engine, folder, to: join(folder, 'model') },
    cache: join(places.data, 'cache'),
    ...(init !== undefined && isNew ? { init } : {}),
    signal: task.signal,
    onStep: watch.onStep,
    onPrepare: () => task.progress({ step: 0, steps: training.config.steps, done: 0 }),
    say: () => {}, // a command's remarks
  });
  await watch.kept();
  if (!finished) throw task.signal.reason;
  await publish(training, join(folder, 'model'), join(places.data, 'models', name));
  return { model: name };
}

/**
 * Moves a model to where all find it: whole, in one step, never over another one. A job that was taken up again after
 * that step finds its own there.
 */
async function publish({ kind, config: { name } }: Training, made: string, to: string) {
  const card = kind === 'tokenizer' ? 'tokenizer.json' : 'model.json';
  const cardIn = (folder: string) => readFile(join(folder, card), 'utf8');
  await mkdir(dirname(to), { recursive: true });
  try {
    await rename(made, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    const there = await cardIn(to).catch(() => undefined);
    if (there !== (await cardIn(made)))
      throw new Conflict(
        `train: 'name': expected a new name, got '${name}', which another model has by now; this one stays in the folder of its run`,
      );
    await rm(made, { recursive: true });
  }
}

/** Progress and points of each step; sheets become pictures of the job, numbered by their steps. */
function watchTraining({ config }: Training, folder: string, task: JobTask, now: () => number) {
  const { steps, every } = config;
  let first: { readonly step: number; readonly at: number } | undefined;
  let keeping: Promise<void> = Promise.resolve();
  const keepSheet = async (step: number): Promise<void> => {
    if (task.existing.has(step)) return;
    const png = await readFile(join(folder, 'sheets', `step-${step}.png`)).catch(() => undefined);
    if (!png) return; // a tokenizer's run has none
    task.preview(step, png);
    const { width, height } = await decodePicture(png);
    const about = { model: config.name, seed: config.seed, width, height };
    const recipe = { sheet: config.name, step };
    await task.picture(step, png, { ...about, prompt: `sheet at step ${step}`, recipe });
  };
  return {
    onStep({ step, loss, heldOutLoss, picturesPerSecond }: StepProgress): void {
      const values = {
        ...{ loss, picturesPerSecond },
        ...(heldOutLoss === undefined ? {} : { heldOutLoss }),
      };
      first ??= { step: step - 1, at: now() };
      const seconds = (now() - first.at) / 1000;
      const eta = (seconds / (step - first.step)) * (steps - step);
      task.progress({ step, steps, ...(seconds > 0 ? { eta } : {}), done: step, values });
      task.point({ step, values });
      if (step === steps || step % every.sheet === 0) {
        keeping = keeping.then(() => keepSheet(step));
        keeping.catch(() => {}); // thrown by `kept`
      }
    },
    kept: () => keeping,
  };
}
