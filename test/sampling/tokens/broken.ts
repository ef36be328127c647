/**
 * Decoders with one rule broken: negative controls. A test of a law that lets them pass could not find
 * the fault in the decoder itself.
 */
import type { TokenModel } from '../../../sampling/tokens/contract.ts';
import { type Decoder, openBatch } from '../../../sampling/tokens/decoder.ts';
import { type Drafter, propose } from '../../../sampling/tokens/drafters/drafter.ts';
import { drawAt, type Law } from '../../../sampling/tokens/law.ts';
import { verifyChain } from '../../../sampling/tokens/speculative.ts';
import { couple, exact, type Rule } from '../../../sampling/tokens/verify.ts';

/** Rejected drafts are replaced by draws from p, where the residual belongs. */
export const withoutResidual: Rule = { ...exact, property: 'approximate', otherwise: (p) => p };

/** A decoder whose drafts come from a drafter, and are said to be uniform when they are verified. */
export function misstating(honest: Drafter, create: (drafter: Drafter) => Decoder): Decoder {
  const handed: Law[] = [];
  const inner = create({
    ...honest,
    laws: async (asked) => {
      const laws = (await honest.laws(asked)).map((law) => law.slice());
      handed.push(...laws);
      return laws;
    },
  });
  const lie = () => {
    for (const law of handed.splice(0)) law.fill(1 / law.length);
  };
  return {
    ...inner,
    decode: (model, options) => {
      const forward: TokenModel['forward'] = (rows) => {
        lie();
        return model.forward(rows);
      };
      return inner.decode({ ...model, forward }, options);
    },
  };
}

type Pending = { readonly token: number; readonly law: Law };
/** What a draft behind a rejected one becomes, now that its place has the law p. */
type Redraw = (p: Law, old: Pending, uniform: () => number) => Pending;

/** Right: drawn by the maximal coupling, and p is its law. */
export const coupled: Redraw = (p, old, uniform) => ({
  ...{ token: couple(p, old.law, old.token, uniform).token, law: p },
});
/** The draft stays as it is, and is said to be from p. */
export const relabelled: Redraw = (p, old) => ({ token: old.token, law: p });
/** Drawn by the coupling, but where the draft stays, so does the law that it was said to be from. */
export const formerLaw: Redraw = (p, old, uniform) => {
  const { token, kept } = couple(p, old.law, old.token, uniform);
  return { token, law: kept ? old.law : p };
};

/** Speculative Jacobi decoding once more, by what becomes of pending drafts. */
export const jacobiBy = (
  redraw: Redraw,
  { window, drafter }: { readonly window: number; readonly drafter: Drafter },
): Decoder => ({
  ...{ name: 'jacobi', property: 'approximate' },
  async decode(model, options) {
    const batch = openBatch(model, options);
    drafter.begin?.(model);
    const uniform = (row: number, purpose: string, place: number) =>
      batch.streams[row]!(purpose, place).uniform();
    const first = await batch.start();
    for (const row of batch.open())
      batch.settle(row, { drawn: drawAt(first(row), uniform(row, 'verify', 0)) });
    await batch.end();
    const pending: Pending[][] = batch.rows.map(() => []);
    while (batch.open().length > 0) {
      const counts = batch.rows.map((_, row) => Math.min(window - 1, batch.room(row)));
      const kept = pending.map((list, row) => list.slice(0, counts[row]));
      const fresh = await propose(drafter, batch, {
        ...{ counts, pending: kept.map((list) => list.map(({ token }) => token)) },
      });
      const drafts = fresh.map(({ tokens, laws }, row): Pending[] => {
        const [old, from] = [kept[row]!, kept[row]!.length];
        return [...old, ...laws.map((law, i) => ({ token: tokens[from + i]!, law }))];
      });
      const { laws } = await batch.forward(drafts.map((list) => list.map(({ token }) => token)));
      for (const row of batch.open()) {
        const list = drafts[row]!;
        const start = batch.rows[row]!.length;
        const told = verifyChain({
          ...{ drafted: list.map(({ token }) => token), q: list.map(({ law }) => law) },
          ...{ rule: exact, p: (i: number) => laws(row, i) },
          uniform: (i) => uniform(row, 'verify', start + i),
        });
        pending[row] = list.slice(told.accepted + 1).map((old, i) => {
          const at = told.accepted + 1 + i;
          return redraw(laws(row, at), old, () => uniform(row, 'redraw', start + at));
        });
        batch.settle(row, { drafted: list.map(({ token }) => token), ...told });
      }
      await batch.end();
    }
    return batch.finish();
  },
});
