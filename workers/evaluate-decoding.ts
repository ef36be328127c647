/** The comparison of decoders as a job. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { cellsOf } from '../encoders/positions/grid.ts';
import { compareDecoders, type DecoderChoice } from '../evaluation/decoding-session.ts';
import { tokenGridOf } from '../generators/token-model.ts';
import type { JobTask } from '../jobs/jobs.ts';
import { findModel, listModels } from '../pipelines/models.ts';
import { checkDecoder, DECODER_NAMES, fittedOptions } from '../pipelines/token-decoders.ts';
import { checkSchema } from '../schema.ts';
import { type EvaluateOptions, reportFolder } from './evaluate.ts';
import type { Places } from './train.ts';

const Config = Type.Object(
  {
    model: Type.String({ maxLength: 64 }),
    /** By name; none are all that the model has what they need for. */
    decoders: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64, default: [] }),
    pictures: Type.Integer({ minimum: 1, maximum: 256, default: 4 }),
    /** Pictures that are decoded together. */
    batch: Type.Integer({ minimum: 1, maximum: 64, default: 1 }),
  },
  { additionalProperties: false },
);

export async function checkDecoding(given: unknown, { folders }: Pick<Places, 'folders'>) {
  const config: Static<typeof Config> = checkSchema(Config, given, 'evaluate');
  const { id, folder, card } = findModel(config.model, await listModels(folders));
  if (card.architecture !== 'ar')
    throw new RangeError(`evaluate: expected a token model, got '${id}', which has no tokens`);
  const T = cellsOf(tokenGridOf(card)).length;
  const choices = new Map<string, DecoderChoice>();
  for (const name of config.decoders.length > 0 ? config.decoders : DECODER_NAMES) {
    if (!DECODER_NAMES.includes(name))
      throw new RangeError(
        `evaluate: 'decoders': expected some of ${DECODER_NAMES.join(', ')}, got '${name}'`,
      );
    const choice = { name, options: fittedOptions(name, T) };
    checkDecoder(name, choice.options, card);
    choices.set(name, choice);
  }
  return { config, folder, card, choices };
}

export async function decodingJob(
  given: unknown,
  task: JobTask,
  options: EvaluateOptions,
): Promise<unknown> {
  const { config, folder, card, choices } = await checkDecoding(given, options);
  const { pictures, batch } = config;
  const steps = choices.size + 1; // sequential decoding comes first
  let step = 0;
  const rows = await compareDecoders({
    ...{ engine: options.engine, folder, card, choices, pictures, batch, signal: task.signal },
    onDecoder: () => task.progress({ step: step++, steps, done: 0 }),
    now: options.now,
  });
  const report = { model: card.id, pictures, batch, rows };
  const title = `${card.title}: ${choices.size} decoders`;
  const to = await reportFolder(task, options, 'decoding', title);
  await writeFile(join(to, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}
