/**
 * Conditions that a picture is asked for. A class is an index into a table whose last row is the
 * null class (DiT); attributes are a bag of words: a row of weights over the vocabulary, [V], whose
 * embedding is the weighted sum of the words' embeddings, and whose null is the empty bag (ours).
 */
import { type Static, Type } from 'typebox';
import type { HostTensor } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';

const count = { minimum: 1 };
const exact = { additionalProperties: false } as const;
/** How many classes, or words, a network knows. */
export const Condition = Type.Union([
  Type.Object({ classes: Type.Integer(count) }, exact),
  Type.Object({ words: Type.Integer(count) }, exact),
]);
export type Condition = Readonly<Static<typeof Condition>>;

/** One word of a bag; weight 1 is the word as trained. */
export type Word = { readonly id: number; readonly weight?: number };

/** Bags of words [B] as rows of weights [B, V]. */
export function bagOfWords(rows: readonly (readonly Word[])[], vocabulary: number): HostTensor {
  const data = new Float32Array(rows.length * vocabulary);
  for (const [row, words] of rows.entries()) {
    for (const { id, weight = 1 } of words) {
      if (!(id >= 0 && id < vocabulary)) {
        throw new RangeError(`condition: expected words from 0 to ${vocabulary - 1}, got ${id}`);
      }
      data[row * vocabulary + id] = weight;
    }
  }
  return { data, shape: [rows.length, vocabulary] };
}

/**
 * Leaves words out in training: the whole condition with probability `all`, else in half of the
 * pictures each word with probability `some`, so that any subset of attributes can be asked for.
 * Words of `always` (styles) stay unless the whole condition goes.
 */
export function dropWords(
  words: readonly number[],
  always: ReadonlySet<number>,
  rng: Rng,
  { all, some }: { readonly all: number; readonly some: number },
): number[] {
  if (rng.uniform() < all) return [];
  const thin = rng.uniform() < 0.5;
  return words.filter((id) => always.has(id) || !thin || rng.uniform() >= some);
}
