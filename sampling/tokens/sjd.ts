/**
 * Speculative Jacobi decoding (Teng et al. 2024, Algorithm 1): a window of drafts is verified against
 * the model's laws; drafts after the first rejection are drawn again from this pass's laws, which
 * become the laws that they are verified against next. Coupled redraws (So et al. 2025, section 4) keep
 * a pending token where laws move little: by the maximal coupling, or by noise that stays with its place.
 * The law is the model's: the stored law is always the one really drawn from, a rejected place gets the
 * residual, and later drafts are drawn again.
 */

import { checkWindow, type Decoder, openBatch } from './decoder.ts';
import { type Drafter, propose } from './drafters/drafter.ts';
import { drawAt, drawWith, gumbels, type Law } from './law.ts';
import { couple, exact, type Rule } from './verify.ts';

export type Redraw = 'independent' | 'maximal' | 'gumbel';
export type SJDOptions = {
  /** Tokens a pass. */
  readonly window: number;
  readonly redraw: Redraw;
  /** What enters the window: uniform tokens, or a neighbour's (spatial initialisation). */
  readonly drafter: Drafter;
  /** How drafts are judged. Default: exactly */
  readonly rule?: Rule;
};
type Pending = { readonly token: number; readonly law: Law };

export const sjd = ({ window, redraw, drafter, rule = exact }: SJDOptions): Decoder => ({
  name: rule.name || (redraw === 'independent' ? 'sjd' : `scd-${redraw}`),
  property: rule.property,
  async decode(model, options) {
    checkWindow(window, model);
    const batch = openBatch(model, options);
    drafter.begin?.(model);
    const noises = batch.rows.map(() => new Map<number, Float64Array>());
    /** A token of `p` for a place that nothing has settled yet; `old` is what it held, if anything. */
    const draw = (row: number, p: Law, place: number, old?: Pending): number => {
      const uniform = () => batch.streams[row]!('redraw', place).uniform();
      if (redraw === 'maximal' && old) return couple(p, old.law, old.token, uniform).token;
      if (redraw !== 'gumbel') return drawAt(p, uniform());
      const noise =
        noises[row]!.get(place) ?? gumbels(batch.streams[row]!('noise', place), model.vocabulary);
      noises[row]!.set(place, noise);
      return drawWith(p, noise);
    };
    const first = await batch.start();
    for (const row of batch.open()) batch.settle(row, { drawn: draw(row, first(row), 0) });
    await batch.end();

    const pending: Pending[][] = batch.rows.map(() => []);
    while (batch.open().length > 0) {
      const counts = batch.rows.map((_, row) => Math.min(window - 1, batch.room(row)));
      const fresh = await propose(drafter, batch, {
        counts,
        pending: pending.map((list) => list.map(({ token }) => token)),
      });
      const drafts = fresh.map(({ tokens, laws }, row): Pending[] => {
        const kept = pending[row]!.slice(0, counts[row]!);
        return tokens.map((token, i) => kept[i] ?? { token, law: laws[i - kept.length]! });
      });
      const { laws, hidden } = await batch.forward(
        drafts.map((list) => list.map(({ token }) => token)),
      );
      for (const row of batch.open()) {
        const list = drafts[row]!;
        const start = batch.rows[row]!.length;
        const uniform = (place: number) => batch.streams[row]!('verify', place).uniform();
        const p = Array.from({ length: list.length + 1 }, (_, i) => laws(row, i));
        let accepted = 0;
        while (
          accepted < list.length &&
          uniform(start + accepted) <
            rule.acceptance(p[accepted]!, list[accepted]!.law, list[accepted]!.token)
        )
          accepted++;
        const rejected = list[accepted];
        const drawn = rejected
          ? drawAt(
              rule.otherwise(p[accepted]!, rejected.law, rejected.token),
              uniform(start + accepted),
            )
          : draw(row, p[accepted]!, start + accepted);
        pending[row] = p.slice(accepted + 1).map((law, i) => {
          const at = accepted + 1 + i;
          return { token: draw(row, law, start + at, list[at]), law };
        });
        const drafted = list.map(({ token }) => token);
        batch.settle(row, { drafted, accepted, drawn, redrawn: rejected !== undefined });
        for (const place of batch.rows[row]!.keys()) if (place >= start) noises[row]!.delete(place);
        drafter.observe?.(row, batch.rows[row]!, hidden(row, accepted));
      }
      await batch.end();
    }
    return batch.finish();
  },
});
