/** Runs `ropewalk evaluate decoding`. */
import { cellsOf } from '../encoders/positions/grid.ts';
import { formatDecoding } from '../evaluation/decoding.ts';
import { decodingChart } from '../evaluation/decoding-chart.ts';
import { compareDecoders } from '../evaluation/decoding-session.ts';
import { tokenGridOf } from '../generators/token-model.ts';
import { checkDecoder, DECODER_NAMES, fittedOptions } from '../pipelines/token-decoders.ts';
import { checkChartName, writeChart } from '../png-chart.ts';
import type { Context } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluateDecodingCommand } from './evaluate.ts';
import { chooseAnyModel } from './files.ts';
import { type DecoderChoice, decoder } from './options.ts';
import { progressLine } from './progress.ts';

export async function compare(options: EvaluateDecodingCommand, context: Context): Promise<void> {
  const { id, folder, card } = await chooseAnyModel(options.model, context);
  if (card.architecture !== 'ar')
    throw new RangeError(`--model: expected a token model, got '${id}', which has no tokens`);
  const T = cellsOf(tokenGridOf(card)).length;
  const texts = options.decoders.length > 0 ? options.decoders : DECODER_NAMES;
  const choices = new Map(texts.map((text) => [text, choiceOf(text, T)]));
  for (const { name, options: given } of choices.values()) checkDecoder(name, given, card);
  if (options.kid && options.pictures < 20)
    throw new RangeError(`--kid: expected at least 20 pictures, got ${options.pictures}`);
  if (options.chart !== undefined) checkChartName('--chart', options.chart);
  const engine = await openDevice(options, context);
  const line = progressLine(context.stderr, () => performance.now());
  const rows = await compareDecoders({
    ...{ engine, folder, card, choices, signal: context.signal },
    ...{ pictures: options.pictures, batch: options.batch },
    ...(options.kid ? { drawings: options.cache } : {}),
    onDecoder: (name) => line.show(`decoding by ${name}`),
    now: () => performance.now(),
  }).finally(() => line.end());
  if (options.chart !== undefined) {
    const about = `${id}, ${options.pictures} pictures, ${options.batch} together`;
    await writeChart(options.chart, decodingChart(rows, about));
  }
  context.stdout.write(options.json ? `${JSON.stringify(rows, null, 2)}\n` : formatDecoding(rows));
}

/** A decoder as `generate --decoder` has it; lengths that are not given fit a picture of T tokens. */
function choiceOf(text: string, T: number): DecoderChoice {
  const { name, options } = decoder(text);
  if (!DECODER_NAMES.includes(name))
    throw new RangeError(`--decoders: expected some of ${DECODER_NAMES.join(', ')}, got '${name}'`);
  return { name, options: { ...fittedOptions(name, T), ...options } };
}
