/** The comparison over sizes as a job. Pictures and features are kept beside its report, so it goes on where it stopped. */
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { createInception } from '../encoders/features/inception.ts';
import { parseExtension } from '../encoders/positions/extension-text.ts';
import { checkOfAvatars } from '../evaluation/check-avatars.ts';
import { openComparedAvatars } from '../evaluation/resolution/avatars.ts';
import { readMethod } from '../evaluation/resolution/methods-text.ts';
import { findTrained } from '../evaluation/resolution/models-text.ts';
import { checkTold, createPainter, drawingOf } from '../evaluation/resolution/painter.ts';
import { type ExtendMethod, planCells, sizeName } from '../evaluation/resolution/plan.ts';
import { openReaders } from '../evaluation/resolution/readers.ts';
import { reportOf } from '../evaluation/resolution/report.ts';
import { writeReport } from '../evaluation/resolution/report-files.ts';
import { measureResolution } from '../evaluation/resolution/run.ts';
import { type ModelCard, ToldSchema } from '../generators/model.ts';
import { diffusionCard } from '../generators/token-model.ts';
import type { JobTask } from '../jobs/jobs.ts';
import { findModel, listModels } from '../pipelines/models.ts';
import { checkSchema } from '../schema.ts';
import { createRng } from '../tensor/rng.ts';
import { type EvaluateOptions, reportFolder } from './evaluate.ts';
import type { Places } from './train.ts';

const Side = Type.Integer({ minimum: 1, maximum: 8192 });
const SizeOf = Type.Object({ width: Side, height: Side }, { additionalProperties: false });
const Config = Type.Object(
  {
    /** An id, or `name=id+id+id`: trainings of one model, as the command line writes them. */
    models: Type.Array(Type.String({ maxLength: 400 }), { minItems: 1, maxItems: 16 }),
    sizes: Type.Array(SizeOf, { minItems: 1, maxItems: 32 }),
    /** `none`, `own`, or extensions as the command line writes them, several at once with + between. */
    extend: Type.Array(Type.String({ maxLength: 200 }), { minItems: 1, maxItems: 32 }),
    samples: Type.Integer({ minimum: 8, maximum: 10_000 }),
    seeds: Type.Integer({ minimum: 1, maximum: 16, default: 1 }),
    /** Of methods other than `none`; default: all. */
    extendSizes: Type.Optional(Type.Array(SizeOf, { maxItems: 32 })),
    extendSeeds: Type.Optional(Type.Integer({ minimum: 1, maximum: 16 })),
    /** Drawn for the sheets and not measured. */
    sheetSizes: Type.Optional(Type.Array(SizeOf, { maxItems: 32 })),
    steps: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    guidance: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    micro: Type.Optional(ToldSchema),
    /** Pictures a cell of combinations that were kept out of training; default: none. */
    heldOut: Type.Optional(Type.Integer({ minimum: 2, maximum: 2000 })),
    /** Drawings that every model was trained on, to find copies among; default: none are looked for. */
    trained: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  },
  { additionalProperties: false },
);

export async function checkResolution(given: unknown, { folders }: Pick<Places, 'folders'>) {
  const config: Static<typeof Config> = checkSchema(Config, given, 'evaluate');
  const list = await listModels(folders);
  const { models, entries } = await findTrained(config.models, async (name) => {
    const entry = findModel(name, list);
    return { ...entry, card: diffusionCard(entry.card) };
  });
  const plan = { ...config, models, extend: await Promise.all(config.extend.map(methodOf)) };
  planCells(plan);
  const cards = entries.map(({ card }) => card);
  checkTold(cards, config);
  await checkOfAvatars(cards);
  return { config, entries, plan };
}

const methodOf = (name: string): Promise<ExtendMethod> =>
  readMethod(name, (texts) => {
    const several = texts.map(parseExtension);
    return several.length === 1 ? several[0]! : several;
  });

export async function resolutionJob(
  given: unknown,
  task: JobTask,
  options: EvaluateOptions,
): Promise<unknown> {
  const { engine, folders, data, now } = options;
  const { config, entries, plan } = await checkResolution(given, options);
  const { sizes } = config;
  const title = `${config.models.join(', ')} at ${sizes.map(sizeName).join(', ')}`;
  const out = await reportFolder(task, options, 'resolution', title);
  const network = await createInception(engine);
  const readers = await openReaders(engine, folders);
  const painter = createPainter(engine, entries, task.signal);
  const drawing = (card: ModelCard) => drawingOf(card, engine, config);
  try {
    const avatars = await openComparedAvatars({ ...plan, cache: join(data, 'cache') });
    const resolution = await measureResolution({
      ...{ ...plan, ...avatars, out, network, readers, drawing, now, signal: task.signal },
      render: (asked) => painter.render(asked, drawing(asked.cell.model)),
      onProgress: ({ done, of, secondsLeft: eta }) =>
        task.progress({ step: done, steps: of, done: 0, ...(eta === undefined ? {} : { eta }) }),
    });
    const about = { network, reference: avatars.drawings.name };
    const report = reportOf(resolution, about, createRng(0).stream('report'));
    await writeReport(out, resolution, report);
    return report;
  } finally {
    await painter.dispose();
    await network.dispose();
    for (const reader of readers) await reader.dispose();
  }
}
