/** Runs `ropewalk train` on a token model's configuration. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTokenizer, type TokenizerModel } from '../generators/tokenizer-card.ts';
import { createTokenPainter } from '../pipelines/tokens.ts';
import type { Engine } from '../tensor/program.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { openData } from '../training/data/open.ts';
import { readTokenCache, type TokenCache, writeTokenCache } from '../training/data/token-cache.ts';
import { tokenizeData } from '../training/data/tokenize.ts';
import { readTokenTraining, type TokenTraining } from '../training/token-config.ts';
import { exportTokenModel } from '../training/token-export.ts';
import { type DrawSheet, trainTokens } from '../training/token-run.ts';
import { type Context, Exit } from './context.ts';
import { openDevice } from './device.ts';
import { writeTokenModelPage } from './export-run.ts';
import { shippedFile } from './files.ts';
import { checkWritable } from './pictures.ts';
import { type ProgressLine, progressLine } from './progress.ts';
import type { TrainCommandOptions } from './train.ts';
import { checkSameRun, watchSteps, writeCurve } from './train-run.ts';

export async function trainTokensRun(
  path: string,
  options: TrainCommandOptions,
  context: Context,
): Promise<void> {
  if (options.init !== undefined)
    throw new RangeError(
      `--init: expected none for a token model, which starts from new weights, got '${options.init}'; leave it out`,
    );
  const given = await readTokenTraining(path);
  const config = { ...given, tokens: { tokenizer: shippedFile(given.tokens.tokenizer) } };
  const folder = join(options.runs, config.name);
  await checkWritable(options.runs);
  const resumed = await checkSameRun(folder, config, readTokenTraining);
  const tokenizer = await readTokenizer(config.tokens.tokenizer);
  const line = progressLine(context.stderr, () => performance.now());
  const opened = await openData(config.data, {
    cache: options.cache,
    onProgress: (done) => line.show(`${done} pictures drawn`),
  });
  line.end();
  if (resumed) context.stderr.write(`going on with ${folder} after ${resumed}\n`);
  const engine = await openDevice(options, context);
  const tokensOf = (data: Dataset, part: string) =>
    cachedTokens(data, { engine, tokenizer, part, config, cache: options.cache, line, context });
  const data = await tokensOf(opened.data, 'train');
  const heldOut = await tokensOf(opened.heldOut, 'held-out');
  line.end();
  const watch = watchSteps(config, line);
  const { update, finished } = await trainTokens(config, {
    engine,
    data,
    heldOut,
    folder,
    draw: sheetBy(engine, tokenizer, config),
    signal: context.signal,
    onStep: watch.onStep,
  });
  watch.end();
  await update.dispose();
  await writeCurve(folder, join(folder, 'curve.svg'));
  if (!finished) throw new Exit(130, `stopped; the same command goes on with ${folder}`);
  const to = join(folder, 'model');
  const { vocabulary } = opened.data;
  const card = await exportTokenModel(folder, { to, vocabulary, styles: opened.styles });
  await writeTokenModelPage(to, card);
  context.stdout.write(`${to}\n`);
}

type CachedTokens = {
  readonly engine: Engine;
  readonly tokenizer: TokenizerModel;
  readonly part: string;
  readonly config: TokenTraining;
  readonly cache: string;
  readonly line: ProgressLine;
  readonly context: Context;
};

/** A data set's tokens, made once and kept under the codebook's digest. */
async function cachedTokens(
  data: Dataset,
  { engine, tokenizer, part, config, cache, line, context }: CachedTokens,
): Promise<TokenCache> {
  const { digest } = tokenizer.card;
  const { set, size } = config.data;
  const name = `tokens-${digest.slice(0, 12)}-${set}-${size}-${data.length}-${part}.safetensors`;
  const path = join(cache, name);
  if (existsSync(path)) return readTokenCache(path, { codebook: digest });
  const made = await tokenizeData({
    engine,
    model: tokenizer,
    data,
    signal: context.signal,
    onProgress: (done) => line.show(`${done} of ${data.length} pictures turned into tokens`),
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
