/** Turns a data set into a token cache. */
import { createTokenizer } from '../../encoders/tokenizers/tokenizer.ts';
import { configOf, type TokenizerModel } from '../../generators/tokenizer-card.ts';
import { toFloats } from '../../png.ts';
import type { Engine } from '../../tensor/program.ts';
import type { Dataset } from './dataset.ts';
import type { TokenCache } from './token-cache.ts';

export type TokenizeOptions = {
  readonly engine: Engine;
  readonly model: TokenizerModel;
  readonly data: Dataset;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
};

/** Pictures of one call. */
const CHUNK = 64;

export async function tokenizeData(options: TokenizeOptions): Promise<TokenCache> {
  const { engine, model, data, signal, onProgress } = options;
  const { card, weights } = model;
  const { size, length } = data;
  const tokenizer = createTokenizer(engine, { config: configOf(card), weights });
  const pixels = size * size * 3;
  let all: Int32Array | undefined;
  let grid: readonly number[] = [];
  try {
    for (let at = 0; at < length; at += CHUNK) {
      signal?.throwIfAborted();
      const count = Math.min(CHUNK, length - at);
      const part = new Float32Array(count * pixels);
      for (let i = 0; i < count; i++) part.set(toFloats(data.pixels(at + i)), i * pixels);
      const { data: tokens, shape } = await tokenizer.encode({
        data: part,
        shape: [count, size, size, 3],
      });
      grid = shape.slice(1);
      all ??= new Int32Array(length * (tokens.length / count));
      all.set(tokens, at * (tokens.length / count));
      onProgress?.(at + count);
    }
  } finally {
    await tokenizer.dispose();
  }
  return {
    tokenizer: card.id,
    codebook: card.digest,
    codes: tokenizer.vocabulary,
    data: data.name,
    height: size,
    width: size,
    vocabulary: data.vocabulary,
    tokens: { data: all!, shape: [length, ...grid] },
    words: Array.from({ length }, (_, i) => data.words(i)),
  };
}
