/** Binds the analyses of positions to this process: methods of the registry, models on drawings, the protocol. */
import { join } from 'node:path';
import { POSITION_METHODS } from '../encoders/positions/registry.ts';
import { checkOfAvatars } from '../evaluation/check-avatars.ts';
import { analyseModel, type ModelPositions } from '../evaluation/positions/analyse-model.ts';
import { tableOfMethods } from '../evaluation/positions/method-table.ts';
import { ARMS, nopeProtocol, TASKS } from '../evaluation/positions/nope-protocol.ts';
import { type PositionsReport, writePositions } from '../evaluation/positions/report.ts';
import { openAvatarDrawings } from '../evaluation/resolution/reference.ts';
import { readModel } from '../generators/model.ts';
import { checkSize } from '../pipelines/diffusion.ts';
import type { ModelEntry } from '../pipelines/models.ts';
import type { Engine } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import type { Context } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluatePositionsCommand } from './evaluate.ts';
import { chooseModel } from './files.ts';
import { checkWritable } from './pictures.ts';
import { type ProgressLine, progressLine } from './progress.ts';

export async function analysePositions(
  options: EvaluatePositionsCommand,
  context: Context,
): Promise<void> {
  const { out, models: names, sizes } = options;
  const entries: ModelEntry[] = [];
  for (const name of names) entries.push(await chooseModel(name, context));
  for (const { card } of entries) for (const size of sizes ?? []) checkSize(size, card);
  await checkOfAvatars(entries.map(({ card }) => card));
  const engine = await openDevice(options, context);
  await checkWritable(out);
  const line = progressLine(context.stderr, () => performance.now());
  line.show('methods');
  const methods = await tableOfMethods({ engine, registry: POSITION_METHODS });
  const models = await analyseAll(options, { entries, engine, context, line });
  const report: PositionsReport = {
    ...{ methods, models },
    ...(options.protocol ? { protocol: await protocol(engine, context, line) } : {}),
  };
  line.end();
  await writePositions(out, report);
  context.stdout.write(`${join(out, 'positions.html')}\n`);
}

type Given = {
  readonly entries: readonly ModelEntry[];
  readonly engine: Engine;
  readonly context: Context;
  readonly line: ProgressLine;
};

async function analyseAll(
  { cache, pictures, time, sizes }: EvaluatePositionsCommand,
  { entries, engine, context, line }: Given,
): Promise<ModelPositions[]> {
  const found: ModelPositions[] = [];
  for (const { folder, card } of entries) {
    const model = await readModel(folder);
    const all = sizes ?? [card.trained];
    const drawings = await openAvatarDrawings({ sizes: all, count: pictures, cache });
    for (const size of all) {
      context.signal.throwIfAborted();
      line.show(`${card.id} at ${size.width}x${size.height}`);
      const words = Array.from({ length: pictures }, (_, i) => drawings.words(i));
      const at = { drawings: await drawings.at(size), words, t: time };
      found.push(await analyseModel({ engine, model, ...at }));
    }
  }
  return found;
}

function protocol(engine: Engine, { signal }: Context, line: ProgressLine) {
  let done = 0;
  return nopeProtocol({
    ...{ engine, rng: createRng(0).stream('protocol'), signal },
    onRow: ({ arm, task }) => {
      done++;
      line.show(`protocol: ${done} of ${ARMS.length * TASKS.length} trained (${task}, ${arm})`);
    },
  });
}
