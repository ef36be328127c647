/** Draws the sheet of `ropewalk start`: every style of the model twice, with attributes by chance. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Word } from '../encoders/conditioning/attributes.ts';
import { type ModelCard, readModel } from '../generators/model.ts';
import { type Asked, createDiffusionPipeline } from '../pipelines/diffusion.ts';
import { contactSheet, encodePng, halfBlocks } from '../png.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import { createRng } from '../tensor/rng.ts';
import { type Context, showsPictures } from './context.ts';
import { openDevice } from './device.ts';
import { chooseModel } from './files.ts';
import { checkWritable } from './pictures.ts';
import { duration, progressLine } from './progress.ts';
import type { StartOptions } from './start.ts';

const COLUMNS = 6;
/** Pictures of each style, or of a model without styles altogether. */
const EACH = 2;
const PLAIN = 12;

export async function start(options: StartOptions, context: Context): Promise<void> {
  const { folder, card } = await chooseModel(options.model, context);
  await checkWritable(options.out);
  const { stdout, stderr, signal } = context;
  const engine = await openDevice(options, context);
  const pipeline = createDiffusionPipeline({ engine, model: await readModel(folder) });
  const asked = askedOf(card, options.seed);
  stderr.write(`${asked.length} pictures by '${card.id}' (${card.title})\n`);
  const line = progressLine(stderr, () => performance.now());
  const began = performance.now();
  const pictures = await pipeline.draw(asked, {
    signal,
    onStep: ({ step, steps }) => {
      const left = ((performance.now() - began) / 1000 / step) * (steps - step);
      line.show(`step ${step} of ${steps}, ${duration(left)} left`);
    },
  });
  line.end();
  await pipeline.dispose();

  const sheet = await contactSheet(pictures, { columns: COLUMNS });
  await mkdir(options.out, { recursive: true });
  const path = join(options.out, `${card.id}-sheet.png`);
  const file = await encodePng(sheet);
  await replaceFile(path, (handle) => writeFully(handle, file));
  if (showsPictures(context)) stdout.write(halfBlocks(sheet, stdout.columns! - 1));
  stdout.write(`The sheet is in ${resolve(path)}\n`);
  const example = exampleOf(card);
  stdout.write(`Ask for your own: npx ropewalk generate "${example}" --seed 7 --count 4\n`);
}

const stylesOf = ({ vocabulary }: ModelCard): number[] =>
  vocabulary.flatMap((word, id) => (word.startsWith('style=') ? [id] : []));

function askedOf(card: ModelCard, seed: number): Asked[] {
  const styles = stylesOf(card);
  const count = styles.length > 0 ? EACH * styles.length : PLAIN;
  return Array.from({ length: count }, (_, i) => ({
    words: styles.length > 0 ? someWords(card, styles[i % styles.length]!, seed + i) : [],
    seed: seed + i,
  }));
}

/** A style with one of its words for every attribute, drawn from the picture's seed. */
function someWords({ styles = {}, vocabulary }: ModelCard, style: number, seed: number): Word[] {
  const rng = createRng(seed).stream('words');
  const choices = new Map<string, string[]>();
  for (const word of styles[vocabulary[style]!] ?? []) {
    const attribute = word.split('=')[0]!;
    if (attribute === 'style') continue;
    choices.set(attribute, [...(choices.get(attribute) ?? []), word]);
  }
  const words = [...choices.values()].map((values) => values[rng.integer(values.length)]!);
  return [style, ...words.map((word) => vocabulary.indexOf(word))].map((id) => ({ id }));
}

function exampleOf(card: ModelCard): string {
  if (card.vocabulary.includes('style=avataaars')) return 'avataaars, red hair, glasses';
  const style = stylesOf(card)[0];
  return style === undefined ? (card.vocabulary[0] ?? '') : card.vocabulary[style]!.slice(6);
}
