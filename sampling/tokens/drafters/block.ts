/**
 * A network that guesses the next `size` tokens in one pass, each without knowing the others (FLASH,
 * Wang et al. 2025, section 3.2); one over a pooled context is generators/block-drafter.ts. The drafts' law is the product of the slots' laws; past the last slot
 * the drafter knows nothing and says so with the uniform law.
 */
import { createFilter, type Filters } from '../filters.ts';
import { type Law, uniformLaw } from '../law.ts';
import { checkVocabulary, type Drafter } from './drafter.ts';

export type BlockNetwork = {
  readonly vocabulary: number;
  readonly size: number;
  /** Logits [size, V] of the tokens after each row's decided ones; an undefined row is not asked. */
  forward(decided: readonly (readonly number[] | undefined)[]): Promise<readonly Float32Array[]>;
};

export function block(network: BlockNetwork, filters: Filters = {}): Drafter {
  const { vocabulary, size } = network;
  const filter = createFilter(filters, vocabulary);
  const unknown = uniformLaw(vocabulary);
  let rows = 0;
  const known = new Map<number, { readonly decided: number; readonly laws: readonly Law[] }>();
  return {
    name: 'block',
    begin: (model) => {
      checkVocabulary('block drafter', vocabulary, model);
      rows = model.batch;
      known.clear();
    },
    async laws(asked) {
      const stale = asked.filter(({ row, decided }) => known.get(row)?.decided !== decided);
      if (stale.length > 0) {
        const prefixes = Array.from({ length: rows }, (_, row) =>
          stale.find((one) => one.row === row),
        ).map((one) => one?.tokens.slice(0, one.decided));
        const answers = await network.forward(prefixes);
        for (const { row, decided } of stale) {
          const slot = (i: number) => answers[row]!.subarray(i * vocabulary, (i + 1) * vocabulary);
          const laws = Array.from({ length: size }, (_, i) => filter(slot(i)));
          known.set(row, { decided, laws });
        }
      }
      return asked.map(({ row, tokens, decided }) => {
        return known.get(row)!.laws[tokens.length - decided] ?? unknown;
      });
    },
  };
}
