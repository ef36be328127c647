/**
 * Segments that please (CARDS: Li et al. 2024, Algorithm 1): tokens are drawn up to the next place where
 * the model is unsure; the segment is kept with probability min(1, exp((reward - target) / temperature)),
 * else drawn again, at most `tries` times. The law is tilted towards reward; a constant reward leaves it.
 * The first token belongs to no segment (Ours).
 */
import { type Decoder, openBatch } from './decoder.ts';
import { drawAt, type Law } from './law.ts';

export type CardsOptions = {
  /** Of the tokens decided so far. */
  readonly reward: (tokens: readonly number[]) => number;
  readonly target: number;
  /** Above 0. */
  readonly temperature: number;
  /** Entropy in nats that ends a segment before its token. */
  readonly entropy: number;
  /** Drawings of a segment at most; the last one stays. */
  readonly tries: number;
};

function entropyOf(law: Law): number {
  let sum = 0;
  for (const p of law) if (p > 0) sum -= p * Math.log(p);
  return sum;
}

export const cards = ({ reward, target, temperature, entropy, tries }: CardsOptions): Decoder => ({
  name: 'cards',
  property: 'approximate',
  async decode(model, options) {
    const batch = openBatch(model, options);
    const uniform = (row: number, place: number) => batch.streams[row]!('draw', place).uniform();
    /** Where the segment began, and how often it was drawn. */
    const segments = batch.rows.map(() => ({ start: 1, tried: 1 }));
    /** Judges the row's segment; false when it has to be drawn again, and is undone. */
    const keeps = (row: number): boolean => {
      const { start, tried } = segments[row]!;
      const decided = batch.rows[row]!;
      const chance = Math.exp((reward(decided) - target) / temperature);
      const judge = batch.streams[row]!('judge', start).uniform();
      if (tried < tries && judge >= chance) {
        batch.undo(row, start);
        segments[row] = { start, tried: tried + 1 };
        return false;
      }
      segments[row] = { start: decided.length, tried: 1 };
      return true;
    };
    const first = await batch.start();
    for (const row of batch.open())
      batch.settle(row, { drawn: drawAt(first(row), uniform(row, 0)) });
    await batch.end();
    while (batch.open().length > 0) {
      const { laws } = await batch.forward(batch.rows.map(() => []));
      for (const row of batch.open()) {
        const law = laws(row, 0);
        const place = batch.rows[row]!.length;
        const ends = place > segments[row]!.start && entropyOf(law) >= entropy;
        if (ends && !keeps(row)) continue;
        batch.settle(row, { drawn: drawAt(law, uniform(row, place)) });
        if (batch.rows[row]!.length === model.length) keeps(row);
      }
      await batch.end();
    }
    return batch.finish();
  },
});
