/** Every number of a cell by its name, as tables, charts and files show it. */
import type { MeasuredCell } from './run.ts';

/** A mean and how far it may be off, in one unit. */
export type Point = { readonly value: number; readonly low: number; readonly high: number };
export type MeasureName =
  | 'kid'
  | 'frechet'
  | 'spatial'
  | 'crops'
  | 'precision'
  | 'recall'
  | 'density'
  | 'coverage'
  | 'style'
  | 'attributes'
  | 'heldOut'
  | 'seenAlike'
  | 'nearest'
  | 'copies'
  | 'seams'
  | 'duplication'
  | 'apart'
  | 'spread'
  | 'consistency'
  | 'seconds';

export type Measure = {
  readonly title: string;
  readonly better: 'less' | 'more' | 'one' | 'neither';
  /** Of one cell; nothing where it was not measured. */
  readonly of: (cell: MeasuredCell) => Point | undefined;
  /** The same of real drawings. */
  readonly real?: (cell: MeasuredCell) => number | undefined;
};

const exactly = (value: number | undefined): Point | undefined =>
  value === undefined ? undefined : { value, low: value, high: value };
const give = ({ value, error }: { value: number; error: number }, times = 1): Point => ({
  value: value * times,
  low: (value - error) * times,
  high: (value + error) * times,
});

/** Nothing where what it is relative to is 0: a reader that finds none in real drawings. */
const finite = (point: Point | undefined): Point | undefined =>
  point && Object.values(point).every(Number.isFinite) ? point : undefined;

export const MEASURES: Readonly<Record<MeasureName, Measure>> = {
  kid: {
    title: 'KID x 1000',
    better: 'less',
    of: ({ numbers }) => give(numbers.generated.kid, 1000),
    real: ({ numbers }) => numbers.real.kid.value * 1000,
  },
  attributes: {
    title: 'attributes found, relative to real',
    better: 'more',
    of: ({ numbers }) => numbers.attributes.relative,
    real: ({ numbers }) => numbers.attributes.real.value,
  },
  style: {
    title: 'style found, relative to real',
    better: 'more',
    of: ({ numbers }) => numbers.style.relative,
    real: ({ numbers }) => numbers.style.real.value,
  },
  heldOut: {
    title: 'held-out combinations, relative to real',
    better: 'more',
    of: ({ numbers }) => finite(numbers.heldOut?.combination.relative),
    real: ({ numbers }) => numbers.heldOut?.combination.real.value,
  },
  seenAlike: {
    title: 'seen combinations of the same attributes, relative to real',
    better: 'more',
    of: ({ numbers }) => finite(numbers.heldOut?.seen?.combination.relative),
    real: ({ numbers }) => numbers.heldOut?.seen?.combination.real.value,
  },
  nearest: {
    title: 'nearest training drawing, relative to real',
    better: 'one',
    of: ({ numbers }) => finite(numbers.memorisation?.averaged.relative.median),
    real: ({ numbers }) => numbers.memorisation?.averaged.real.median.value,
  },
  copies: {
    title: 'the same, 5 % quantile',
    better: 'one',
    of: ({ numbers }) => finite(numbers.memorisation?.averaged.relative.low),
    real: ({ numbers }) => numbers.memorisation?.averaged.real.low.value,
  },
  frechet: {
    title: 'Frechet distance',
    better: 'less',
    of: ({ numbers }) => exactly(numbers.generated.frechet.value),
    real: ({ numbers }) => numbers.real.frechet.value,
  },
  spatial: {
    title: 'Frechet distance in places',
    better: 'less',
    of: ({ numbers }) => exactly(numbers.generated.spatial?.value),
    real: ({ numbers }) => numbers.real.spatial?.value,
  },
  crops: {
    title: 'KID x 1000 of crops',
    better: 'less',
    of: ({ numbers: { generated } }) => generated.crops && give(generated.crops, 1000),
    real: ({ numbers: { real } }) => real.crops && real.crops.value * 1000,
  },
  precision: {
    title: 'precision',
    better: 'more',
    of: ({ numbers }) => exactly(numbers.generated.precision),
    real: ({ numbers }) => numbers.real.precision,
  },
  recall: {
    title: 'recall',
    better: 'more',
    of: ({ numbers }) => exactly(numbers.generated.recall),
    real: ({ numbers }) => numbers.real.recall,
  },
  density: {
    title: 'density',
    better: 'more',
    of: ({ numbers }) => exactly(numbers.generated.density),
    real: ({ numbers }) => numbers.real.density,
  },
  coverage: {
    title: 'coverage',
    better: 'more',
    of: ({ numbers }) => exactly(numbers.generated.coverage),
    real: ({ numbers }) => numbers.real.coverage,
  },
  duplication: {
    title: 'duplication, above real',
    better: 'less',
    of: ({ numbers }) => numbers.duplication.difference,
    real: ({ numbers }) => numbers.duplication.real.value,
  },
  seams: {
    title: 'seams, relative to real',
    better: 'one',
    of: ({ numbers }) => numbers.seams.relative,
    real: ({ numbers }) => numbers.seams.real.value,
  },
  apart: {
    title: 'figure moved, in sides',
    better: 'less',
    of: ({ numbers }) => numbers.figures.apart,
    real: ({ numbers }) => numbers.figures.otherwise.value,
  },
  spread: {
    title: 'figure size, relative to real',
    better: 'one',
    of: ({ numbers }) => numbers.figures.spread,
  },
  consistency: {
    title: 'same seed, other size (0 same, 1 unrelated)',
    better: 'less',
    of: ({ numbers }) => numbers.consistency?.ratio,
  },
  seconds: {
    title: 'seconds a picture',
    better: 'neither',
    of: ({ numbers }) => exactly(numbers.seconds),
  },
};
