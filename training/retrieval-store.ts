/**
 * The store of a retrieval drafter (sampling/tokens/drafters/retrieval.ts) from a data set's tokens: the
 * model reads whole pictures under their own words, and the hidden state before each token becomes a key
 * of few numbers by one random matrix (DReSD, Gritta et al. 2025, section 3; ours: the matrix is random).
 */
import { bagOfWords } from '../encoders/conditioning/attributes.ts';
import type { PositionConfig } from '../encoders/positions/compose.ts';
import { cellsOf } from '../encoders/positions/grid.ts';
import type { ARConfig } from '../generators/ar-config.ts';
import { createARSession } from '../generators/ar-session.ts';
import { createCache } from '../generators/compile-ar.ts';
import type { NetworkFiles, RetrievalFiles } from '../generators/token-drafters.ts';
import { layoutOfAR, type TokenCard, tokenGridOf } from '../generators/token-model.ts';
import { keysBy } from '../sampling/tokens/drafters/retrieval.ts';
import type { Engine } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import type { TokenCache } from './data/token-cache.ts';

export type RetrievalBuild = {
  readonly engine: Engine;
  readonly model: NetworkFiles;
  readonly data: TokenCache;
  /** The first pictures of the data that are read. */
  readonly pictures: number;
  /** Numbers of a key. */
  readonly reduced: number;
  readonly rng: Rng;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
};

/** Pictures of one call. */
const BATCH = 16;

export async function buildRetrieval(options: RetrievalBuild): Promise<RetrievalFiles> {
  const { engine, model, data, pictures, reduced, rng, signal, onProgress } = options;
  const { width } = model.card.config;
  checkData(options);
  const matrix = rng.normals(width * reduced);
  const keyOf = keysBy(matrix, reduced);
  const { session, T } = openSession(engine, model);
  const keys = new Float32Array(pictures * (T - 1) * reduced);
  const tokens = data.tokens.data.slice(0, pictures * T) as Int32Array;
  try {
    for (let first = 0; first < pictures; first += BATCH) {
      signal?.throwIfAborted();
      const rows = Array.from({ length: BATCH }, (_, i) => Math.min(first + i, pictures - 1));
      const bags = rows.map((row) => data.words[row]!.map((id) => ({ id })));
      session.condition(bagOfWords(bags, model.card.vocabulary.length));
      await session.start();
      for (let place = 0; place < T - 1; place += session.window) {
        const last = Math.min(place + session.window, T - 1);
        const windows = rows.map((row) => tokens.subarray(row * T + place, row * T + last));
        const answer = await session.forward(windows.map((own) => ({ tokens: own })));
        for (const [i, row] of rows.entries()) {
          session.commit(i, last - place);
          for (let at = place; at < last; at++) {
            const from = (i * answer.window + at - place) * width;
            const key = keyOf(answer.hidden!.subarray(from, from + width));
            keys.set(key, (row * (T - 1) + at) * reduced);
          }
        }
      }
      onProgress?.(Math.min(first + BATCH, pictures));
    }
  } finally {
    await session.dispose();
  }
  return {
    matrix: { data: matrix, shape: [width, reduced] },
    keys: { data: keys, shape: [pictures, T - 1, reduced] },
    tokens: { data: tokens, shape: [pictures, T] },
  };
}

function openSession(engine: Engine, { card, weights }: NetworkFiles) {
  const config = card.config as ARConfig;
  const grid = tokenGridOf(card);
  const { positions } = layoutOfAR(config, card.positions as PositionConfig, grid);
  const shape = { config, grid, batch: BATCH };
  const cache = createCache(engine, shape);
  const session = createARSession(engine, {
    ...{ ...shape, positions, weights, cache, withHidden: true },
  });
  return { session, T: cellsOf(grid).length };
}

function checkData({ model: { card }, data, pictures }: RetrievalBuild): void {
  checkTokens('retrieval', card, data);
  if (pictures > data.words.length)
    throw new RangeError(
      `retrieval: expected at most the ${data.words.length} pictures that there are, got ${pictures}`,
    );
}

/** Throws unless a data set's tokens and words are those of a model. */
export function checkTokens(where: string, card: TokenCard, data: TokenCache): void {
  const { width, height } = card.trained;
  if (data.codebook !== card.tokenizer.digest)
    throw new RangeError(
      `${where}: expected tokens of the codebook ${card.tokenizer.digest.slice(0, 12)}, got those of '${data.tokenizer}', ${data.codebook.slice(0, 12)}; make them anew with \`ropewalk tokenize\``,
    );
  if (data.width !== width || data.height !== height)
    throw new RangeError(
      `${where}: expected tokens of pictures of ${width}x${height}, got ${data.width}x${data.height}`,
    );
  if (data.vocabulary.join('\n') !== card.vocabulary.join('\n'))
    throw new RangeError(
      `${where}: expected the ${card.vocabulary.length} words of '${card.id}', got ${data.vocabulary.length}, or others`,
    );
}
