/** Measurements as jobs: of a model, over sizes, of decoders, and the trace of one decoding. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { writeEvaluation } from '../evaluation/evaluation-files.ts';
import { checkAvatars, measureModel, readerFor } from '../evaluation/model-session.ts';
import { barsOf } from '../evaluation/report.ts';
import type { EvaluateInput } from '../jobs/job.ts';
import type { JobTask } from '../jobs/jobs.ts';
import { findModel, listModels } from '../pipelines/models.ts';
import { parseRequest } from '../request.ts';
import { checkSchema } from '../schema.ts';
import { checkDecoding, decodingJob } from './evaluate-decoding.ts';
import { checkResolution, resolutionJob } from './evaluate-resolution.ts';
import { resolveTrace, traceRequest } from './trace.ts';
import type { Places, TrainOptions } from './train.ts';

export type EvaluateOptions = TrainOptions;

const ModelConfig = Type.Object(
  {
    model: Type.String({ maxLength: 64 }),
    samples: Type.Integer({ minimum: 2, maximum: 6000, default: 500 }),
    heldOut: Type.Integer({ minimum: 2, maximum: 2000, default: 100 }),
    /** Drawings that it was trained on. */
    trained: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 60_000 }),
  },
  { additionalProperties: false },
);

/** Throws one sentence where a measurement cannot be made as it is asked for. */
export async function checkEvaluation(
  { what, config }: Pick<EvaluateInput, 'what' | 'config'>,
  places: Places,
): Promise<void> {
  if (what === 'model') await resolveModel(config, places);
  if (what === 'resolution') await checkResolution(config, places);
  if (what === 'decoding') await checkDecoding(config, places);
  if (what === 'trace') await findTrace(config, places);
}

/** The report as JSON; those with files are in `reports/<job>` too. */
export async function evaluateJob(
  { what, config }: EvaluateInput,
  task: JobTask,
  options: EvaluateOptions,
): Promise<unknown> {
  if (what === 'resolution') return resolutionJob(config, task, options);
  if (what === 'decoding') return decodingJob(config, task, options);
  if (what === 'model') return modelJob(config, task, options);
  const { request, entry } = await findTrace(config, options);
  return traceRequest(request, entry, {
    ...{ engine: options.engine, now: options.now, signal: task.signal },
    onProgress: (step, steps) => task.progress({ step, steps, done: 0 }),
  });
}

async function findTrace({ request }: EvaluateInput['config'], { folders }: Places) {
  const parsed = parseRequest(request, 'trace');
  const entry = findModel(parsed.model, await listModels(folders));
  resolveTrace(parsed, entry);
  return { request: parsed, entry };
}

async function resolveModel(given: unknown, { folders }: Places) {
  const config: Static<typeof ModelConfig> = checkSchema(ModelConfig, given, 'evaluate');
  const { folder, card } = findModel(config.model, await listModels(folders));
  checkAvatars(card);
  return { config, folder, card, reader: readerFor(card, folders) };
}

async function modelJob(given: unknown, task: JobTask, options: EvaluateOptions): Promise<unknown> {
  const { engine, data } = options;
  const { config, folder, card, reader } = await resolveModel(given, options);
  const result = await measureModel({
    ...{ engine, folder, card, reader, cache: join(data, 'cache'), signal: task.signal },
    ...{ samples: config.samples, heldOutSamples: config.heldOut, trained: config.trained },
    onProgress: ({ done, of }) => task.progress({ step: done, steps: of, done: 0 }),
  });
  await writeEvaluation(await reportFolder(task, options, 'model', card.title), result);
  return { ...result.evaluation, bars: barsOf(result.evaluation) };
}

/** Where a job's report goes, with what lists say of it. */
export async function reportFolder(
  { job }: Pick<JobTask, 'job'>,
  { data }: Pick<Places, 'data'>,
  kind: EvaluateInput['what'],
  title: string,
): Promise<string> {
  const folder = join(data, 'reports', job.id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'about.json'), `${JSON.stringify({ kind, title })}\n`);
  return folder;
}
