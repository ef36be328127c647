/** Measures the pictures of all cells, size by size, so that the drawings of one size only are in memory. */
import { join } from 'node:path';
import type { Picture } from '../../png.ts';
import { createRng } from '../../tensor/rng.ts';
import {
  cellFolder,
  type Drawn,
  digestOf,
  partsOf,
  readJson,
  readPart,
  writeJson,
} from './cell-files.ts';
import { keptFeatures, readFeatures } from './features.ts';
import { heldOutCell, scoreHeldOut } from './held-out.ts';
import { lookAt } from './looks.ts';
import {
  type CellNumbers,
  type MeasureCellOptions,
  measureCell,
  NUMBERS_VERSION,
} from './measure-cell.ts';
import { type Cell, isTrained, SHOWN } from './plan.ts';
import { readerAt } from './reading.ts';
import { checkPictures, shorter } from './reference.ts';
import type { MeasuredCell, Resolution, Run, SeenCell, SeenSize } from './run.ts';
import { referenceAt, type SizeReference } from './size-reference.ts';

export const folderOf = ({ out, asked, heldOut, drawing }: Run, cell: Cell) =>
  cellFolder(out, cell, drawing(cell.model), cell.heldOut ? heldOut!.asked : asked);

/** Where a cell's features and numbers are kept, by all that decides them. */
export function judgedFiles(run: Run, cell: Cell) {
  const { network, samples, drawings, heldOut } = run;
  const judged = digestOf(network.name, network.sees, network.kernel, samples);
  const reader = readerAt(run.readers, cell.size).digest;
  const compared = trainedCell(run, cell) !== undefined;
  const also = [heldOut?.drawings.name, trainingOf(run, cell)?.name];
  const judges = digestOf(judged, reader, drawings.name, compared, NUMBERS_VERSION, also);
  const folder = folderOf(run, cell);
  return {
    features: join(folder, `features-${judged}.safetensors`),
    numbers: join(folder, `numbers-${judges}.json`),
    judges,
  };
}

export async function measureAll(run: Run): Promise<Resolution> {
  const cells: MeasuredCell[] = [];
  const sizes: Resolution['sizes'][number][] = [];
  const start = run.now();
  const of = run.cells.filter(({ measured }) => measured).length;
  for (const size of run.sizes) {
    const reference = await referenceAt(run, size);
    for (const cell of run.cells.filter((one) => one.size === size)) {
      run.signal?.throwIfAborted();
      const done = cells.length;
      const each = (run.now() - start) / 1000 / done;
      const left = done > 0 ? { secondsLeft: each * (of - done) } : {};
      run.onProgress?.({ stage: 'measure', cell, done, of, ...left });
      cells.push(await measureOne(run, cell, reference));
    }
    const { real, features } = reference;
    sizes.push({ size, real: real.slice(0, SHOWN), reference: features.pooled });
  }
  return { cells, sizes, seen: await seenSizes(run) };
}

/** Sizes of which a few pictures are shown. */
async function seenSizes(run: Run): Promise<Resolution['seen']> {
  const sizes: SeenSize[] = [];
  const cells: SeenCell[] = [];
  for (const size of run.sheetSizes ?? []) {
    const real = await run.drawings.at(size);
    checkPictures('drawings', real, size);
    sizes.push({ size, real: real.slice(0, SHOWN) });
    for (const cell of run.cells.filter((one) => one.size === size))
      cells.push({ cell, pictures: (await readCell(run, cell)).pictures });
  }
  return { sizes, cells };
}

async function measureOne(
  run: Run,
  cell: Cell,
  { reader, judge }: SizeReference,
): Promise<MeasuredCell> {
  const { network, signal } = run;
  const files = judgedFiles(run, cell);
  const { pictures, seconds } = await readCell(run, cell);
  const features = await keptFeatures(files.features, () =>
    readFeatures(network, pictures, signal),
  );
  const measure = async () => {
    const trained = trainedCell(run, cell);
    const training = trainingOf(run, cell);
    return measureCell({
      ...{ pictures, seconds, features, reader, ...(await judge()) },
      looks: await lookAt(pictures, reader, run),
      patch: cell.model.config.patch,
      ...(trained ? { trained: (await readCell(run, trained)).pictures } : {}),
      ...(training ? { training } : {}),
      ...(await readHeldOut(run, cell, reader)),
      rng: createRng(0).stream(`resolution/${files.judges}`),
    });
  };
  const kept = await readJson<CellNumbers>(files.numbers);
  const numbers = kept ?? (await measure());
  if (!kept) await writeJson(files.numbers, numbers);
  return {
    ...{ cell, drawing: run.drawing(cell.model), numbers },
    pictures: pictures.slice(0, SHOWN),
    pooled: features.pooled,
  };
}

async function readHeldOut(
  run: Run,
  cell: Cell,
  reader: SizeReference['reader'],
): Promise<Pick<MeasureCellOptions, 'heldOut'>> {
  const { attributes, heldOut } = run;
  if (!heldOut) return {};
  const { pictures } = await readCell(run, heldOutCell(cell, heldOut));
  const scores = await scoreHeldOut(pictures, reader, { attributes, heldOut });
  return { heldOut: { scores, seen: heldOut.seen } };
}

async function readCell(run: Run, cell: Cell): Promise<Drawn> {
  const pictures: Picture[] = [];
  let seconds = 0;
  for (const range of partsOf(cell.samples)) {
    const part = await readPart(folderOf(run, cell), range, cell.size);
    if (!part)
      throw new Error(
        `resolution: expected pictures ${range.from} to ${range.to} in '${folderOf(run, cell)}', got none; start again to draw them`,
      );
    pictures.push(...part.pictures);
    seconds += (part.seconds * part.pictures.length) / cell.samples;
  }
  return { pictures, seconds };
}

/** The drawings that its model was trained on, where they are given. */
const trainingOf = ({ training = [] }: Run, { model: { trained } }: Cell) =>
  training.find(({ side }) => side === shorter(trained));

/** The same seeds at the trained size, where that is among the sizes. */
const trainedCell = ({ cells }: Run, cell: Cell): Cell | undefined =>
  isTrained(cell)
    ? undefined
    : cells.find(
        (one) =>
          one.measured &&
          isTrained(one) &&
          one.model === cell.model &&
          one.seeds === cell.seeds &&
          one.drawnBy === 'none',
      );
