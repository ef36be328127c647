/** The numbers of one cell, each beside the same number of real drawings of that size. */
import type { Picture } from '../../png.ts';
import type { Rng } from '../../tensor/rng.ts';
import type { Rows } from '../../tensor/rows.ts';
import type { Attributes } from '../attributes.ts';
import { type Consistency, compareSizes } from '../consistency.ts';
import { compareDuplication, type Duplication } from '../duplication.ts';
import { compareFigures, type FigureComparison } from '../figure-place.ts';
import { type DensityCoverage, densityCoverage } from '../metrics/density-coverage.ts';
import { type FrechetResult, frechet } from '../metrics/frechet.ts';
import { type Kid, kid } from '../metrics/kid.ts';
import { momentsOf } from '../metrics/moments.ts';
import { type PrecisionRecall, precisionRecall } from '../metrics/precision-recall.ts';
import { type Components, componentsOfRows } from '../metrics/principal-components.ts';
import { compareRates, type Rates, scoreReadings } from '../reading-rates.ts';
import { compareSeams, type Seams } from '../seams.ts';
import type { FeatureSet } from './features.ts';
import type { SizedReader } from './reading.ts';

/** Dimensions that the few samples of a cell can fill (recommended for fewer than 2048). */
const COMPONENTS = 128;
/** Blocks of the error bar; fewer where there are few samples. */
const BLOCKS = 10;

/** What all cells of one size are compared with. */
export type SizeReference = {
  /** The drawings whose words are asked for, in the order of the pictures. */
  readonly real: readonly Picture[];
  /** What these reach, which are not in the reference. */
  readonly realDistances: Distances;
  /** Other drawings: what distances are measured to. */
  readonly features: FeatureSet;
  readonly components: Components;
  readonly spatialComponents?: Components;
  readonly reader: SizedReader;
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
  /** With the same seeds at the trained size. */
  readonly consistency?: Consistency;
  /** Of one picture, without compiling. */
  readonly seconds: number;
};

export const componentsFor = (reference: Rows): Components =>
  componentsOfRows(reference, Math.min(COMPONENTS, reference.count - 1, reference.width));

export function distancesTo(
  reference: Pick<SizeReference, 'features' | 'components' | 'spatialComponents'>,
  features: FeatureSet,
): Distances {
  const { pooled, spatial, crops } = features;
  const theirs = reference.features;
  const between = (a: Rows, b: Rows, components: Components) =>
    frechet(momentsOf(a), momentsOf(b), { components });
  const withError = (a: Rows, b: Rows) =>
    kid(a, b, { blocks: Math.min(BLOCKS, Math.floor(Math.min(a.count, b.count) / 2)) });
  const { spatialComponents } = reference;
  return {
    kid: withError(pooled, theirs.pooled),
    frechet: between(pooled, theirs.pooled, reference.components),
    ...(spatial && theirs.spatial && spatialComponents
      ? { spatial: between(spatial, theirs.spatial, spatialComponents) }
      : {}),
    ...(crops && theirs.crops ? { crops: withError(crops, theirs.crops) } : {}),
    ...precisionRecall(pooled, theirs.pooled),
    ...densityCoverage(pooled, theirs.pooled),
  };
}

export type MeasureCellOptions = {
  readonly pictures: readonly Picture[];
  readonly seconds: number;
  readonly features: FeatureSet;
  readonly reference: SizeReference;
  readonly attributes: Attributes;
  readonly conditions: readonly (readonly number[])[];
  readonly patch: number;
  /** Of the same seeds at the trained size. */
  readonly trained?: readonly Picture[];
  readonly rng: Rng;
};

export async function measureCell(options: MeasureCellOptions): Promise<CellNumbers> {
  const { pictures, features, reference, attributes, conditions, patch, trained, rng } = options;
  const { read, ...reader } = reference.reader;
  const real = reference.real.slice(0, pictures.length);
  const scores = async (side: readonly Picture[]) =>
    scoreReadings(attributes, await read(side), conditions);
  const [mine, theirs] = [await scores(pictures), await scores(real)];
  return {
    samples: pictures.length,
    reference: reference.features.pooled.count,
    generated: distancesTo(reference, features),
    real: reference.realDistances,
    style: compareRates(mine, theirs, 'style', rng.stream('style')),
    attributes: compareRates(mine, theirs, 'attributes', rng.stream('attributes')),
    reader,
    seams: compareSeams(pictures, real, patch, rng.stream('seams')),
    duplication: compareDuplication(pictures, real, rng.stream('duplication')),
    figures: compareFigures(pictures, real, rng.stream('figures')),
    ...(trained ? { consistency: compareSizes(pictures, trained, rng.stream('consistency')) } : {}),
    seconds: options.seconds,
  };
}
