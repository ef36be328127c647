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
import { compareSeeds, type SeedComparison } from './seed-spread.ts';

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
    return first.map(({ cell: { name, extend } }) => {
      const own = here.filter(({ cell }) => cell.name === name && cell.extend === extend);
      let statistic: Statistic | undefined;
      const kid = () => {
        statistic ??= kidStatistic(pooledOf(own), at.reference);
        return statistic;
      };
      return { name, extend, at, cells: own, kid };
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

/** Methods of one model, models with one method, models each with its best method, one arm at a size and its transpose. */
export type Between = 'methods' | 'models' | 'best methods' | 'shapes';
export type Comparison = {
  readonly between: Between;
  readonly size: string;
  readonly arm: string;
  readonly against: string;
  readonly ratio: Interval;
  /** The interval leaves 1 out, and what it is relative to is more than chance around 0. */
  readonly told: boolean;
  /** Where both have several sets of seeds. */
  readonly seeds?: SeedComparison;
};

export const isOfModels = ({ between }: Pick<Comparison, 'between'>): boolean =>
  between === 'models' || between === 'best methods';

export const armName = ({ name, extend }: Arm): string => `${name}, ${extend}`;

/**
 * Each method against none with the same model, each later model against the first with the same method and with the
 * best of both, and each size against its transpose (a method that treats both axes alike has a ratio near 1). Pairs
 * of the same pictures are there once.
 */
export function compareArms(arms: readonly ArmAtSize[], rng: Rng): Comparison[] {
  return pairsOf(arms).map(({ between, arm, against }) => {
    const size = sizeName(arm.at.size);
    const other = sizeName(against.at.size);
    const names = {
      size,
      arm: armName(arm),
      against: `${armName(against)}${size === other ? '' : ` at ${other}`}`,
    };
    const ratio = kidRatio(arm, against, rng.stream(JSON.stringify(names)));
    const told = isAboveZero(against) && (ratio.low > 1 || ratio.high < 1);
    const seeds = compareSeeds(kidsOf(arm), kidsOf(against));
    return { between, ...names, ratio, told, ...(seeds ? { seeds } : {}) };
  });
}

type Pair = { readonly between: Between; readonly arm: ArmAtSize; readonly against: ArmAtSize };

function pairsOf(arms: readonly ArmAtSize[]): Pair[] {
  const first = arms[0]?.name;
  const drawn = drawnArms(arms);
  const best = new Set(bestOfEach(drawn));
  const pairs = drawn.flatMap((arm) => {
    const like = (between: Between, test: (other: ArmAtSize) => boolean): Pair[] =>
      arms.filter(test).map((other) => {
        const against = drawn.find((one) => drawsLike(one, other))!;
        return { between, arm, against };
      });
    const { width, height } = arm.at.size;
    const transposed = { width: height, height: width };
    const sameMethod = (o: ArmAtSize) => o.extend === arm.extend;
    const sameModel = (o: ArmAtSize) => o.name === arm.name;
    const firstModel = (o: ArmAtSize) => o.at === arm.at && o.name === first && !sameModel(o);
    const bare = (o: ArmAtSize) => o.extend === 'none' && arm.extend === 'none';
    return [
      ...like('methods', (o) => o.at === arm.at && sameModel(o) && o.extend === 'none'),
      ...like('best methods', (o) => firstModel(o) && best.has(arm) && best.has(o) && !bare(o)),
      ...like('models', (o) => firstModel(o) && sameMethod(o)),
      ...like(
        'shapes',
        (o) => width > height && sameSize(o.at.size, transposed) && sameModel(o) && sameMethod(o),
      ),
    ];
  });
  return pairs.filter(
    ({ arm, against }, i) =>
      arm !== against &&
      pairs.findIndex((other) => other.arm === arm && other.against === against) === i,
  );
}

/** KID x 1000 of each set. */
const kidsOf = ({ cells }: ArmAtSize): number[] =>
  cells.map((cell) => MEASURES.kid.of(cell)!.value);

/** KID is 0 on average for equal laws, and a ratio to such a one says nothing. */
const isAboveZero = (arm: ArmAtSize): boolean => pointOf('kid', arm)!.low > 0;

const drawsLike = (a: ArmAtSize, b: ArmAtSize): boolean =>
  a.at === b.at && a.name === b.name && a.cells[0]!.cell.drawnBy === b.cells[0]!.cell.drawnBy;

const kidOf = (arm: ArmAtSize): number => pointOf('kid', arm)!.value;
const leastOf = (arms: readonly ArmAtSize[]): ArmAtSize =>
  arms.reduce((least, arm) => (kidOf(arm) < kidOf(least) ? arm : least));

/** Arms with pictures of their own: where several draw the same, that whose method it is. */
export const drawnArms = (arms: readonly ArmAtSize[]): ArmAtSize[] =>
  arms.filter((arm) => {
    const alike = arms.filter((other) => drawsLike(arm, other));
    return (
      (alike.find(({ extend, cells }) => extend === cells[0]!.cell.drawnBy) ?? alike[0]) === arm
    );
  });

/** Each model's arm of the least KID at each size. */
export const bestOfEach = (drawn: readonly ArmAtSize[]): ArmAtSize[] =>
  drawn.filter(
    (arm) => leastOf(drawn.filter(({ at, name }) => at === arm.at && name === arm.name)) === arm,
  );

export type Best = {
  readonly size: string;
  readonly arm: ArmAtSize;
  /** Others at this size that the pictures do not tell from it. */
  readonly alike: readonly string[];
};

/** The arm of the least KID at each size. */
export function bestOf(arms: readonly ArmAtSize[], rng: Rng): Best[] {
  const sizes = [...new Set(arms.map(({ at }) => at))];
  const drawn = drawnArms(arms);
  return sizes.map((at) => {
    const here = drawn.filter((arm) => arm.at === at);
    const best = leastOf(here);
    const size = sizeName(at.size);
    const alike = here.filter((arm) => {
      if (arm === best) return false;
      const ratio = kidRatio(best, arm, rng.stream(`best/${size}/${armName(arm)}`));
      return !(isAboveZero(arm) && ratio.high < 1);
    });
    return { size, arm: best, alike: alike.map(armName) };
  });
}
