/** The numbers of one cell, each beside the same number of real drawings of that size. */
import type { Picture } from '../../png.ts';
import type { Rng } from '../../tensor/rng.ts';
import type { Rows } from '../../tensor/rows.ts';
import { type Consistency, compareSizes } from '../consistency.ts';
import { compareDuplication, type Duplication } from '../duplication.ts';
import { compareFigures, type FigureComparison } from '../figure-place.ts';
import { compareDistances, type Memorisation, type TrainingIndex } from '../memorisation.ts';
import { type DensityCoverage, densityCoverage } from '../metrics/density-coverage.ts';
import { type FrechetResult, frechetInside } from '../metrics/frechet.ts';
import { type Kid, kid } from '../metrics/kid.ts';
import { type Moments, momentsOf } from '../metrics/moments.ts';
import { type PrecisionRecall, precisionRecall } from '../metrics/precision-recall.ts';
import { type Components, componentsOfRows, projectRows } from '../metrics/principal-components.ts';
import { compareRates, type Rates, type Score } from '../reading-rates.ts';
import { compareSteps, type Seams } from '../seams.ts';
import type { FeatureSet } from './features.ts';
import { compareHeldOut, type HeldOut, type HeldOutRates } from './held-out.ts';
import type { Looks } from './looks.ts';
import type { SizedReader } from './reading.ts';

/** Of all that is kept of a cell: another where a number of the same pictures would be another. */
export const NUMBERS_VERSION = 2;

/** Dimensions that the few samples of a cell can fill (recommended for fewer than 2048). */
const COMPONENTS = 128;
/** Blocks of the error bar; fewer where there are few samples. */
const BLOCKS = 10;

/** What distances of a size are measured to: drawings whose words are not asked for. */
export type Reference = {
  readonly features: FeatureSet;
  readonly pooled: Space;
  readonly spatial?: Space;
};
/** Principal components of the reference, and its moments in them. */
type Space = { readonly components: Components; readonly moments: Moments };

/** The drawings whose words are asked for, measured as pictures are. */
export type RealSide = {
  readonly looks: Looks;
  readonly distances: Distances;
  /** Of drawings of held-out combinations. */
  readonly heldOut?: readonly Score[];
};

export type Distances = {
  readonly kid: Kid;
  readonly frechet: FrechetResult;
  /** Of the first channels in their places. */
  readonly spatial?: FrechetResult;
  /** Of crops at full resolution. */
  readonly crops?: Kid;
} & PrecisionRecall &
  DensityCoverage;

export type CellNumbers = {
  readonly samples: number;
  readonly reference: number;
  readonly generated: Distances;
  readonly real: Distances;
  readonly style: Rates;
  readonly attributes: Rates;
  readonly reader: Omit<SizedReader, 'read'>;
  readonly seams: Seams;
  readonly duplication: Duplication;
  readonly figures: FigureComparison;
  readonly heldOut?: HeldOutRates;
  readonly memorisation?: Memorisation;
  /** With the same seeds at the trained size. */
  readonly consistency?: Consistency;
  /** Of one picture, without compiling. */
  readonly seconds: number;
};

export function referenceOf(features: FeatureSet): Reference {
  const { pooled, spatial } = features;
  return {
    ...{ features, pooled: spaceOf(pooled) },
    ...(spatial ? { spatial: spaceOf(spatial) } : {}),
  };
}

function spaceOf(rows: Rows): Space {
  const components = componentsOfRows(rows, Math.min(COMPONENTS, rows.count - 1, rows.width));
  return { components, moments: momentsOf(projectRows(rows, components)) };
}

export function distancesTo(reference: Reference, features: FeatureSet): Distances {
  const { pooled, spatial, crops } = features;
  const theirs = reference.features;
  const between = (rows: Rows, { components, moments }: Space) =>
    frechetInside(momentsOf(projectRows(rows, components)), moments);
  const withError = (a: Rows, b: Rows) =>
    kid(a, b, { blocks: Math.min(BLOCKS, Math.floor(Math.min(a.count, b.count) / 2)) });
  return {
    kid: withError(pooled, theirs.pooled),
    frechet: between(pooled, reference.pooled),
    ...(spatial && reference.spatial ? { spatial: between(spatial, reference.spatial) } : {}),
    ...(crops && theirs.crops ? { crops: withError(crops, theirs.crops) } : {}),
    ...precisionRecall(pooled, theirs.pooled),
    ...densityCoverage(pooled, theirs.pooled),
  };
}

export type MeasureCellOptions = {
  readonly pictures: readonly Picture[];
  readonly looks: Looks;
  readonly seconds: number;
  readonly features: FeatureSet;
  readonly reference: Reference;
  readonly real: RealSide;
  readonly reader: SizedReader;
  readonly patch: number;
  /** Of the same seeds at the trained size. */
  readonly trained?: readonly Picture[];
  /** Of its pictures of held-out combinations. */
  readonly heldOut?: Pick<HeldOut, 'seen'> & { readonly scores: readonly Score[] };
  /** What its model was trained on. */
  readonly training?: TrainingIndex;
  readonly rng: Rng;
};

export function measureCell(options: MeasureCellOptions): CellNumbers {
  const { pictures, looks, features, reference, real, patch, trained, rng } = options;
  const { heldOut, training } = options;
  const { read: _read, ...reader } = options.reader;
  const theirs = real.looks;
  return {
    samples: pictures.length,
    reference: reference.features.pooled.count,
    generated: distancesTo(reference, features),
    real: real.distances,
    style: compareRates(looks.scores, theirs.scores, 'style', rng.stream('style')),
    attributes: compareRates(looks.scores, theirs.scores, 'attributes', rng.stream('attributes')),
    reader,
    seams: compareSteps(looks.steps(patch), theirs.steps(patch), rng.stream('seams')),
    duplication: compareDuplication(
      looks.duplication,
      theirs.duplication,
      rng.stream('duplication'),
    ),
    figures: compareFigures(looks.figures, theirs.figures, rng.stream('figures')),
    ...(heldOut && real.heldOut
      ? {
          heldOut: compareHeldOut(
            { generated: heldOut.scores, real: real.heldOut },
            { generated: looks.scores, real: theirs.scores },
            heldOut.seen,
            rng.stream('held-out'),
          ),
        }
      : {}),
    ...(training
      ? {
          memorisation: compareDistances(
            training,
            looks.distances(training),
            theirs.distances(training),
            rng.stream('memorisation'),
          ),
        }
      : {}),
    ...(trained ? { consistency: compareSizes(pictures, trained, rng.stream('consistency')) } : {}),
    seconds: options.seconds,
  };
}
