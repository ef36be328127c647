/**
 * The comparison over sizes: draws what is missing of every cell, measures it, and gives all numbers. It does not know
 * how pictures come to be: `render` is bound to this process, or to a queue, by whoever calls it.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { FeatureNetwork } from '../../encoders/features/contract.ts';
import type { Picture } from '../../png.ts';
import type { Size } from '../../sampling/noise.ts';
import type { Rows } from '../../tensor/rows.ts';
import { attributesOf } from '../attributes.ts';
import { checkVocabulary } from '../evaluate-model.ts';
import type { TrainingIndex } from '../memorisation.ts';
import { type Drawing, type Drawn, digestOf, partsOf, readPart, writePart } from './cell-files.ts';
import { createClock, type Estimate, type Missing, type Progress } from './clock.ts';
import { type HeldOut, heldOutCell, heldOutOf, type Unseen } from './held-out.ts';
import { judgingSeconds, type Unjudged } from './judging.ts';
import type { Asked } from './looks.ts';
import { folderOf, judgedFiles, measureAll } from './measure.ts';
import type { CellNumbers } from './measure-cell.ts';
import { type Cell, type PlanOptions, planCells, seedsOf } from './plan.ts';
import type { ReaderLike } from './reading.ts';
import { checkPictures, type Drawings } from './reference.ts';

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
  /** Default: held-out combinations are not drawn. */
  readonly unseen?: Unseen;
  /** What models were trained on, once for each side that one was trained at. Default: memorisation is not measured. */
  readonly training?: readonly TrainingIndex[];
  readonly network: FeatureNetwork;
  readonly readers: readonly ReaderLike[];
  readonly out: string;
  /** Processes that `render` has: each is asked for two parts at once, so that none waits. Default: this one, for one part. */
  readonly workers?: number | undefined;
  /** Milliseconds. */
  readonly now: () => number;
  readonly onEstimate?: (estimate: Estimate) => void;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
};

/** A cell and its first pictures. */
export type SeenCell = { readonly cell: Cell; readonly pictures: readonly Picture[] };
/** With its numbers and what ratios are taken of: not all of it fits in memory at once. */
export type MeasuredCell = SeenCell & {
  readonly drawing: Drawing;
  readonly numbers: CellNumbers;
  readonly pooled: Rows;
};
/** A size and its first real drawings. */
export type SeenSize = { readonly size: Size; readonly real: readonly Picture[] };
export type MeasuredSize = SeenSize & { readonly reference: Rows };
export type Resolution = {
  readonly cells: readonly MeasuredCell[];
  readonly sizes: readonly MeasuredSize[];
  /** Sizes that are looked at and not measured, and their cells. */
  readonly seen: { readonly sizes: readonly SeenSize[]; readonly cells: readonly SeenCell[] };
};

export async function measureResolution(options: ResolutionOptions): Promise<Resolution> {
  const cells = planCells(options);
  const { drawings, unseen, models, readers, samples } = options;
  checkDrawings(options);
  for (const { vocabulary } of models.flatMap(({ trainings }) => trainings)) {
    for (const { vocabulary: own } of unseen ? [drawings, unseen.drawings] : [drawings])
      checkVocabulary('drawings', own, vocabulary);
    for (const { card } of readers) checkVocabulary('reader', card.vocabulary, vocabulary);
  }
  await mkdir(options.out, { recursive: true });
  const attributes = attributesOf(drawings.vocabulary);
  const conditions = Array.from({ length: samples }, (_, i) => drawings.words(i));
  const heldOut = unseen && heldOutOf(unseen, { attributes, conditions });
  const run: Run = {
    ...options,
    ...{ cells, attributes, conditions, heldOut },
    ...(heldOut ? { combinations: heldOut.seen } : {}),
    /** Of the first words there are, which every number of samples shares. */
    asked: digestOf(
      drawings.vocabulary,
      Array.from({ length: 8 }, (_, i) => drawings.words(i)),
    ),
  };
  await drawMissing(run);
  return measureAll(run);
}

export type Run = ResolutionOptions &
  Asked & {
    readonly cells: readonly Cell[];
    /** A digest of the words that are asked for. */
    readonly asked: string;
    readonly heldOut: HeldOut | undefined;
  };

function checkDrawings({ drawings, samples }: ResolutionOptions): void {
  const least = 2 * samples;
  if (drawings.count >= least) return;
  throw new RangeError(
    `resolution: expected at least ${least} drawings (${samples} whose words are asked for, and as many for a reference), got ${drawings.count}; take fewer samples or more drawings`,
  );
}

/** Cells with pictures of their own: others share a folder with one of them. */
export const drawnCells = (cells: readonly Cell[]): Cell[] =>
  cells.filter((cell) => cells.find((other) => sharesPictures(cell, other)) === cell);

const sharesPictures = (a: Cell, b: Cell) =>
  a.model === b.model && a.size === b.size && a.seeds === b.seeds && a.drawnBy === b.drawnBy;

async function drawMissing(run: Run): Promise<void> {
  const { heldOut, signal, render, onProgress, workers } = run;
  const cells = drawnCells(run.cells);
  const own = cells.flatMap((cell) =>
    heldOut && cell.measured ? [cell, heldOutCell(cell, heldOut)] : [cell],
  );
  const missing: Missing[] = [];
  for (const cell of own)
    for (const range of partsOf(cell.samples))
      if (!(await readPart(folderOf(run, cell), range, cell.size))) missing.push({ cell, range });
  const clock = await createClock(run, {
    missing,
    pictures: own.reduce((sum, cell) => sum + cell.samples, 0),
    cells: unmeasured(run, own).length,
    judging: await judgingSeconds(run, unjudged(run, own)),
  });
  const next = missing.values();
  const drawParts = async () => {
    for (const { cell, range } of next) {
      signal?.throwIfAborted();
      onProgress?.(clock.at(cell));
      const part = [range.from, range.to] as const;
      const drawn = await render({
        cell,
        conditions: (cell.heldOut ? heldOut! : run).conditions.slice(...part),
        seeds: seedsOf(cell.seeds, cell.samples).slice(...part),
      });
      checkPictures('pictures', drawn.pictures, cell.size);
      const { model, size, drawnBy, seeds } = cell;
      const about = { model: model.id, digest: model.digest, size, drawnBy, seeds };
      await writePart(folderOf(run, cell), range, drawn, { ...about, ...run.drawing(model) });
      clock.done(cell, range);
    }
  };
  const atOnce = workers === undefined ? 1 : 2 * workers;
  await Promise.all(Array.from({ length: atOnce }, drawParts));
}

const unmeasured = (run: Run, own: readonly Cell[]): Cell[] =>
  own.filter((cell) => cell.measured && !existsSync(judgedFiles(run, cell).numbers));

/** What is left to judge of each size. */
function unjudged(run: Run, own: readonly Cell[]): Unjudged[] {
  const picturesOf = (cells: readonly Cell[]) => cells.reduce((sum, one) => sum + one.samples, 0);
  return [...run.sizes, ...(run.sheetSizes ?? [])].map((size) => {
    const cells = unmeasured(run, own).filter((cell) => cell.size === size);
    const unread = cells.filter((cell) => !existsSync(judgedFiles(run, cell).features));
    const heldOut = cells.length * (run.heldOut?.conditions.length ?? 0);
    return { size, unread: picturesOf(unread), unmeasured: picturesOf(cells), heldOut };
  });
}
