/** Draws cells in this process: the models' own pipelines, one at a time, and what a picture takes. */
import { type Model, type ModelCard, readModel } from '../../generators/model.ts';
import { createDiffusionPipeline } from '../../pipelines/diffusion.ts';
import type { ModelEntry } from '../../pipelines/models.ts';
import { stopwatch } from '../../pipelines/stopwatch.ts';
import type { Engine } from '../../tensor/program.ts';
import type { Drawing } from './cell-files.ts';
import type { RenderCell } from './run.ts';

/** What a comparison may say of all its drawings in place of the models' cards. */
export type DrawnWith = Partial<Pick<Drawing, 'steps' | 'guidance' | 'micro'>>;

/** Throws where something is to be said of sizes to a model that is told none. */
export function checkTold(models: readonly ModelCard[], { micro }: DrawnWith): void {
  const deaf = models.find(({ config }) => !('micro' in config && config.micro));
  if (micro === undefined || deaf === undefined) return;
  throw new RangeError(
    `micro: expected models that are told sizes, got '${deaf.id}', which is not, and '${micro}'; leave one out`,
  );
}

/** How a model draws unless it is said otherwise. */
export function drawingOf(
  { sampling }: ModelCard,
  { name, provider }: Engine,
  { steps = sampling.steps, guidance = sampling.guidance, micro = sampling.micro }: DrawnWith,
): Drawing {
  const { solver, shift } = sampling;
  return {
    ...{ solver, steps, guidance, shift, ...(micro === undefined ? {} : { micro }) },
    ...{ engine: `${name} ${provider}`, dtype: 'float32' },
  };
}

/** What draws cells, here or elsewhere. */
export type Painter = {
  render(asked: Parameters<RenderCell>[0], drawing: Drawing): ReturnType<RenderCell>;
  /** Processes that draw at the same time; absent of this one. */
  readonly workers?: number;
  dispose(): Promise<void>;
};

/** Keeps the programs of one model with one method at a time. */
export function createPainter(
  engine: Engine,
  entries: readonly ModelEntry[],
  signal: AbortSignal,
): Painter {
  const models = new Map<string, Model>();
  let open: { key: string; pipeline: ReturnType<typeof createDiffusionPipeline> } | undefined;
  const pipelineFor = async ({
    model: card,
    positions,
    drawnBy,
  }: Parameters<RenderCell>[0]['cell']) => {
    const key = `${card.id} ${drawnBy}`;
    if (open?.key === key) return open.pipeline;
    await open?.pipeline.dispose();
    const entry = entries.find(({ id }) => id === card.id)!;
    const model = models.get(card.id) ?? (await readModel(entry.folder));
    models.set(card.id, model);
    const pipeline = createDiffusionPipeline({
      engine,
      model: { ...model, card: { ...card, positions } },
    });
    open = { key, pipeline };
    return pipeline;
  };
  return {
    async render({ cell, conditions, seeds, steps }, drawing) {
      const pipeline = await pipelineFor(cell);
      const taken = stopwatch(() => performance.now());
      const asked = conditions.map((ids, i) => ({
        words: ids.map((id) => ({ id })),
        seed: seeds[i]!,
      }));
      const pictures = await pipeline.draw(asked, {
        size: cell.size,
        steps: steps ?? drawing.steps,
        guidance: drawing.guidance,
        ...(drawing.micro === undefined ? {} : { micro: drawing.micro }),
        signal,
        onStep: taken.onStep,
      });
      return { pictures, seconds: taken.seconds(pictures.length) };
    },
    dispose: async () => open?.pipeline.dispose(),
  };
}
