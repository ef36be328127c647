/**
 * What a comparison says: each arm's numbers over its sets of seeds, how much better or worse one arm is than another, and
 * the best method of each size. Ratios are of KID, of the same seeds and words on both sides, with bootstrap
 * intervals; a ratio of 1 is inside the interval where the pictures do not tell two arms apart.
 */
import type { Rng } from '../../tensor/rng.ts';
import { type Rows, rowsOf } from '../../tensor/rows.ts';
import type { Interval } from '../bootstrap.ts';
import { kidStatistic, pairedRatio, type Statistic } from '../metrics/paired-ratio.ts';
import { meanAndDeviation } from '../metrics/spread.ts';
import { MEASURES, type MeasureName, type Point } from './measures.ts';
import { type Arm, sameSize, sizeName } from './plan.ts';
import type { MeasuredCell, MeasuredSize, Resolution } from './run.ts';

/** An arm at one size, with the cells of all its sets of seeds. */
export type ArmAtSize = Arm & {
  readonly at: MeasuredSize;
  readonly cells: readonly MeasuredCell[];
  /** KID of some of its pictures, over all sets. */
  kid(): Statistic;
};

export function armsOf({ cells, sizes }: Resolution): ArmAtSize[] {
  return sizes.flatMap((at) => {
    const here = cells.filter(({ cell }) => cell.size === at.size);
    const first = here.filter(({ cell }) => cell.seeds === 0);
    return first.map(({ cell: { model, extend } }) => {
      const own = here.filter(({ cell }) => cell.model === model && cell.extend === extend);
      let statistic: Statistic | undefined;
      const kid = () => {
        statistic ??= kidStatistic(pooledOf(own), at.reference);
        return statistic;
      };
      return { model, extend, at, cells: own, kid };
    });
  });
}

/** The mean over sets of seeds, plus and minus one deviation of the mean; of one set, its own interval. */
export function pointOf(name: MeasureName, { cells }: Pick<ArmAtSize, 'cells'>): Point | undefined {
  const points = cells.map(MEASURES[name].of).filter((point) => point !== undefined);
  if (points.length < 2) return points[0];
  const { mean, deviation } = meanAndDeviation(points.map(({ value }) => value));
  const error = deviation / Math.sqrt(points.length - 1);
  return { value: mean, low: mean - error, high: mean + error };
}

/** KID of one arm over that of another, of the same seeds; they may be of two sizes. */
export function kidRatio(arm: ArmAtSize, against: ArmAtSize, rng: Rng): Interval {
  const count = Math.min(picturesOf(arm), picturesOf(against));
  return pairedRatio(count, arm.kid(), against.kid(), { rng, resamples: 400 });
}

const picturesOf = ({ cells }: ArmAtSize): number =>
  cells.reduce((sum, { pooled }) => sum + pooled.count, 0);

function pooledOf(cells: readonly MeasuredCell[]): Rows {
  const [{ pooled: first }] = cells as [MeasuredCell];
  const data = new Float64Array(cells.reduce((sum, { pooled }) => sum + pooled.data.length, 0));
  let at = 0;
  for (const { pooled } of cells) {
    data.set(pooled.data, at);
    at += pooled.data.length;
  }
  return rowsOf(data, first.width);
}

export type Comparison = {
  readonly size: string;
  readonly arm: string;
  readonly against: string;
  readonly ratio: Interval;
  /** The interval leaves 1 out, and what it is relative to is more than chance around 0. */
  readonly told: boolean;
};

export const armName = ({ model, extend }: Arm): string => `${model.id}, ${extend}`;

/**
 * Each method against none with the same model, each later model against the first with the same method, and each
 * size against its transpose (a method that treats both axes alike has a ratio near 1).
 */
export function compareArms(arms: readonly ArmAtSize[], rng: Rng): Comparison[] {
  const first = arms[0]?.model;
  const pairs = arms.flatMap((arm): [ArmAtSize, ArmAtSize][] => {
    const like = (test: (other: ArmAtSize) => boolean) =>
      arms
        .filter((other) => other !== arm && test(other))
        .map((o): [ArmAtSize, ArmAtSize] => [arm, o]);
    const { width, height } = arm.at.size;
    return [
      ...like(
        (o) => o.at === arm.at && o.model === arm.model && o.extend === 'none' && changes(arm),
      ),
      ...like(
        (o) =>
          o.at === arm.at && o.model === first && arm.model !== first && o.extend === arm.extend,
      ),
      ...like(
        (o) =>
          width > height &&
          sameSize(o.at.size, { width: height, height: width }) &&
          o.model === arm.model &&
          o.extend === arm.extend,
      ),
    ];
  });
  return pairs.map(([arm, against]) => {
    const size = sizeName(arm.at.size);
    const other = sizeName(against.at.size);
    const names = {
      size,
      arm: armName(arm),
      against: `${armName(against)}${size === other ? '' : ` at ${other}`}`,
    };
    const ratio = kidRatio(arm, against, rng.stream(JSON.stringify(names)));
    const told = isAboveZero(against) && (ratio.low > 1 || ratio.high < 1);
    return { ...names, ratio, told };
  });
}

/** KID is 0 on average for equal laws, and a ratio to such a one says nothing. */
const isAboveZero = (arm: ArmAtSize): boolean => pointOf('kid', arm)!.low > 0;

/** Whether a method draws other pictures than none. */
const changes = ({ cells }: ArmAtSize): boolean => cells[0]!.cell.drawnBy !== 'none';

const drawsLike = (a: ArmAtSize, b: ArmAtSize): boolean =>
  a.at === b.at && a.model === b.model && a.cells[0]!.cell.drawnBy === b.cells[0]!.cell.drawnBy;

export type Best = {
  readonly size: string;
  readonly arm: ArmAtSize;
  /** Others at this size that the pictures do not tell from it. */
  readonly alike: readonly string[];
};

/** The arm of the least KID at each size. */
export function bestOf(arms: readonly ArmAtSize[], rng: Rng): Best[] {
  const sizes = [...new Set(arms.map(({ at }) => at))];
  return sizes.map((at) => {
    const here = arms.filter((arm) => arm.at === at && arms.find((o) => drawsLike(arm, o)) === arm);
    const kid = (arm: ArmAtSize) => pointOf('kid', arm)!.value;
    const best = here.reduce((least, arm) => (kid(arm) < kid(least) ? arm : least));
    const size = sizeName(at.size);
    const alike = here.filter((arm) => {
      if (arm === best) return false;
      const ratio = kidRatio(best, arm, rng.stream(`best/${size}/${armName(arm)}`));
      return !(isAboveZero(arm) && ratio.high < 1);
    });
    return { size, arm: best, alike: alike.map(armName) };
  });
}
