/**
 * One token a pass, left to right: what every other decoder is compared with. The token of a place is
 * arg-max(log p + G), G the place's own Gumbel vector, so fixed-noise decoding can give the same tokens.
 */
import { type Decoder, openBatch } from './decoder.ts';
import { drawWith, gumbels } from './law.ts';

export const sequential = (): Decoder => ({
  name: 'sequential',
  property: 'identical',
  async decode(model, options) {
    const batch = openBatch(model, options);
    const noise = (row: number, place: number) =>
      gumbels(batch.streams[row]!('noise', place), model.vocabulary);
    const first = await batch.start();
    for (const row of batch.open())
      batch.settle(row, { drawn: drawWith(first(row), noise(row, 0)) });
    await batch.end();
    while (batch.open().length > 0) {
      const { laws } = await batch.forward(batch.rows.map(() => []));
      for (const row of batch.open())
        batch.settle(row, { drawn: drawWith(laws(row, 0), noise(row, batch.rows[row]!.length)) });
      await batch.end();
    }
    return batch.finish();
  },
});
