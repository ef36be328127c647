/** What a tokenizer's evaluation leaves on disk: numbers, a table, a sheet, and its card and page. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTokenizerCard, type TokenizerCard } from '../generators/tokenizer-card.ts';
import { contactSheet, encodePng, type Picture } from '../png.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import type { TokenizerEvaluation } from './evaluate-tokenizer.ts';
import {
  formatTokenizer,
  tokenizerBars,
  tokenizerNumbers,
  tokenizerReadme,
} from './tokenizer-report.ts';

const SHEET = 48;
const COLUMNS = 8;

export async function writeTokenizerEvaluation(
  folder: string,
  {
    evaluation,
    reconstructions,
    pictures,
  }: {
    readonly evaluation: TokenizerEvaluation;
    readonly reconstructions: readonly Picture[];
    readonly pictures: readonly Picture[];
  },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const whole = { ...evaluation, bars: tokenizerBars(evaluation) };
  await writeFile(join(folder, 'tokenizer.json'), `${JSON.stringify(whole, null, 2)}\n`);
  await writeFile(join(folder, 'tokenizer.txt'), formatTokenizer(evaluation));
  const pairs = pictures.slice(0, SHEET).flatMap((picture, i) => [picture, reconstructions[i]!]);
  const sheet = await contactSheet(pairs, { columns: 2 * COLUMNS });
  await writeFile(join(folder, 'reconstructions.png'), await encodePng(sheet));
}

/** Puts the numbers into a tokenizer's card and page; the weights must be those that were measured. */
export async function recordTokenizerEvaluation(
  folder: string,
  evaluation: TokenizerEvaluation,
): Promise<TokenizerCard> {
  const card = await readTokenizerCard(folder);
  if (card.digest !== evaluation.model.digest)
    throw new Error(
      `evaluate: expected numbers of the weights ${card.digest.slice(0, 12)} in '${folder}', got those of ${evaluation.model.digest.slice(0, 12)}; measure this tokenizer`,
    );
  const measured = { ...card, numbers: tokenizerNumbers(evaluation) };
  const write = (name: string, text: string) =>
    replaceFile(join(folder, name), (file) => writeFully(file, new TextEncoder().encode(text)));
  await write('tokenizer.json', `${JSON.stringify(measured, null, 2)}\n`);
  await write('README.md', tokenizerReadme(measured, evaluation));
  return measured;
}
