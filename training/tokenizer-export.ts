/** A tokenizer run's moving average as a folder that `tokenize` and generators load. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TokenizerConfig, tokenizerParts } from '../encoders/tokenizers/tokenizer.ts';
import { type TokenizerCard, writeTokenizer } from '../generators/tokenizer-card.ts';
import { checkTensors, readSafetensors } from '../tensor/safetensors.ts';
import { readTokenizerTraining } from './tokenizer-config.ts';

/** Writes the newest checkpoint's moving average in half precision, with its card. */
export async function exportTokenizer(run: string, to: string): Promise<TokenizerCard> {
  const { name, title, licence, data, tokenizer } = await readTokenizerTraining(
    join(run, 'config.json'),
  );
  const checkpoint = await readFile(join(run, 'latest'), 'utf8').catch(() => {
    throw new Error(
      `export: expected a run with a checkpoint, got '${run}', which has none yet; train it on`,
    );
  });
  const path = join(run, checkpoint, 'ema.safetensors');
  const { tensors } = await readSafetensors(path);
  checkTensors(tensors, tokenizerParts(tokenizer as TokenizerConfig).shapes, path);
  const card = {
    version: 1,
    id: name,
    title,
    config: tokenizer,
    trained: { height: data.size, width: data.size },
    data: data.set,
    licence,
  } as const;
  return writeTokenizer(to, card, tensors);
}
