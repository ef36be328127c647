/**
 * The comparison over sizes: draws what is missing of every cell, measures it, and gives all numbers. It does not know
 * how pictures come to be: `render` is bound to this process, or to a queue, by whoever calls it.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeatureNetwork } from '../../encoders/features/contract.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import { createRng } from '../../tensor/rng.ts';
import type { Rows } from '../../tensor/rows.ts';
import { type Attributes, attributesOf } from '../attributes.ts';
import { checkVocabulary } from '../evaluate-model.ts';
import {
  cellFolder,
  type Drawing,
  type Drawn,
  digestOf,
  partsOf,
  type Range,
  readJson,
  readPart,
  writeJson,
  writePart,
} from './cell-files.ts';
import { createClock, type Estimate, type Progress } from './clock.ts';
import { keptFeatures, readFeatures } from './features.ts';
import { type CellNumbers, measureCell, type SizeReference } from './measure-cell.ts';
import { type Cell, isTrained, type PlanOptions, planCells, seedsOf } from './plan.ts';
import type { ReaderLike } from './reading.ts';
import { checkPictures, type Drawings } from './reference.ts';
import { judgingSeconds, referenceAt } from './size-reference.ts';

/** One picture for each condition (word ids) with its seed; `seconds` is what one took, without compiling. */
export type RenderCell = (asked: {
  readonly cell: Pick<Cell, 'model' | 'positions' | 'size' | 'drawnBy'>;
  readonly conditions: readonly (readonly number[])[];
  readonly seeds: readonly number[];
  /** In place of the steps that pictures are drawn with: a probe of the time. */
  readonly steps?: number;
}) => Promise<Drawn>;

export type ResolutionOptions = PlanOptions & {
  readonly render: RenderCell;
  /** How `render` draws with a model. */
  readonly drawing: (model: Cell['model']) => Drawing;
  readonly drawings: Drawings;
  readonly network: FeatureNetwork;
  readonly readers: readonly ReaderLike[];
  readonly out: string;
  /** Milliseconds. */
  readonly now: () => number;
  readonly onEstimate?: (estimate: Estimate) => void;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
};

/** A cell's numbers, its first pictures and what ratios are taken of: not all of it fits in memory at once. */
export type MeasuredCell = {
  readonly cell: Cell;
  readonly drawing: Drawing;
  readonly numbers: CellNumbers;
  readonly pictures: readonly Picture[];
  readonly pooled: Rows;
};
export type MeasuredSize = {
  readonly size: Size;
  /** The first real drawings. */
  readonly real: readonly Picture[];
  readonly reference: Rows;
};
export type Resolution = {
  readonly cells: readonly MeasuredCell[];
  readonly sizes: readonly MeasuredSize[];
};

/** Pictures of a cell that are shown. */
export const SHOWN = 12;

export async function measureResolution(options: ResolutionOptions): Promise<Resolution> {
  const cells = planCells(options);
  const { drawings, models, readers, samples } = options;
  checkDrawings(options);
  for (const { vocabulary } of models) {
    checkVocabulary('drawings', drawings.vocabulary, vocabulary);
    for (const { card } of readers) checkVocabulary('reader', card.vocabulary, vocabulary);
  }
  await mkdir(options.out, { recursive: true });
  const run: Run = {
    ...options,
    cells,
    attributes: attributesOf(drawings.vocabulary),
    conditions: Array.from({ length: samples }, (_, i) => drawings.words(i)),
    /** Of the first words there are, which every number of samples shares. */
    asked: digestOf(
      drawings.vocabulary,
      Array.from({ length: 8 }, (_, i) => drawings.words(i)),
    ),
  };
  await drawMissing(run);
  return measureAll(run);
}

type Run = ResolutionOptions & {
  readonly cells: readonly Cell[];
  readonly attributes: Attributes;
  readonly conditions: readonly (readonly number[])[];
  readonly asked: string;
};

function checkDrawings({ drawings, samples }: ResolutionOptions): void {
  const least = 2 * samples;
  if (drawings.count >= least) return;
  throw new RangeError(
    `resolution: expected at least ${least} drawings (${samples} whose words are asked for, and as many for a reference), got ${drawings.count}; take fewer samples or more drawings`,
  );
}

const folderOf = ({ out, asked, drawing }: Run, cell: Cell) =>
  cellFolder(out, cell, drawing(cell.model), asked);

/** Cells with pictures of their own: others share a folder with one of them. */
export const drawnCells = (cells: readonly Cell[]): Cell[] =>
  cells.filter((cell) => cells.find((other) => sharesPictures(cell, other)) === cell);

