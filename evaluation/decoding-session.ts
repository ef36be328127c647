/**
 * Compares decoders on a token model: at temperature 1, unfiltered, with the guidance of its card. Models of avatars
 * draw what held-out drawings show, in turn; of other data, nothing in particular.
 */
import { createInception } from '../encoders/features/inception.ts';
import { drafterFiles } from '../generators/token-drafters.ts';
import { readTokenGenerator, type TokenCard } from '../generators/token-model.ts';
import type { Asked } from '../pipelines/diffusion.ts';
import type { DecoderOptions } from '../pipelines/token-decoders.ts';
import { createTokenPipeline, type TokenPipeline } from '../pipelines/tokens.ts';
import { DECODERS, type DecoderName } from '../sampling/tokens/registry.ts';
import type { Engine } from '../tensor/program.ts';
import { loadAvatars, openAvatars, splitSpecs } from '../training/data/avatars.ts';
import { type DecoderRow, evaluateDecoding } from './decoding.ts';
import { pooledRows } from './kid-of-pictures.ts';
import { kid } from './metrics/kid.ts';
import { picturesOf } from './reader-files.ts';

export type DecoderChoice = { readonly name: string; readonly options: DecoderOptions };
export type CompareDecoders = {
  readonly engine: Engine;
  readonly folder: string;
  readonly card: TokenCard;
  /** By the names of the rows. */
  readonly choices: ReadonlyMap<string, DecoderChoice>;
  /** Of seeds from 0 on. */
  readonly pictures: number;
  /** Pictures that are decoded together. */
  readonly batch: number;
  /** With a folder for drawings, also the kernel distance from real ones. */
  readonly drawings?: string;
  readonly signal: AbortSignal;
  readonly onDecoder: (name: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
};

export async function compareDecoders(options: CompareDecoders): Promise<DecoderRow[]> {
  const { engine, folder, card, choices, pictures, batch, drawings } = options;
  const { signal, onDecoder, now } = options;
  const model = await readTokenGenerator(folder, card);
  const pipeline = createTokenPipeline({ engine, model, drafters: drafterFiles(folder, card) });
  const asked = await wordsOf(card, pictures);
  const batches = Array.from({ length: Math.ceil(pictures / batch) }, (_, i) =>
    asked.slice(i * batch, (i + 1) * batch),
  );
  // One of each size: the last may be smaller, and has programs of its own.
  const bySize = [...new Map(batches.map((one) => [one.length, one])).values()];
  const settings = { temperature: 1, topK: card.config.codes, topP: 1, minP: 0 };
  const distance = drawings
    ? await distanceFrom(engine, pipeline, { count: pictures, cache: drawings }, card.trained.width)
    : undefined;
  try {
    const decodeBatches = async (text: string, some: typeof batches) => {
      const { name: decoder, options: decoderOptions } = choices.get(text) ?? {
        ...{ name: text, options: {} },
      };
      const how = { ...settings, decoder, decoderOptions, signal };
      const decodings = [];
      for (const one of some) decodings.push(await pipeline.decode(one, how));
      return decodings;
    };
    onDecoder('sequential'); // what all are compared with
    return await evaluateDecoding({
      decoders: [...choices].map(([text, { name }]) => ({
        ...{ name: text, property: DECODERS[name as DecoderName].property },
      })),
      decode: (text) => decodeBatches(text, batches),
      prepare: (text) => {
        onDecoder(text);
        return decodeBatches(text, bySize);
      },
      ...(distance ? { kid: distance.of } : {}),
      now,
    });
  } finally {
    await distance?.dispose();
    await pipeline.dispose();
  }
}

/** What each picture shows, and its seed. */
async function wordsOf({ data, vocabulary }: TokenCard, pictures: number): Promise<Asked[]> {
  if (data !== 'avatars')
    return Array.from({ length: pictures }, (_, seed) => ({ words: [], seed }));
  const drawings = splitSpecs(await loadAvatars(), 'validation', pictures);
  return Array.from(drawings, ({ words }, seed) => {
    return { words: words.map((word) => ({ id: vocabulary.indexOf(word) })), seed };
  });
}

/** The distance of tokens' pictures from as many drawings that were kept out of training. */
async function distanceFrom(
  engine: Engine,
  pipeline: TokenPipeline,
  { count, cache }: { readonly count: number; readonly cache: string },
  size: number,
) {
  const features = await createInception(engine);
  const drawings = await openAvatars({ size, split: 'validation', count, cache });
  const real = await pooledRows(features, picturesOf(drawings));
  return {
    of: async (tokens: readonly Int32Array[]) =>
      kid(await pooledRows(features, await pipeline.paint(tokens)), real).value,
    dispose: () => features.dispose(),
  };
}
