/** What an evaluation leaves on disk: numbers, a table, sheets to look at, and a model's card and page. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AnyCard, readAnyCard } from '../generators/token-model.ts';
import { contactSheet, encodePng, type Picture } from '../png.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import type { Evaluation, evaluateModel, Samples } from './evaluate-model.ts';
import { readmeOf } from './model-readme.ts';
import { barsOf, formatEvaluation, numbersOf } from './report.ts';

/** Pictures on a sheet, of each side. */
const SHEET = 48;
const COLUMNS = 8;

/** Writes evaluation.json, evaluation.txt and sheets of the first pictures, generated beside real with the same words. */
export async function writeEvaluation(
  folder: string,
  { evaluation, seen, heldOut }: Awaited<ReturnType<typeof evaluateModel>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const whole = { ...evaluation, bars: barsOf(evaluation) };
  await writeFile(join(folder, 'evaluation.json'), `${JSON.stringify(whole, null, 2)}\n`);
  await writeFile(join(folder, 'evaluation.txt'), formatEvaluation(evaluation));
  const sides = [
    ['seen', seen],
    ['held-out', heldOut],
  ] as const;
  for (const [name, samples] of sides)
    if (samples)
      await writeFile(join(folder, `${name}.png`), await encodePng(await sheet(samples)));
}

/** Each generated picture with the real drawing of the same words to its right. */
function sheet({ generated, real }: Samples): Promise<Picture> {
  const pairs = generated.slice(0, SHEET).flatMap((picture, i) => [picture, real[i]!]);
  return contactSheet(pairs, { columns: 2 * COLUMNS });
}

/**
 * Puts the numbers into a model's card and page, there beside those that another's card has; the weights must be
 * those that were measured.
 */
export async function recordEvaluation(
  folder: string,
  evaluation: Evaluation,
  beside?: AnyCard,
): Promise<AnyCard> {
  const card = await readAnyCard(folder);
  if (card.digest !== evaluation.model.digest)
    throw new Error(
      `evaluate: expected numbers of the weights ${card.digest.slice(0, 12)} in '${folder}', got those of ${evaluation.model.digest.slice(0, 12)}; measure this model`,
    );
  const measured = { ...card, numbers: numbersOf(evaluation) };
  const write = (name: string, text: string) =>
    replaceFile(join(folder, name), (file) => writeFully(file, new TextEncoder().encode(text)));
  await write('model.json', `${JSON.stringify(measured, null, 2)}\n`);
  await write('README.md', readmeOf(measured, evaluation, beside));
  return measured;
}
