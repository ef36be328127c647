/** A token model of random weights with its tokenizer: what it draws means nothing, but depends on every input. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenizerParts } from '../../encoders/tokenizers/tokenizer.ts';
import type { ARConfig } from '../../generators/ar-config.ts';
import { shapesOfAR } from '../../generators/ar-weights.ts';
import { type TokenCard, writeTokenModel } from '../../generators/token-model.ts';
import { configOf, writeTokenizer } from '../../generators/tokenizer-card.ts';
import { createRng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { tinyTokenizer } from '../training/tiny-tokenizer.ts';

const VOCABULARY = ['glasses=yes', 'hair color=red', 'style=cat', 'style=robot'];
const CONFIG: ARConfig = {
  codes: 16,
  width: 32,
  depth: 1,
  heads: 2,
  hidden: 48,
  condition: { words: VOCABULARY.length, tokens: 2 },
};

/** Writes it and its tokenizer under `parent`, which then is a folder of models. */
export async function writeTinyTokenModel(parent: string, changes: Partial<TokenCard> = {}) {
  const { tokenizer: config } = tinyTokenizer();
  const trained = { height: 16, width: 16 };
  const about = { version: 1, title: 'Tiny', trained, data: 'none', licence: 'CC0-1.0' } as const;
  const weights = tokenizerParts(configOf({ config })).init(createRng(4));
  await mkdir(parent, { recursive: true });
  const tokenizer = await writeTokenizer(
    join(parent, 'tiny-tokenizer'),
    { ...about, id: 'tiny-tokenizer', config },
    weights,
  );
  const card: Omit<TokenCard, 'digest'> = {
    ...about,
    id: 'tiny-tokens',
    architecture: 'ar',
    config: CONFIG,
    positions: { rotate: { method: 'axial', base: 100 } as { method: string } },
    tokenizer: { id: 'tiny-tokenizer', digest: tokenizer.digest, factor: 4 },
    vocabulary: VOCABULARY,
    sampling: { decoder: 'sequential', temperature: 1, guidance: 2 },
    ...changes,
  };
  const random = Object.fromEntries(
    Object.entries(shapesOfAR(CONFIG)).map(([name, shape]) => {
      const draw = createRng(5).stream(name);
      return [name, { data: draw.normals(sizeOf(shape)).map((v) => v * 0.6), shape }];
    }),
  );
  const folder = join(parent, card.id);
  return { folder, card: await writeTokenModel(folder, card, random) };
}
