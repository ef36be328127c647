/** Compares decoders on a token model: at temperature 1, unfiltered, with the guidance of its card. */
import { createInception } from '../encoders/features/inception.ts';
import { drafterFiles } from '../generators/token-drafters.ts';
import { readTokenGenerator, type TokenCard } from '../generators/token-model.ts';
import type { DecoderOptions } from '../pipelines/token-decoders.ts';
import { createTokenPipeline, type TokenPipeline } from '../pipelines/tokens.ts';
import type { Picture } from '../png.ts';
import { DECODERS, type DecoderName } from '../sampling/tokens/registry.ts';
import type { Engine } from '../tensor/program.ts';
import { rowsOf } from '../tensor/rows.ts';
import { openAvatars } from '../training/data/avatars.ts';
import { type DecoderRow, evaluateDecoding } from './decoding.ts';
import { kid } from './metrics/kid.ts';
import { picturesOf } from './reader-files.ts';

export type DecoderChoice = { readonly name: string; readonly options: DecoderOptions };
export type CompareDecoders = {
  readonly engine: Engine;
  readonly folder: string;
  readonly card: TokenCard;
  /** By the names of the rows. */
  readonly choices: ReadonlyMap<string, DecoderChoice>;
  /** One batch, of seeds from 0 on. */
  readonly pictures: number;
  /** With a folder for drawings, also the kernel distance from real ones. */
  readonly drawings?: string;
  readonly signal: AbortSignal;
  readonly onDecoder: (name: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
};

export async function compareDecoders(options: CompareDecoders): Promise<DecoderRow[]> {
  const { engine, folder, card, choices, pictures, drawings, signal, onDecoder, now } = options;
  const model = await readTokenGenerator(folder, card);
  const pipeline = createTokenPipeline({ engine, model, drafters: drafterFiles(folder, card) });
  const asked = Array.from({ length: pictures }, (_, seed) => ({ words: [], seed }));
  const settings = { temperature: 1, topK: card.config.codes, topP: 1, minP: 0 };
  const distance = drawings
    ? await distanceFrom(engine, pipeline, { count: pictures, cache: drawings }, card.trained.width)
    : undefined;
  try {
    return await evaluateDecoding({
      decoders: [...choices].map(([text, { name }]) => ({
        ...{ name: text, property: DECODERS[name as DecoderName].property },
      })),
      decode: (text) => {
        onDecoder(text);
        const { name: decoder, options: decoderOptions } = choices.get(text) ?? {
          ...{ name: text, options: {} },
        };
        return pipeline.decode(asked, { ...settings, decoder, decoderOptions, signal });
      },
      ...(distance ? { kid: distance.of } : {}),
      now,
    });
  } finally {
    await distance?.dispose();
    await pipeline.dispose();
  }
}

/** The distance of tokens' pictures from as many drawings that were kept out of training. */
async function distanceFrom(
  engine: Engine,
  pipeline: TokenPipeline,
  { count, cache }: { readonly count: number; readonly cache: string },
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
