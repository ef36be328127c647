/** Runs `ropewalk train` on a configuration of packed pictures. */
import { join } from 'node:path';
import { createRng } from '../tensor/rng.ts';
import { openData, openSides } from '../training/data/open.ts';
import { readPackedTraining } from '../training/packed-config.ts';
import { createPackedNetwork, packedViews } from '../training/packed-network.ts';
import { trainPacked } from '../training/packed-run.ts';
import { sidesOf } from '../training/views.ts';
import { type Context, Exit } from './context.ts';
import { openDevice } from './device.ts';
import { checkWritable } from './pictures.ts';
import { progressLine } from './progress.ts';
import type { TrainCommandOptions } from './train.ts';
import { checkSameRun, watchSteps, writeCurve } from './train-run.ts';

export async function trainPackedRun(
  path: string,
  options: TrainCommandOptions,
  context: Context,
): Promise<void> {
  if (options.init !== undefined)
    throw new RangeError(
      `--init: expected none for packed pictures, whose network starts from new weights, got '${options.init}'; leave it out`,
    );
  const config = await readPackedTraining(path);
  packedViews(config, createPackedNetwork(config, 1, createRng(0)).config); // before pictures are drawn
  const folder = join(options.runs, config.name);
  await checkWritable(options.runs);
  const resumed = await checkSameRun(folder, config, readPackedTraining);
  const line = progressLine(context.stderr, () => performance.now());
  const drawing = {
    cache: options.cache,
    onProgress: (done: number) => line.show(`${done} pictures drawn`),
  };
  const { data, heldOut } = await openData(config.data, drawing);
  const otherSides = await openSides(config.data, sidesOf(config), drawing);
  line.end();
  if (resumed) context.stderr.write(`going on with ${folder} after ${resumed}\n`);
  const engine = await openDevice(options, context);
  const watch = watchSteps(config, line);
  const { update, finished } = await trainPacked(config, {
    ...{ engine, data, otherSides, heldOut, folder },
    ...{ signal: context.signal, onStep: watch.onStep },
  });
  watch.end();
  await update.dispose();
  await writeCurve(folder, join(folder, 'curve.svg'));
  if (!finished) throw new Exit(130, `stopped; the same command goes on with ${folder}`);
  context.stdout.write(`${folder}\n`);
}
