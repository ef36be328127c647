/**
 * A smaller network as the drafter (Leviathan et al. 2023, section 2.1): one pass of it a drafted token.
 * Its cache follows what was decided: what no longer agrees is rolled back.
 */
import type { TokenModel } from '../contract.ts';
import { logitsAt } from '../contract.ts';
import { createFilter, type Filters } from '../filters.ts';
import type { Law } from '../law.ts';
import { type Asked, checkVocabulary, type Drafter } from './drafter.ts';

export type NetworkDrafterOptions = {
  /** Rows as many as the model's, with the same conditions. */
  readonly network: TokenModel;
  readonly filters?: Filters;
};

export function networkDrafter({ network, filters = {} }: NetworkDrafterOptions): Drafter {
  const filter = createFilter(filters, network.vocabulary);
  let cached: number[][] = [];
  let started = false;
  /** Tokens of the cache that stay, by what is asked next: at least the last one is read again. */
  const agreed = ({ row, tokens }: Asked): number => {
    let i = 0;
    while (i < tokens.length - 1 && i < cached[row]!.length && cached[row]![i] === tokens[i]) i++;
    return i;
  };
  return {
    name: 'network',
    begin: (model) => {
      checkVocabulary('network drafter', network.vocabulary, model);
      if (network.batch !== model.batch || network.length !== model.length)
        throw new RangeError(
          `network drafter: expected ${model.batch} rows of ${model.length} tokens, got ${network.batch} of ${network.length}`,
        );
      cached = Array.from({ length: network.batch }, () => []);
      started = false;
    },
    async laws(asked) {
      if (!started) await network.start();
      started = true;
      const added = cached.map((): number[] => []);
      for (const one of asked) {
        const kept = agreed(one);
        network.rollBack(one.row, kept);
        cached[one.row]!.length = kept;
        added[one.row] = one.tokens.slice(kept);
      }
      const found = new Map<number, Law>();
      while (added.some((tokens) => tokens.length > 0)) {
        const windows = added.map((tokens) => tokens.slice(0, network.window));
        const answer = await network.forward(windows.map((tokens) => ({ tokens })));
        for (const [row, tokens] of windows.entries()) {
          if (tokens.length === 0) continue;
          network.commit(row, tokens.length);
          cached[row]!.push(...tokens);
          added[row] = added[row]!.slice(tokens.length);
          const last = logitsAt(answer, row, tokens.length - 1, network.vocabulary);
          found.set(row, filter(last));
        }
      }
      return asked.map(({ row }) => found.get(row)!);
    },
  };
}
