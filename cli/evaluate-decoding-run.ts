/** Runs `ropewalk evaluate decoding`: at temperature 1, unfiltered, with the guidance of the model's card. */
import { createInception } from '../encoders/features/inception.ts';
import { cellsOf } from '../encoders/positions/grid.ts';
import { evaluateDecoding, formatDecoding } from '../evaluation/decoding.ts';
import { kid } from '../evaluation/metrics/kid.ts';
import { picturesOf } from '../evaluation/reader-files.ts';
import { drafterFiles } from '../generators/token-drafters.ts';
import { readTokenGenerator, tokenGridOf } from '../generators/token-model.ts';
import { checkDecoder, DECODER_NAMES, fittedOptions } from '../pipelines/token-decoders.ts';
import { createTokenPipeline, type TokenPipeline } from '../pipelines/tokens.ts';
import type { Picture } from '../png.ts';
import { DECODERS, type DecoderName } from '../sampling/tokens/registry.ts';
import type { Engine } from '../tensor/program.ts';
import { rowsOf } from '../tensor/rows.ts';
import { openAvatars } from '../training/data/avatars.ts';
import type { Context } from './context.ts';
import { openDevice } from './device.ts';
import type { EvaluateDecodingCommand } from './evaluate.ts';
import { chooseAnyModel } from './files.ts';
import { type DecoderChoice, decoder } from './options.ts';
import { progressLine } from './progress.ts';

export async function compareDecoders(
  options: EvaluateDecodingCommand,
  context: Context,
): Promise<void> {
  const { id, folder, card } = await chooseAnyModel(options.model, context);
  if (card.architecture !== 'ar')
    throw new RangeError(`--model: expected a token model, got '${id}', which has no tokens`);
  const T = cellsOf(tokenGridOf(card)).length;
  const texts = options.decoders.length > 0 ? options.decoders : DECODER_NAMES;
  const choices = new Map(texts.map((text) => [text, choiceOf(text, T)]));
  for (const { name, options: given } of choices.values()) checkDecoder(name, given, card);
  if (options.kid && options.pictures < 20)
    throw new RangeError(`--kid: expected at least 20 pictures, got ${options.pictures}`);
  const engine = await openDevice(options, context);
  const pipeline = createTokenPipeline({
    engine,
    model: await readTokenGenerator(folder, card),
    drafters: drafterFiles(folder, card),
  });
  const asked = Array.from({ length: options.pictures }, (_, seed) => ({ words: [], seed }));
  const settings = { temperature: 1, topK: card.config.codes, topP: 1, minP: 0 };
  const { signal } = context;
  const line = progressLine(context.stderr, () => performance.now());
  const distance = options.kid
    ? await distanceFrom(engine, pipeline, options, card.trained.width)
    : undefined;
  try {
    const rows = await evaluateDecoding({
      decoders: [...choices].map(([text, { name }]) => ({
        ...{ name: text, property: DECODERS[name as DecoderName].property },
      })),
      decode: (text) => {
        line.show(`decoding by ${text}`);
        const { name: decoder, options: decoderOptions } = choices.get(text) ?? choiceOf(text, T);
        return pipeline.decode(asked, { ...settings, decoder, decoderOptions, signal });
      },
      ...(distance ? { kid: distance.of } : {}),
      now: () => performance.now(),
    });
    line.end();
    context.stdout.write(
      options.json ? `${JSON.stringify(rows, null, 2)}\n` : formatDecoding(rows),
    );
  } finally {
    line.end();
    await distance?.dispose();
    await pipeline.dispose();
  }
}

/** A decoder as `generate --decoder` has it; lengths that are not given fit a picture of T tokens. */
function choiceOf(text: string, T: number): DecoderChoice {
  const { name, options } = decoder(text);
  if (!DECODER_NAMES.includes(name))
    throw new RangeError(`--decoders: expected some of ${DECODER_NAMES.join(', ')}, got '${name}'`);
  return { name, options: { ...fittedOptions(name, T), ...options } };
}

/** The distance of tokens' pictures from as many drawings that were kept out of training. */
async function distanceFrom(
  engine: Engine,
  pipeline: TokenPipeline,
  { pictures: count, cache }: EvaluateDecodingCommand,
  size: number,
) {
  const features = await createInception(engine);
  const read = async (pictures: readonly Picture[]) =>
    rowsOf((await features.read(pictures)).pooled, features.width);
  const real = await read(
    picturesOf(await openAvatars({ size, split: 'validation', count, cache })),
  );
  return {
    of: async (tokens: readonly Int32Array[]) =>
      kid(await read(await pipeline.paint(tokens)), real).value,
    dispose: () => features.dispose(),
  };
}
