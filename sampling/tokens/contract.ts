/**
 * What a decoder sees of an autoregressive network: windows of new tokens over a cache of kept ones.
 * A decoder never sees a network or a picture; logits are before temperature and filters, after guidance.
 *
 * Rows of a batch have lengths of their own (ragged batches), and the new tokens of a row may branch
 * (trees of drafts). Tokens count only when they are committed; what is not committed is forgotten at
 * the next pass.
 */

/** New tokens of one row; none for a row that waits. */
export type Draft = {
  readonly tokens: ArrayLike<number>;
  /** Place of each token in the sequence, 0 is the first. Default: each one further than its parent. */
  readonly positions?: ArrayLike<number>;
  /** Place that each token's logits are about, where the order is not the raster's. Default: the next. */
  readonly targets?: ArrayLike<number>;
  /** Index of each token's parent among the new ones, before itself, or -1. Default: a chain. */
  readonly parents?: ArrayLike<number>;
};

export type Logits = {
  /** Tokens a row that `logits` has room for, at least as many as the longest draft. */
  readonly window: number;
  /** [B, window, V]: what comes after each new token. */
  readonly logits: Float32Array;
  /** [B, window, C]: the network's last hidden states, where it gives them (drafters). */
  readonly hidden?: Float32Array;
};

export type TokenModel = {
  /** V */
  readonly vocabulary: number;
  /** Tokens of a whole sequence. */
  readonly length: number;
  /** B */
  readonly batch: number;
  /** The longest draft of a row. */
  readonly window: number;
  /** Committed tokens of each row. */
  readonly lengths: ArrayLike<number>;
  /** Forgets all tokens; the logits [B, V] of every row's first token, from the condition alone. */
  start(): Promise<Float32Array>;
  /** One pass over the new tokens of every row, after the row's committed ones. */
  forward(rows: readonly Draft[]): Promise<Logits>;
  /** Keeps the first `kept` new tokens of a row (a chain), or those along a path of indices (a tree). */
  commit(row: number, kept: number | readonly number[]): void;
  /** Forgets the committed tokens of a row from `length` on. */
  rollBack(row: number, length: number): void;
};

/** The logits of token `index` of a row: a view [V]. */
export const logitsAt = (
  { window, logits }: Logits,
  row: number,
  index: number,
  vocabulary: number,
): Float32Array => {
  const start = (row * window + index) * vocabulary;
  return logits.subarray(start, start + vocabulary);
};
