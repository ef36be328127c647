/**
 * Jacobi iteration of sequential decoding with its noise held fixed (specs of ours; Jacobi decoding:
 * Song et al. 2021, Algorithm 1; the noise of one place kept, as Gumbel coupling does in So et al. 2025).
 * Sequential decoding is the recursion x_i = arg-max(log p(. | x_<i) + G_i). A pass recomputes it for a
 * window of drafts at once; drafts are kept as long as they repeat, and the first that does not is
 * replaced by what the recursion says: the tokens are those of `sequential`, whatever was drafted. Drafters
 * draw by the same noise, so a law close to the model's mostly drafts the token that the model draws (Ours).
 */

import { checkWindow, type Decoder, openBatch } from './decoder.ts';
import type { Drafter } from './drafters/drafter.ts';
import { propose } from './drafters/drafter.ts';
import { drawWith, gumbels } from './law.ts';

export type FixedNoiseOptions = {
  /** Tokens a pass. */
  readonly window: number;
  /** What enters the window. */
  readonly drafter: Drafter;
};

export const fixedNoiseJacobi = ({ window, drafter }: FixedNoiseOptions): Decoder => ({
  name: 'fixed-noise',
  property: 'identical',
  async decode(model, options) {
    checkWindow(window, model);
    const batch = openBatch(model, options);
    drafter.begin?.(model);
    const noises = batch.rows.map(() => new Map<number, Float64Array>());
    const noise = (row: number, place: number): Float64Array => {
      const found =
        noises[row]!.get(place) ?? gumbels(batch.streams[row]!('noise', place), model.vocabulary);
      noises[row]!.set(place, found);
      return found;
    };
    const first = await batch.start();
    for (const row of batch.open())
      batch.settle(row, { drawn: drawWith(first(row), noise(row, 0)) });
    await batch.end();

    const pending: number[][] = batch.rows.map(() => []);
    while (batch.open().length > 0) {
      const counts = batch.rows.map((_, row) => Math.min(window - 1, batch.room(row)));
      const proposals = await propose(drafter, batch, {
        ...{ counts, pending },
        choose: (row, place, law) => drawWith(law, noise(row, place)),
      });
      const drafts = proposals.map(({ tokens }) => tokens);
      const { laws, hidden } = await batch.forward(drafts);
      for (const row of batch.open()) {
        const drafted = drafts[row]!;
        const start = batch.rows[row]!.length;
        const drawn = Array.from({ length: drafted.length + 1 }, (_, i) =>
          drawWith(laws(row, i), noise(row, start + i)),
        );
        let accepted = 0;
        while (accepted < drafted.length && drafted[accepted] === drawn[accepted]) accepted++;
        for (let i = 0; i <= accepted; i++) noises[row]!.delete(start + i);
        pending[row] = drawn.slice(accepted + 1);
        const redrawn = accepted < drafted.length;
        batch.settle(row, { drafted, accepted, drawn: drawn[accepted]!, redrawn });
        drafter.observe?.(row, batch.rows[row]!, hidden(row, accepted));
      }
      await batch.end();
    }
    return batch.finish();
  },
});
