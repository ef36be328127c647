/** The README.md of a folder that a training writes, without measurements. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelCard } from '../generators/model.ts';
import type { TokenCard } from '../generators/token-model.ts';
import type { TokenizerCard } from '../generators/tokenizer-card.ts';
import { modelReadme, tokenModelReadme } from './model-readme.ts';
import { tokenizerReadme } from './tokenizer-report.ts';

export const writeModelPage = (folder: string, card: ModelCard): Promise<void> =>
  writeFile(join(folder, 'README.md'), modelReadme(card));

export const writeTokenModelPage = (folder: string, card: TokenCard): Promise<void> =>
  writeFile(join(folder, 'README.md'), tokenModelReadme(card));

export const writeTokenizerPage = (folder: string, card: TokenizerCard): Promise<void> =>
  writeFile(join(folder, 'README.md'), tokenizerReadme(card));
