/**
 * A picture's tokens as a point of [0, 1) (AriEL: Celotti et al. 2020; arithmetic coding: Witten, Neal,
 * Cleary 1987). Tokens divide the interval in proportion to their probabilities; a point names the
 * picture whose interval holds it, and a uniform point draws from the law. Evenly spread points give
 * batches of less variance.
 *
 * Ours: each law is rounded to whole parts of 2^32, no possible token to less than one, and intervals are
 * exact integers, so `encode` gives back exactly the interval that `decode` walked into.
 */
import { logitsAt, type TokenModel } from './contract.ts';
import { checkLogits, type Decoder, openBatch } from './decoder.ts';
import { createFilter, type Filters } from './filters.ts';
import type { Law } from './law.ts';

const BITS = 32n;
const PARTS = 2 ** 32;

/** [low, low + size) in units of 2^(-32 N). */
export type Interval = { readonly low: bigint; readonly size: bigint };

/** Parts of 2^32 of each token, at least one where it is possible; the largest takes the rounding. */
function partsOf(law: Law): Float64Array {
  const parts = law.map((p) => (p > 0 ? Math.max(1, Math.round(p * PARTS)) : 0));
  let [sum, largest] = [0, 0];
  for (let i = 0; i < parts.length; i++) {
    sum += parts[i]!;
    if (parts[i]! > parts[largest]!) largest = i;
  }
  parts[largest]! += PARTS - sum;
  return parts;
}

/** The part of `interval` that a token has. */
function within({ low, size }: Interval, parts: Float64Array, token: number): Interval {
  const unit = size >> BITS;
  let before = 0;
  for (let i = 0; i < token; i++) before += parts[i]!;
  return { low: low + unit * BigInt(before), size: unit * BigInt(parts[token]!) };
}

const wholeInterval = (length: number): Interval => ({
  low: 0n,
  size: 1n << (BITS * BigInt(length)),
});

/** The token whose part of `interval` holds `point`. */
function tokenAt({ low, size }: Interval, parts: Float64Array, point: bigint): number {
  let offset = Number((point - low) / (size >> BITS));
  for (let i = 0; i < parts.length; i++) {
    if (offset < parts[i]!) return i;
    offset -= parts[i]!;
  }
  throw new RangeError('arithmetic: expected a point in the interval, got one outside');
}

/** Points of [0, 1) in units of 2^(-32 N), one a row; default: uniform, from each row's stream. */
export const arithmetic = ({ points }: { readonly points?: readonly bigint[] } = {}): Decoder => ({
  name: 'arithmetic',
  property: 'lossless',
  async decode(model, options) {
    const batch = openBatch(model, options);
    const own = batch.streams.map((stream, row) => {
      let point = 0n;
      const rng = stream('point', 0);
      for (let i = 0; i < model.length; i++) point = (point << BITS) | BigInt(rng.uint32());
      return points?.[row] ?? point;
    });
    const intervals = batch.rows.map(() => wholeInterval(model.length));
    const draw = (row: number, law: Law): number => {
      const parts = partsOf(law);
      const token = tokenAt(intervals[row]!, parts, own[row]!);
      intervals[row] = within(intervals[row]!, parts, token);
      return token;
    };
    const first = await batch.start();
    for (const row of batch.open()) batch.settle(row, { drawn: draw(row, first(row)) });
    await batch.end();
    while (batch.open().length > 0) {
      const { laws } = await batch.forward(batch.rows.map(() => []));
      for (const row of batch.open()) batch.settle(row, { drawn: draw(row, laws(row, 0)) });
      await batch.end();
    }
    return batch.finish();
  },
});

/**
 * The interval of each row's tokens [N], all of whose points `decode` turns back into them, under the same filters; in as few
 * passes as the model's window allows.
 */
export async function encode(
  model: TokenModel,
  tokens: readonly ArrayLike<number>[],
  filters: Filters = {},
): Promise<Interval[]> {
  const { batch, length, window, vocabulary } = model;
  if (tokens.length !== batch || tokens.some((row) => row.length !== length))
    throw new RangeError(
      `arithmetic: expected ${batch} rows of ${length} tokens, got ${tokens.length} of ${tokens.map((row) => row.length).join(', ')}`,
    );
  const filter = createFilter(filters, vocabulary);
  const intervals = tokens.map(() => wholeInterval(length));
  const narrow = (row: number, place: number, logits: Float32Array, step: number): void => {
    checkLogits(logits, place, step);
    const token = tokens[row]![place]!;
    const law = filter(logits);
    if (!(law[token]! > 0))
      throw new RangeError(
        `arithmetic: expected tokens that the model can draw, got ${token} at position ${place} of row ${row}, whose probability is ${law[token] ?? 0}`,
      );
    intervals[row] = within(intervals[row]!, partsOf(law), token);
  };
  const first = await model.start();
  for (let row = 0; row < batch; row++)
    narrow(row, 0, first.subarray(row * vocabulary, (row + 1) * vocabulary), 1);
  for (let at = 0, step = 2; at + 1 < length; at += window, step++) {
    const fed = tokens.map((row) => Array.from(row).slice(at, Math.min(at + window, length - 1)));
    const answer = await model.forward(fed.map((row) => ({ tokens: row })));
    for (const [row, { length: count }] of fed.entries()) {
      for (let i = 0; i < count; i++)
        narrow(row, at + i + 1, logitsAt(answer, row, i, vocabulary), step);
      model.commit(row, count);
    }
  }
  return intervals;
}
