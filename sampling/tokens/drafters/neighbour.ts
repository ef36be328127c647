/**
 * A copy of the neighbour on the left or above (spatial initialisation: Teng et al. 2024, section 4.2);
 * the first row of the grid has none above and takes the left one.
 */
import { pointMass } from '../law.ts';
import type { Drafter } from './drafter.ts';

export type NeighbourOptions = {
  readonly side: 'left' | 'above';
  /** Tokens in a row of the grid. */
  readonly width: number;
};

export function neighbour({ side, width }: NeighbourOptions): Drafter {
  let vocabulary = 0;
  return {
    name: side,
    begin: (model) => {
      if (!(Number.isInteger(width) && width >= 1 && model.length % width === 0))
        throw new RangeError(
          `${side}: expected a width that divides the ${model.length} tokens, got ${width}`,
        );
      vocabulary = model.vocabulary;
    },
    laws: (asked) =>
      asked.map(({ tokens }) => {
        const back = side === 'above' && tokens.length >= width ? width : 1;
        return pointMass(vocabulary, tokens.at(-back)!);
      }),
  };
}
