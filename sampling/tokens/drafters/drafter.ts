/**
 * What guesses tokens that the model then verifies. A drafter states the law that its next token is
 * drawn from, given what was decided and drafted before: verification needs that law, not the guess
 * alone. A drafter that is sure gives a point mass.
 */
import type { TokenModel } from '../contract.ts';
import type { Batch } from '../decoder.ts';
import { drawAt, type Law } from '../law.ts';

/** What a row wants to know: the law of the token that follows `tokens`. */
export type Asked = {
  readonly row: number;
  /** Decided and drafted tokens from the sequence's beginning. */
  readonly tokens: readonly number[];
  /** How many of them were decided. */
  readonly decided: number;
};

export type Drafter = {
  readonly name: string;
  /** Forgets the pictures before; throws where the model is of another kind. */
  begin?(model: TokenModel): void;
  /** One law an asked row; each row asks once at a time. */
  laws(asked: readonly Asked[]): readonly Law[] | Promise<readonly Law[]>;
  /**
   * A row's decided tokens after a pass, for drafters that learn as they go, with the hidden state that
   * the last of them was drawn from.
   */
  observe?(row: number, decided: readonly number[], hidden?: Float32Array): void;
};

export type Proposal = { readonly tokens: readonly number[]; readonly laws: readonly Law[] };

/** Throws unless a drafter's vocabulary is the model's. */
export function checkVocabulary(name: string, vocabulary: number, model: TokenModel): void {
  if (vocabulary !== model.vocabulary)
    throw new RangeError(
      `${name}: expected a drafter of the model's vocabulary of ${model.vocabulary} tokens, got ${vocabulary}`,
    );
}

/**
 * A drafter's laws; throws unless each is a law of `vocabulary` tokens. A law that is none would be
 * verified as if drafts had been drawn from it, and what is decoded would have another law than the model's.
 */
export async function lawsOf(
  drafter: Drafter,
  asked: readonly Asked[],
  vocabulary: number,
): Promise<readonly Law[]> {
  const laws = await drafter.laws(asked);
  for (const [i, law] of laws.entries()) {
    const sum = law.reduce((a, b) => a + b, 0);
    // Shares that are rounded one by one are off by a few units of the last place each.
    if (law.length === vocabulary && Math.abs(sum - 1) < 1e-6) continue;
    throw new RangeError(
      `${drafter.name} drafter: expected ${vocabulary} probabilities of sum 1 at position ${asked[i]!.tokens.length}, got ${law.length} of sum ${sum}`,
    );
  }
  return laws;
}

export type ProposeOptions = {
  /** Drafts a row. */
  readonly counts: readonly number[];
  /** A row's drafts of the pass before, which come first. */
  readonly pending?: readonly (readonly number[])[];
  /** A token of a drafter's law. Default: drawn from the row's stream `draft`. */
  readonly choose?: (row: number, place: number, law: Law) => number;
};

/** Fills each row's drafts up to its count: those pending first, the drafter's after them. */
export async function propose(
  drafter: Drafter,
  batch: Batch,
  { counts, pending, choose = drawn(batch) }: ProposeOptions,
): Promise<Proposal[]> {
  const drafts = batch.rows.map((_, row) => (pending?.[row] ?? []).slice(0, counts[row]!));
  const laws: Law[][] = batch.rows.map(() => []);
  for (;;) {
    const asking = batch.open().filter((row) => drafts[row]!.length < counts[row]!);
    if (asking.length === 0) return drafts.map((tokens, row) => ({ tokens, laws: laws[row]! }));
    const asked = asking.map((row) => {
      const decided = batch.rows[row]!;
      return { row, tokens: [...decided, ...drafts[row]!], decided: decided.length };
    });
    const answers = await lawsOf(drafter, asked, batch.vocabulary);
    for (const [i, row] of asking.entries()) {
      const place = asked[i]!.tokens.length;
      drafts[row]!.push(choose(row, place, answers[i]!));
      laws[row]!.push(answers[i]!);
    }
  }
}

const drawn = (batch: Batch): NonNullable<ProposeOptions['choose']> => {
  return (row, place, law) => drawAt(law, batch.streams[row]!('draft', place).uniform());
};
