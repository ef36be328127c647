/** Binds the comparison over sizes to this process: models, drawings, judges, progress and the report's files. */
import { basename, join } from 'node:path';
import type { FeatureNetwork } from '../encoders/features/contract.ts';
import { createInception } from '../encoders/features/inception.ts';
import { openOnnxFeatures } from '../encoders/features/onnx-file.ts';
import { checkOfAvatars } from '../evaluation/check-avatars.ts';
import { openComparedAvatars } from '../evaluation/resolution/avatars.ts';
import { readMethod } from '../evaluation/resolution/methods-text.ts';
import { findTrained } from '../evaluation/resolution/models-text.ts';
import {
  checkTold,
  createPainter,
  drawingOf,
  type Painter,
} from '../evaluation/resolution/painter.ts';
import { planCells, sizeName } from '../evaluation/resolution/plan.ts';
import { openReaders } from '../evaluation/resolution/readers.ts';
import { formatReport, reportOf } from '../evaluation/resolution/report.ts';
import { writeReport } from '../evaluation/resolution/report-files.ts';
import { measureResolution } from '../evaluation/resolution/run.ts';
import type { ModelCard } from '../generators/model.ts';
import type { Engine } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { type Context, modelFolders } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluateResolutionCommand } from './evaluate-resolution.ts';
import { readExtensions } from './extension.ts';
import { chooseModel } from './files.ts';
import { checkQueue, openQueuePainter } from './open-queue.ts';
import { checkWritable } from './pictures.ts';
import { duration, progressLine } from './progress.ts';

export async function measureSizes(
  options: EvaluateResolutionCommand,
  context: Context,
): Promise<void> {
  const { out } = options;
  const queue = options.queue ? checkQueue(options, context) : undefined;
  const { models, entries } = await findTrained(options.models, (name) =>
    chooseModel(name, context),
  );
  const plan = {
    ...options,
    models,
    extend: await Promise.all(options.extend.map((name) => readMethod(name, readExtensions))),
  };
  planCells(plan); // refuses what cannot be drawn before anything is opened
  const cards = entries.map(({ card }) => card);
  checkTold(cards, options);
  await checkOfAvatars(cards);
  const engine = await openDevice(options, context);
  const network = await openFeatures(options, engine);
  const readers = await openReaders(engine, modelFolders(context));
  await checkWritable(out);

  const line = progressLine(context.stderr, () => performance.now());
  const avatars = await openComparedAvatars({
    ...plan,
    onProgress: ({ side, done, of }) => line.show(`${done} of ${of} drawings of ${side} px made`),
  });
  const painter: Painter = queue
    ? await openQueuePainter(queue, {
        signal: context.signal,
        onIdle: (reason) => line.show(`waits: ${reason}`),
      })
    : createPainter(engine, entries, context.signal);
  const drawing = (card: ModelCard) => drawingOf(card, engine, options);
  const resolution = await measureResolution({
    ...{ ...plan, ...avatars, network, readers, drawing, signal: context.signal },
    workers: painter.workers,
    render: (asked) => painter.render(asked, drawing(asked.cell.model)),
    now: () => performance.now(),
    onEstimate: ({ missing, pictures, cells, seconds }) => {
      const what =
        missing > 0
          ? `${missing} of ${pictures} pictures to draw and measure`
          : `${cells} cells to measure`;
      context.stderr.write(`${what}, about ${duration(seconds)}\n`);
    },
    onProgress: ({ stage, cell, done, of, secondsLeft }) => {
      const { model, size, extend: method } = cell;
      const left = secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`;
      const what = stage === 'draw' ? 'pictures drawn' : 'cells measured';
      line.show(`${done} of ${of} ${what}${left} (${model.id}, ${sizeName(size)}, ${method})`);
    },
  }).finally(painter.dispose);
  line.end();
  await network.dispose();
  for (const reader of readers) await reader.dispose();
  const report = reportOf(
    resolution,
    { network, reference: avatars.drawings.name },
    createRng(0).stream('report'),
  );
  await writeReport(out, resolution, report);
  context.stdout.write(formatReport(report));
  context.stdout.write(`${join(out, 'report.html')}\n`);
}

function openFeatures(
  { features, threads }: Pick<EvaluateResolutionCommand, 'features' | 'threads'>,
  engine: Engine,
): Promise<FeatureNetwork> {
  if (features === undefined) return createInception(engine);
  const name = basename(features, '.onnx');
  return openOnnxFeatures(features, { name, ...(threads === undefined ? {} : { threads }) });
}