const sharesPictures = (a: Cell, b: Cell) =>
  a.model === b.model && a.size === b.size && a.seeds === b.seeds && a.drawnBy === b.drawnBy;

async function drawMissing(run: Run): Promise<void> {
  const { samples, signal, render, onProgress } = run;
  const own = drawnCells(run.cells);
  const missing: { cell: Cell; range: Range }[] = [];
  for (const cell of own)
    for (const range of partsOf(samples))
      if (!(await readPart(folderOf(run, cell), range, cell.size))) missing.push({ cell, range });
  const judging = () => judgingSeconds(run, missing);
  const clock = await createClock({ ...run, judging }, missing, own.length * samples);
  for (const { cell, range } of missing) {
    signal?.throwIfAborted();
    onProgress?.(clock.at(cell));
    const part = [range.from, range.to] as const;
    const drawn = await render({
      cell,
      conditions: run.conditions.slice(...part),
      seeds: seedsOf(cell.seeds, samples).slice(...part),
    });
    checkPictures('pictures', drawn.pictures, cell.size);
    const { model, size, drawnBy, seeds } = cell;
    const about = { model: model.id, digest: model.digest, size, drawnBy, seeds };
    await writePart(folderOf(run, cell), range, drawn, { ...about, ...run.drawing(model) });
    clock.done(cell, range);
  }
}

/** Size by size, so that the drawings of one size only are in memory. */
async function measureAll(run: Run): Promise<Resolution> {
  const cells: MeasuredCell[] = [];
  const sizes: MeasuredSize[] = [];
  const start = run.now();
  for (const size of run.sizes) {
    const reference = await referenceAt(run, size);
    for (const cell of run.cells.filter((one) => one.size === size)) {
      run.signal?.throwIfAborted();
      const [done, of] = [cells.length, run.cells.length];
      const each = (run.now() - start) / 1000 / done;
      const left = done > 0 ? { secondsLeft: each * (of - done) } : {};
      run.onProgress?.({ stage: 'measure', cell, done, of, ...left });
      cells.push(await measureOne(run, cell, reference));
    }
    const { real, features } = reference;
    sizes.push({ size, real: real.slice(0, SHOWN), reference: features.pooled });
  }
  return { cells, sizes };
}

async function measureOne(run: Run, cell: Cell, reference: SizeReference): Promise<MeasuredCell> {
  const { network, samples, attributes, conditions, drawings, signal } = run;
  const folder = folderOf(run, cell);
  const { pictures, seconds } = await readCell(run, cell);
  const judged = digestOf(network.name, network.sees, network.kernel, samples);
  const features = await keptFeatures(join(folder, `features-${judged}.safetensors`), () =>
    readFeatures(network, pictures, signal),
  );
  const base = await trainedPictures(run, cell);
  const judges = digestOf(judged, reference.reader.digest, drawings.name, base !== undefined);
  const path = join(folder, `numbers-${judges}.json`);
  const kept = await readJson<CellNumbers>(path);
  const numbers =
    kept ??
    (await measureCell({
      ...{ pictures, seconds, features, reference, attributes, conditions },
      patch: cell.model.config.patch,
      ...(base ? { trained: base } : {}),
      rng: createRng(0).stream(`resolution/${judges}`),
    }));
  if (!kept) await writeJson(path, numbers);
  return {
    ...{ cell, drawing: run.drawing(cell.model), numbers },
    pictures: pictures.slice(0, SHOWN),
    pooled: features.pooled,
  };
}

async function readCell(run: Run, cell: Cell): Promise<Drawn> {
  const pictures: Picture[] = [];
  let seconds = 0;
  for (const range of partsOf(run.samples)) {
    const part = await readPart(folderOf(run, cell), range, cell.size);
    if (!part)
      throw new Error(
        `resolution: expected pictures ${range.from} to ${range.to} in '${folderOf(run, cell)}', got none; start again to draw them`,
      );
    pictures.push(...part.pictures);
    seconds += (part.seconds * part.pictures.length) / run.samples;
  }
  return { pictures, seconds };
}

/** The same seeds at the trained size, where that is among the sizes. */
async function trainedPictures(run: Run, cell: Cell): Promise<readonly Picture[] | undefined> {
  if (isTrained(cell)) return undefined;
  const same = run.cells.find(
    (one) =>
      isTrained(one) &&
      one.model === cell.model &&
      one.seeds === cell.seeds &&
      one.drawnBy === 'none',
  );
  return same && (await readCell(run, same)).pictures;
}
