/** A token model's run as a model folder, with the tokenizer inside. */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenizerParts } from '../encoders/tokenizers/tokenizer.ts';
import { shapesOfAR } from '../generators/ar-weights.ts';
import { type TokenCard, writeTokenModel } from '../generators/token-model.ts';
import { configOf, readTokenizer } from '../generators/tokenizer-card.ts';
import { createRng } from '../tensor/rng.ts';
import { checkTensors, readSafetensors } from '../tensor/safetensors.ts';
import type { ExportOptions } from './export.ts';
import { trainedBy } from './metrics.ts';
import { readTokenTraining } from './token-config.ts';
import { createTokenNetwork } from './token-run.ts';

/** Writes the newest checkpoint's moving average in half precision, with its card. */
export async function exportTokenModel(run: string, options: ExportOptions): Promise<TokenCard> {
  const { to, vocabulary, styles = {} } = options;
  const config = await readTokenTraining(join(run, 'config.json'));
  const checkpoint = await readFile(join(run, 'latest'), 'utf8').catch(() => {
    throw new Error(
      `export: expected a run with a checkpoint, got '${run}', which has none yet; train it on`,
    );
  });
  const tokenizer = (await readTokenizer(config.tokens.tokenizer)).card;
  const { network, quantiser } = tokenizerParts(configOf(tokenizer));
  const { size, set } = config.data;
  const side = size / network.factor;
  const tokens = { data: new Int32Array(0), shape: [0, side, side] };
  const about = { codes: quantiser.vocabulary, vocabulary, tokens };
  const { config: ar } = createTokenNetwork(config, about, createRng(0));
  const path = join(run, checkpoint, 'ema.safetensors');
  const { tensors } = await readSafetensors(path);
  checkTensors(tensors, shapesOfAR(ar), path);
  const named = Object.entries(styles).map(([style, words]): [string, string[]] => [
    style,
    [...words],
  ]);
  const card: Omit<TokenCard, 'digest'> = {
    version: 1,
    id: config.name,
    title: config.title,
    architecture: 'ar',
    config: ar,
    positions: config.model.positions,
    tokenizer: { id: tokenizer.id, digest: tokenizer.digest, factor: network.factor },
    trained: { height: size, width: size },
    vocabulary: [...vocabulary],
    ...(named.length > 0 ? { styles: Object.fromEntries(named) } : {}),
    sampling: config.sampling,
    data: set,
    ...(await trainedBy(run, checkpoint)),
    licence: config.licence,
  };
  const written = await writeTokenModel(to, card, tensors);
  await cp(config.tokens.tokenizer, join(to, 'tokenizer'), { recursive: true });
  return written;
}
