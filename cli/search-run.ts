/** Runs `ropewalk search longrope`. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { longrope } from '../encoders/positions/extend/longrope.ts';
import { type ModelCard, readModel } from '../generators/model.ts';
import { checkSize } from '../pipelines/diffusion.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import { createRng } from '../tensor/rng.ts';
import { openAvatars } from '../training/data/avatars.ts';
import type { Dataset } from '../training/data/dataset.ts';
import { openEmoji } from '../training/data/emoji.ts';
import { openFolder } from '../training/data/folder.ts';
import { createFactorLoss } from '../training/longrope-loss.ts';
import { type Found, searchLongrope } from '../training/longrope-search.ts';
import type { Context } from './context.ts';
import { openDevice } from './device.ts';
import { chooseModel } from './files.ts';
import { checkWritable } from './pictures.ts';
import { duration, progressLine } from './progress.ts';
import type { SearchLongropeCommand } from './search.ts';

export async function searchFactors(
  options: SearchLongropeCommand,
  context: Context,
): Promise<void> {
  const { folder, card } = await chooseModel(options.model, context);
  if (!options.out.endsWith('.json'))
    throw new RangeError(`--out: expected a file that ends in .json, got '${options.out}'`);
  checkSize({ height: options.size, width: options.size }, card);
  await checkWritable(dirname(options.out));
  const line = progressLine(context.stderr, () => performance.now());
  const data = await openPicturesFor(card, options, (done) => line.show(`${done} pictures made`));
  const engine = await openDevice(options, context);
  const model = await readModel(folder);
  const factors = await createFactorLoss({ engine, model, data, seed: options.seed });
  const began = performance.now();
  const found = await searchLongrope({
    ...factors,
    rng: createRng(options.seed).stream('longrope'),
    population: options.population,
    generations: options.generations,
    signal: context.signal,
    onJudged: ({ done, of, best }) => {
      const left = ((performance.now() - began) / 1000 / done) * (of - done);
      line.show(`${done} of ${of}: best loss ${best.toFixed(5)}, ${duration(left)} left`);
    },
  }).finally(() => {
    line.end();
    return factors.dispose();
  });
  const { y, x } = found.best.factors;
  const text = `${JSON.stringify({ method: longrope.name, y, x }, null, 2)}\n`;
  await mkdir(dirname(options.out), { recursive: true });
  await replaceFile(options.out, (handle) => writeFully(handle, Buffer.from(text)));
  context.stdout.write(`${report(found)}${options.out}\n`);
}

/** Pictures that the model was not trained on, where its set has some, or those of a folder. */
async function openPicturesFor(
  { id, data, trained }: ModelCard,
  { size, pictures, samples, cache }: SearchLongropeCommand,
  onProgress: (done: number) => void,
): Promise<Dataset> {
  const common = { size, cache, onProgress };
  if (pictures !== undefined)
    return first(await openFolder({ folder: pictures, ...common }), samples);
  if (data === 'avatars') return openAvatars({ ...common, count: samples, split: 'validation' });
  if (data === 'emoji')
    return first(await openEmoji({ ...common, split: 'held-out-cells' }), samples);
  throw new RangeError(
    `--pictures: expected a folder of pictures as '${id}' was trained on at ${trained.width}x${trained.height}, got none; name one`,
  );
}

const first = (data: Dataset, samples: number): Dataset => ({
  ...data,
  length: Math.min(samples, data.length),
});

/** Losses of what the search began with and of what it found, if that is better. */
function report({ best, seeds }: Found): string {
  const rows = seeds.includes(best) ? seeds : [...seeds, best];
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, loss }) => `${name.padEnd(width)}  ${loss.toFixed(6)}\n`).join('');
}
