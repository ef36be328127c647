/**
 * What is found in pictures one by one, before any two sides are compared: of the real drawings of a size it is
 * found once, of generated ones once a cell.
 */
import type { Picture } from '../../png.ts';
import type { Attributes } from '../attributes.ts';
import { duplicationScore } from '../duplication.ts';
import { type FigurePlace, figurePlace } from '../figure-place.ts';
import type { Distance, TrainingIndex } from '../memorisation.ts';
import { type Score, scoreReadings } from '../reading-rates.ts';
import { colorSteps, type Steps } from '../seams.ts';
import { type SizedReader, squareOf } from './reading.ts';

export type Looks = {
  readonly scores: readonly Score[];
  readonly duplication: readonly number[];
  readonly figures: readonly (FigurePlace | undefined)[];
  /** Across the borders of patches of this side. */
  steps(patch: number): readonly Steps[];
  /** Of the middle squares, brought to the side of the training drawings, from the nearest of these. */
  distances(training: TrainingIndex): readonly Distance[];
};
export type Asked = {
  readonly attributes: Attributes;
  /** Word ids of each picture. */
  readonly conditions: readonly (readonly number[])[];
  /** Some of them, which are looked for together. */
  readonly combinations?: readonly (readonly number[])[];
};

export async function lookAt(
  pictures: readonly Picture[],
  { read }: Pick<SizedReader, 'read'>,
  { attributes, conditions, combinations }: Asked,
): Promise<Looks> {
  const byPatch = new Map<number, readonly Steps[]>();
  const byTraining = new Map<TrainingIndex, readonly Distance[]>();
  return {
    scores: scoreReadings(attributes, await read(pictures), conditions, combinations),
    duplication: pictures.map(duplicationScore),
    figures: pictures.map(figurePlace),
    steps(patch) {
      const steps = byPatch.get(patch) ?? pictures.map((picture) => colorSteps(picture, patch));
      byPatch.set(patch, steps);
      return steps;
    },
    distances(training) {
      const distances =
        byTraining.get(training) ??
        pictures.map((picture, i) =>
          training.nearest(squareOf(picture, training.side), conditions[i]!),
        );
      byTraining.set(training, distances);
      return distances;
    },
  };
}
