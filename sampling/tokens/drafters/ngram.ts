/**
 * Counts of what followed (left, above) in the tokens decided so far (after ADED, Liu et al. 2024: a
 * table that is filled from the model's own outputs). Backs off to the left neighbour alone and to the
 * uniform law, by adding `prior` pseudo-counts of the shorter context's law (Ours). A table a picture,
 * so pictures do not depend on their batch.
 */
import { type Law, uniformLaw } from '../law.ts';
import type { Drafter } from './drafter.ts';

export type NgramOptions = {
  /** Tokens in a row of the grid. */
  readonly width: number;
  /** Weight of the shorter context, in counts, above 0. */
  readonly prior?: number;
};
type Table = { readonly counts: Map<string, Map<number, number>>; seen: number };

export function ngram({ width, prior = 1 }: NgramOptions): Drafter {
  if (!(prior > 0)) throw new RangeError(`ngram: expected a prior above 0, got ${prior}`);
  let [vocabulary, tables]: [number, Table[]] = [0, []];
  /** Contexts of place `i`, shortest first. */
  const contexts = (tokens: readonly number[], i: number): string[] => [
    `${tokens[i - 1]}`,
    ...(i >= width ? [`${tokens[i - 1]},${tokens[i - width]}`] : []),
  ];
  const lawAfter = ({ counts }: Table, tokens: readonly number[]): Law => {
    const law = uniformLaw(vocabulary);
    for (const context of contexts(tokens, tokens.length)) {
      const found = counts.get(context);
      if (!found) break;
      let total = prior;
      for (const count of found.values()) total += count;
      for (let token = 0; token < vocabulary; token++)
        law[token] = (prior * law[token]! + (found.get(token) ?? 0)) / total;
    }
    return law;
  };
  return {
    name: 'ngram',
    begin: (model) => {
      vocabulary = model.vocabulary;
      tables = Array.from({ length: model.batch }, () => ({ counts: new Map(), seen: 1 }));
    },
    laws: (asked) => asked.map(({ row, tokens }) => lawAfter(tables[row]!, tokens)),
    observe: (row, decided) => {
      const table = tables[row]!;
      for (; table.seen < decided.length; table.seen++) {
        for (const context of contexts(decided, table.seen)) {
          const found = table.counts.get(context) ?? new Map<number, number>();
          found.set(decided[table.seen]!, (found.get(decided[table.seen]!) ?? 0) + 1);
          table.counts.set(context, found);
        }
      }
    },
  };
}
