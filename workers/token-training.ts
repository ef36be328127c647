/** A token model's training: the data set's tokens, made once, the run, and sheets as the model would draw them. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTokenModelPage } from '../evaluation/model-pages.ts';
import { readTokenizer, type TokenizerModel } from '../generators/tokenizer-card.ts';
import { createTokenPainter } from '../pipelines/tokens.ts';
import type { Engine } from '../tensor/program.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { openData } from '../training/data/open.ts';
import { readTokenCache, type TokenCache, writeTokenCache } from '../training/data/token-cache.ts';
import { tokenizeData } from '../training/data/tokenize.ts';
import type { TokenTraining } from '../training/token-config.ts';
import { exportTokenModel } from '../training/token-export.ts';
import { type DrawSheet, trainTokens } from '../training/token-run.ts';
import { type Finished, preparing, type TrainingOptions } from './training.ts';

export async function runTokens(
  config: TokenTraining,
  options: TrainingOptions,
): Promise<Finished> {
  const { engine, folder, to, signal, onStep } = options;
  const tokenizer = await readTokenizer(config.tokens.tokenizer);
  const opened = await openData(config.data, preparing(options));
  const tokensOf = (data: Dataset, part: string) =>
    cachedTokens(data, { ...options, tokenizer, part, config });
  const data = await tokensOf(opened.data, 'train');
  const heldOut = await tokensOf(opened.heldOut, 'held-out');
  const { update, finished } = await trainTokens(config, {
    ...{ engine, data, heldOut, folder, signal, onStep },
    draw: sheetBy(engine, tokenizer, config),
  });
  await update.dispose();
  if (!finished) return undefined;
  const { vocabulary } = opened.data;
  const about = { to, vocabulary, styles: opened.styles };
  return async () => writeTokenModelPage(to, await exportTokenModel(folder, about));
}

type CachedTokens = Pick<TrainingOptions, 'engine' | 'cache' | 'signal' | 'onPrepare'> & {
  readonly tokenizer: TokenizerModel;
  readonly part: string;
  readonly config: TokenTraining;
};

/** A data set's tokens, made once and kept under the codebook's digest. */
async function cachedTokens(
  data: Dataset,
  { engine, tokenizer, part, config, cache, signal, onPrepare }: CachedTokens,
): Promise<TokenCache> {
  const { digest } = tokenizer.card;
  const { set, size } = config.data;
  const name = `tokens-${digest.slice(0, 12)}-${set}-${size}-${data.length}-${part}.safetensors`;
  const path = join(cache, name);
  if (existsSync(path)) return readTokenCache(path, { codebook: digest });
  const made = await tokenizeData({
    ...{ engine, model: tokenizer, data, signal },
    onProgress: (done) => onPrepare(`${done} of ${data.length} pictures turned into tokens`),
  });
  await mkdir(cache, { recursive: true });
  await writeTokenCache(path, made);
  return made;
}

/** Sheets as the exported model would draw them, of the same seeds every time. */
const sheetBy =
  (engine: Engine, tokenizer: TokenizerModel, { seed, sampling }: TokenTraining): DrawSheet =>
  async (network, words) => {
    const painter = createTokenPainter(engine, network, { tokenizer });
    const asked = words.map((ids, i) => ({ words: ids.map((id) => ({ id })), seed: seed + i }));
    const pictures = await painter.paint(asked, sampling);
    await painter.dispose();
    return pictures;
  };
