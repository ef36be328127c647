/** Binds the comparison over sizes to this process: models, drawings, judges, progress and the report's files. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { FeatureNetwork } from '../encoders/features/contract.ts';
import { createInception } from '../encoders/features/inception.ts';
import { openOnnxFeatures } from '../encoders/features/onnx-file.ts';
import { loadReader, type Reader } from '../evaluation/reader-files.ts';
import type { Drawing } from '../evaluation/resolution/cell-files.ts';
import { type ExtendMethod, planCells, sizeName } from '../evaluation/resolution/plan.ts';
import { openAvatarDrawings } from '../evaluation/resolution/reference.ts';
import { formatReport, reportOf } from '../evaluation/resolution/report.ts';
import { writeReport } from '../evaluation/resolution/report-files.ts';
import { measureResolution, type RenderCell } from '../evaluation/resolution/run.ts';
import { type Model, type ModelCard, readModel } from '../generators/model.ts';
import { createDiffusionPipeline, type DrawProgress } from '../pipelines/diffusion.ts';
import type { ModelEntry } from '../pipelines/models.ts';
import type { Engine } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { checkOfAvatars } from './avatars.ts';
import { type Context, modelFolders } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluateResolutionCommand } from './evaluate.ts';
import { readExtensions } from './extension.ts';
import { chooseModel } from './files.ts';
import { checkWritable } from './pictures.ts';
import { duration, progressLine } from './progress.ts';

export async function measureSizes(
  options: EvaluateResolutionCommand,
  context: Context,
): Promise<void> {
  const { cache, out, sizes, samples, seeds } = options;
  const entries: ModelEntry[] = [];
  for (const name of options.models) entries.push(await chooseModel(name, context));
  const models = entries.map(({ card }) => card);
  const extend = await Promise.all(options.extend.map(readMethod));
  const plan = { models, sizes, extend, samples, seeds };
  planCells(plan);
  await checkOfAvatars(models);
  const engine = await openDevice(options, context);
  const network = await openFeatures(options, engine);
  const readers = await openReaders(engine, context);
  await checkWritable(out);

  const line = progressLine(context.stderr, () => performance.now());
  const count = samples + (options.reference ?? Math.max(samples, 512));
  const onProgress = ({ side, done }: { side: number; done: number }) =>
    line.show(`${done} of ${count} drawings of ${side} px made`);
  const drawings = await openAvatarDrawings({ sizes, count, cache, onProgress });
  const painter = createPainter(engine, entries, context.signal);
  const drawing = (card: ModelCard) => drawingOf(card, options, engine);
  const resolution = await measureResolution({
    ...{ ...plan, out, drawings, network, readers, drawing, signal: context.signal },
    render: (asked) => painter.render(asked, drawing(asked.cell.model)),
    now: () => performance.now(),
    onEstimate: ({ missing, pictures, seconds }) =>
      context.stderr.write(
        `${missing} of ${pictures} pictures to draw and measure, about ${duration(seconds)}\n`,
      ),
    onProgress: ({ stage, cell, done, of, secondsLeft }) => {
      const { model, size, extend: method } = cell;
      const left = secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`;
      const what = stage === 'draw' ? 'pictures drawn' : 'cells measured';
      line.show(`${done} of ${of} ${what}${left} (${model.id}, ${sizeName(size)}, ${method})`);
    },
  });
  line.end();
  await painter.dispose();
  await network.dispose();
  for (const reader of readers) await reader.dispose();
  const report = reportOf(
    resolution,
    { network, reference: drawings.name },
    createRng(0).stream('report'),
  );
  await writeReport(out, resolution, report);
  context.stdout.write(formatReport(report));
  context.stdout.write(`${join(out, 'report.html')}\n`);
}

/** 'none', 'own', or extensions as `generate` has them, several at once with + between. */
async function readMethod(name: string): Promise<ExtendMethod> {
  if (name === 'none' || name === 'own') return { name };
  return { name, choice: await readExtensions(name.split('+')) };
}

function openFeatures(
  { features, threads }: Pick<EvaluateResolutionCommand, 'features' | 'threads'>,
  engine: Engine,
): Promise<FeatureNetwork> {
  if (features === undefined) return createInception(engine);
  const name = basename(features, '.onnx');
  return openOnnxFeatures(features, { name, ...(threads === undefined ? {} : { threads }) });
}

/** Every reader of avatars beside the models, the first of each name. */
async function openReaders(engine: Engine, context: Context): Promise<Reader[]> {
  const found = new Map<string, string>();
  for (const parent of modelFolders(context))
    for (const name of await readdir(parent).catch(() => [])) {
      const folder = join(parent, name);
      const isReader =
        name.startsWith('reader-avatars-') && existsSync(join(folder, 'reader.json'));
      if (isReader && !found.has(name)) found.set(name, folder);
    }
  if (found.size === 0)
    throw new Error(
      `evaluate: expected a reader in ${modelFolders(context).join(' or ')}, got none; train one with \`ropewalk evaluate reader\``,
    );
  const readers: Reader[] = [];
  for (const folder of found.values()) readers.push(await loadReader(engine, folder));
  return readers;
}

function drawingOf(
  { sampling }: ModelCard,
  { steps = sampling.steps, guidance = sampling.guidance }: EvaluateResolutionCommand,
  { name, provider }: Engine,
): Drawing {
  const { solver, shift } = sampling;
  return { solver, steps, guidance, shift, engine: `${name} ${provider}`, dtype: 'float32' };
}

/** Keeps the programs of one model with one method at a time. */
function createPainter(engine: Engine, entries: readonly ModelEntry[], signal: AbortSignal) {
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
    async render(
      { cell, conditions, seeds, steps }: Parameters<RenderCell>[0],
      drawing: Drawing,
    ): ReturnType<RenderCell> {
      const pipeline = await pipelineFor(cell);
      const taken = stopwatch(steps ?? drawing.steps);
      const asked = conditions.map((ids, i) => ({
        words: ids.map((id) => ({ id })),
        seed: seeds[i]!,
      }));
      const pictures = await pipeline.draw(asked, {
        size: cell.size,
        steps: steps ?? drawing.steps,
        guidance: drawing.guidance,
        signal,
        onStep: taken.onStep,
      });
      return { pictures, seconds: taken.seconds(pictures.length) };
    },
    dispose: async () => open?.pipeline.dispose(),
  };
}

/** Seconds of a picture from the times between steps: the first of a batch, which may compile, has no part. */
function stopwatch(steps: number) {
  const start = performance.now();
  let last: { at: number; first: number } | undefined;
  let [sum, gaps] = [0, 0];
  const batches = new Set<number>();
  return {
    onStep({ first }: DrawProgress): void {
      const now = performance.now();
      if (last?.first === first) {
        sum += now - last.at;
        gaps++;
      }
      batches.add(first);
      last = { at: now, first };
    },
    seconds(pictures: number): number {
      const all = gaps > 0 ? (sum / gaps) * steps * batches.size : performance.now() - start;
      return all / 1000 / pictures;
    },
  };
}
