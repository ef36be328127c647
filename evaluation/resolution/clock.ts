/** How long drawing takes: an estimate from two probes a model, then what is left at the speed that was seen. */
import type { Range } from './cell-files.ts';
import { type Cell, seedsOf } from './plan.ts';
import type { RenderCell } from './run.ts';

export type Missing = { readonly cell: Cell; readonly range: Range };
export type Estimate = {
  /** Pictures to draw, and all that the comparison needs. */
  readonly missing: number;
  readonly pictures: number;
  /** Cells to measure. */
  readonly cells: number;
  /** Of drawing and of measuring, with making what real drawings it needs. */
  readonly seconds: number;
};
export type Progress = {
  readonly stage: 'draw' | 'measure';
  readonly cell: Cell;
  readonly done: number;
  readonly of: number;
  readonly secondsLeft?: number;
};

export type ClockOptions = {
  readonly render: RenderCell;
  readonly drawing: (model: Cell['model']) => { readonly steps: number };
  readonly conditions: readonly (readonly number[])[];
  /** That draw at the same time. Default: one. */
  readonly workers?: number | undefined;
  readonly now: () => number;
  readonly onEstimate?: (estimate: Estimate) => void;
};

export type Work = {
  readonly missing: readonly Missing[];
  /** That the comparison needs, missing or not. */
  readonly pictures: number;
  /** Cells to measure. */
  readonly cells: number;
  /** Seconds that measuring will take. */
  readonly judging: number;
};

/** Pictures and steps of a probe. */
const PROBE = { pictures: 2, steps: 2 };

const pixelsOf = ({ size }: Pick<Cell, 'size'>) => size.width * size.height;
const countOf = ({ range }: Missing) => range.to - range.from;

export async function createClock(
  options: ClockOptions,
  { missing, pictures, cells, judging }: Work,
) {
  const { workers = 1 } = options;
  const costs = new Map<string, (pixels: number) => number>();
  for (const { cell } of missing)
    if (!costs.has(cell.model.id)) costs.set(cell.model.id, await probe(options, missing, cell));
  const expected = (one: Missing) =>
    countOf(one) * costs.get(one.cell.model.id)!(pixelsOf(one.cell));
  const total = missing.reduce((sum, one) => sum + expected(one), 0);
  const wanted = missing.reduce((sum, one) => sum + countOf(one), 0);
  if (wanted > 0 || cells > 0)
    options.onEstimate?.({ missing: wanted, pictures, cells, seconds: total / workers + judging });
  const started = options.now();
  let [drawn, spent] = [0, 0];
  return {
    at(cell: Cell): Progress {
      const taken = (options.now() - started) / 1000;
      const speed = spent > 0 ? taken / spent : 1 / workers; // seconds for each second that was expected
      const done = pictures - wanted + drawn;
      const secondsLeft = (total - spent) * speed + judging;
      return { stage: 'draw', cell, done, of: pictures, secondsLeft };
    },
    done(cell: Cell, range: Range): void {
      drawn += countOf({ cell, range });
      spent += expected({ cell, range });
    },
  };
}

/** Seconds of a picture by its pixels: a power law through the smallest and the largest size that are missing. */
async function probe(
  options: ClockOptions,
  missing: readonly Missing[],
  { model }: Cell,
): Promise<(pixels: number) => number> {
  const own = missing.map(({ cell }) => cell).filter((cell) => cell.model === model);
  const sorted = own.toSorted((a, b) => pixelsOf(a) - pixelsOf(b));
  const [small, large] = [sorted[0]!, sorted.at(-1)!];
  const secondsOf = async (cell: Cell) => {
    const { seconds } = await options.render({
      cell,
      conditions: options.conditions.slice(0, PROBE.pictures),
      seeds: seedsOf(0, PROBE.pictures),
      steps: PROBE.steps,
    });
    return (seconds * options.drawing(model).steps) / PROBE.steps;
  };
  const first = await secondsOf(small);
  if (pixelsOf(small) === pixelsOf(large)) return () => first;
  const power =
    Math.log((await secondsOf(large)) / first) / Math.log(pixelsOf(large) / pixelsOf(small));
  return (pixels) => first * (pixels / pixelsOf(small)) ** power;
}
