/** Runs jobs of every kind in this process. */
import { join } from 'node:path';
import type { Job, RenderResult } from '../jobs/job.ts';
import { type JobTask, Unrecoverable } from '../jobs/jobs.ts';
import { watchModels } from '../pipelines/models.ts';
import type { ModelWatch } from '../pipelines/render.ts';
import type { ConditionWord, ImageRequest } from '../request.ts';
import type { Engine } from '../tensor/program.ts';
import { evaluateJob } from './evaluate.ts';
import { createProcessor } from './processor.ts';
import { trainJob } from './train.ts';

export type RunnerOptions = {
  readonly engine: Engine;
  /** Where models are looked for, besides those that were trained here. */
  readonly models: readonly string[];
  readonly data: string;
  readonly memory?: number;
  /** Milliseconds. */
  readonly now: () => number;
  /** Told of models that are read, and of all that are kept. */
  readonly watch?: Omit<ModelWatch, 'now'>;
};

export function createRunner({ engine, models, data, memory, now, watch }: RunnerOptions) {
  const folders = [...models, join(data, 'models')];
  const places = { engine, now, folders, data };
  const processor = createProcessor({
    ...{ engine, now, models: watchModels(folders) },
    ...(memory === undefined ? {} : { memory }),
    ...(watch === undefined ? {} : { watch: { now, ...watch } }),
  });

  async function render(request: ImageRequest, task: JobTask): Promise<RenderResult | undefined> {
    let problem: unknown;
    try {
      const seconds = await processor.render(request, {
        ...{ existing: task.existing, priority: task.job.priority, signal: task.signal },
        onStep: (progress) => task.progress(progress),
        onPreview: (index, png) => task.preview(index, png),
        onPicture: ({ index, png, recipe }) =>
          task.picture(index, png, aboutOf(recipe.request, recipe)).catch((error) => {
            problem = error;
            throw error;
          }),
      });
      return seconds === undefined ? undefined : { seconds };
    } catch (error) {
      if (error === problem || task.signal.aborted) throw error;
      throw new Unrecoverable((error as Error).message); // the same request fails the same way
    }
  }

  return {
    async run(task: JobTask): Promise<unknown> {
      const { input }: Pick<Job, 'input'> = task.job;
      if (input.kind === 'render') return render(input.request, task);
      if (input.kind === 'train') return trainJob(input, task, places);
      if (input.kind === 'evaluate') return evaluateJob(input, task, places);
      throw new Unrecoverable('worker: expected a job to run, got a batch, which is its requests');
    },
    dispose: () => processor.dispose(),
  };
}

/** What the gallery knows of a picture. */
const aboutOf = ({ model, condition, seed, size }: ImageRequest, recipe: unknown) => ({
  ...{ model, seed, width: size.width, height: size.height, recipe },
  prompt: condition.map(textOf).join(', '),
});

const textOf = (word: ConditionWord): string =>
  typeof word === 'string' ? word : `(${word.word}:${word.weight})`;
