/**
 * ZipAR (He et al. 2024, section 3): a row of the grid starts as soon as the one above has `lead` tokens,
 * so a pass decides one token in each open row. Approximate: a token does not see the rest of the row
 * above. With a lead of the grid's width it is sequential decoding, token for token.
 *
 * The first token of a row that starts early has no left neighbour that is decided: the last token of the
 * row above stands in for it in that pass, and is not kept (as in the authors' code). Ours: later tokens
 * see all that is decided, those of lower rows too.
 */
import { logitsAt } from './contract.ts';
import {
  checkLogits,
  type DecodeOptions,
  type Decoder,
  type RowPass,
  streamsOf,
} from './decoder.ts';
import { createFilter } from './filters.ts';
import { drawWith, gumbels } from './law.ts';

export type ZipAROptions = {
  /** Tokens in a row of the grid. */
  readonly width: number;
  /** Tokens that a row has before the next one starts. */
  readonly lead: number;
};

/** What one picture feeds in a pass: tokens to keep, then those that stand in for one pass. */
type Feed = {
  readonly tokens: number[];
  readonly positions: number[];
  readonly parents: number[];
  keeps: number;
};

export const zipar = ({ width, lead }: ZipAROptions): Decoder => ({
  name: 'zipar',
  property: lead >= width ? 'identical' : 'approximate',
  async decode(model, { rngs, filters = {}, signal, onPass }: DecodeOptions) {
    const { vocabulary, batch, length } = model;
    check(width, lead, length);
    if (rngs.length !== batch)
      throw new RangeError(`decode: expected ${batch} streams, one a row, got ${rngs.length}`);
    const filter = createFilter(filters, vocabulary);
    const streams = rngs.map(streamsOf);
    const tokens = rngs.map(() => new Int32Array(length).fill(-1));
    const trace: RowPass[][] = [];
    let passes = 1;
    const draw = (row: number, place: number, logits: Float32Array): void => {
      checkLogits(logits, place, passes);
      const noise = gumbels(streams[row]!('noise', place), vocabulary);
      tokens[row]![place] = drawWith(filter(logits), noise);
    };
    const tell = async (places: readonly (readonly number[])[]) => {
      const pass = places.map((list, row): RowPass => {
        const decided = list.map((place) => tokens[row]![place]!);
        return {
          start: list[0] ?? length,
          drafted: [],
          accepted: 0,
          decided,
          redrawn: false,
          places: list,
        };
      });
      trace.push(pass);
      await onPass?.(pass);
    };

    const first = await model.start();
    for (let row = 0; row < batch; row++)
      draw(row, 0, first.subarray(row * vocabulary, (row + 1) * vocabulary));
    let fresh: number[][] = rngs.map(() => [0]);
    await tell(fresh);
    while (tokens.some((list) => list.includes(-1))) {
      signal?.throwIfAborted();
      passes++;
      const feeds = tokens.map((list, row) => feedOf(list, fresh[row]!, { width, lead }));
      const answer = await model.forward(feeds);
      fresh = feeds.map(({ positions, keeps }, row) => {
        const found: number[] = [];
        for (const [i, position] of positions.entries()) {
          const place = position + 1;
          if (place >= length || tokens[row]![place] !== -1 || found.includes(place)) continue;
          draw(row, place, logitsAt(answer, row, i, vocabulary));
          found.push(place);
        }
        model.commit(row, keeps);
        return found.sort((a, b) => a - b);
      });
      await tell(fresh);
    }
    return { tokens, passes, trace };
  },
});

function feedOf(tokens: Int32Array, fresh: readonly number[], { width, lead }: ZipAROptions): Feed {
  const positions = [...fresh];
  const stand: number[] = [];
  for (let start = width; start < tokens.length; start += width) {
    const above = tokens.subarray(start - width, start);
    const count = above.includes(-1) ? above.indexOf(-1) : width;
    if (tokens[start] !== -1 || count < Math.min(lead, width) || fresh.includes(start - 1))
      continue;
    positions.push(start - 1);
    stand.push(above[count - 1]!);
  }
  const keeps = fresh.length;
  return {
    tokens: [...fresh.map((place) => tokens[place]!), ...stand],
    positions,
    parents: positions.map((_, i) => (i < keeps ? i - 1 : keeps - 1)),
    keeps,
  };
}

function check(width: number, lead: number, length: number): void {
  if (!(Number.isInteger(width) && width >= 1 && length % width === 0))
    throw new RangeError(`zipar: expected a width that divides the ${length} tokens, got ${width}`);
  if (!(Number.isInteger(lead) && lead >= 1))
    throw new RangeError(`zipar: expected a lead of at least 1, got ${lead}`);
}
