/**
 * Pictures of combinations that no training drawing shows: a few more of every cell, drawn and kept as its other pictures
 * are. How often all words of a combination are read in them stands beside how often those of the same attributes are
 * read in the cell's other pictures, both relative to real drawings.
 */
import type { Picture } from '../../png.ts';
import { createRng, type Rng } from '../../tensor/rng.ts';
import type { Attributes } from '../attributes.ts';
import { combinationIn, combinationLike, wordIds } from '../combinations.ts';
import { compareRates, type Rates, type Score, scoreReadings } from '../reading-rates.ts';
import { digestOf } from './cell-files.ts';
import type { Cell } from './plan.ts';
import type { SizedReader } from './reading.ts';
import type { Drawings } from './reference.ts';

/** Drawings of combinations that no training drawing shows, and these combinations' words. */
export type Unseen = {
  readonly drawings: Drawings;
  readonly combinations: readonly (readonly string[])[];
};

type Words = readonly number[];
export type HeldOut = {
  readonly drawings: Drawings;
  /** What is asked for of each picture, and the combination in it. */
  readonly conditions: readonly Words[];
  readonly combinations: readonly Words[];
  /** A digest of the words that are asked for. */
  readonly asked: string;
  /** Of each of a cell's other pictures: words of the attributes of a combination, where it has them; else none. */
  readonly seen: readonly Words[];
};

/** `conditions` are those of a cell's other pictures. Throws where a drawing shows no combination. */
export function heldOutOf(
  { drawings, combinations: texts }: Unseen,
  { attributes, conditions }: { attributes: Attributes; conditions: readonly Words[] },
): HeldOut {
  const { vocabulary, count } = drawings;
  const combinations = wordIds(texts, vocabulary);
  const own = Array.from({ length: count }, (_, i) => drawings.words(i));
  const rng = createRng(0).stream('combinations');
  return {
    drawings,
    conditions: own,
    combinations: own.map((words, i) => {
      const found = combinationIn(words, combinations);
      if (found) return found;
      throw new RangeError(
        `resolution: expected held-out drawings of combinations that were kept out of training, got drawing ${i} of ${drawings.name}, which shows none`,
      );
    }),
    asked: digestOf(vocabulary, own.slice(0, 8)),
    seen: conditions.map(
      (words, i) =>
        combinationLike(words, { attributes, combinations }, rng.stream(`picture/${i}`)) ?? [],
    ),
  };
}

/** A cell's pictures of held-out combinations, in a folder of their own. */
export const heldOutCell = (cell: Cell, { conditions }: HeldOut): Cell => ({
  ...cell,
  samples: conditions.length,
  measured: false,
  heldOut: true,
});

export const scoreHeldOut = async (
  pictures: readonly Picture[],
  { read }: Pick<SizedReader, 'read'>,
  { attributes, heldOut }: { attributes: Attributes; heldOut: HeldOut },
): Promise<Score[]> =>
  scoreReadings(attributes, await read(pictures), heldOut.conditions, heldOut.combinations);

/** Generated and real pictures with the same conditions. */
type Sides = { readonly generated: readonly Score[]; readonly real: readonly Score[] };
export type HeldOutRates = {
  readonly samples: number;
  readonly combination: Rates;
  /** Of the cell's other pictures, those that have one. */
  readonly seen?: { readonly samples: number; readonly combination: Rates };
};

export function compareHeldOut(
  heldOut: Sides,
  others: Sides,
  seen: HeldOut['seen'],
  rng: Rng,
): HeldOutRates {
  const having = (scores: readonly Score[]) => scores.filter((_, i) => seen[i]!.length > 0);
  const [generated, real] = [having(others.generated), having(others.real)];
  return {
    samples: heldOut.generated.length,
    combination: compareRates(heldOut.generated, heldOut.real, 'combination', rng.stream('held')),
    ...(generated.length < FEWEST
      ? {}
      : {
          seen: {
            samples: generated.length,
            combination: compareRates(generated, real, 'combination', rng.stream('seen')),
          },
        }),
  };
}

/** Of which an interval can be said. */
const FEWEST = 2;
