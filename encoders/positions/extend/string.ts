/**
 * STRING: shifted rotary position embedding (An et al. 2024, section 4). Large offsets were met seldom in
 * training, so an offset |D| >= S along an axis is seen as |D| - S + W, one of those met often; smaller
 * ones are seen as they are, so that neighbours stay in order.
 *
 * Options: `from` (1/3), S as a fraction of the side now, the paper's; `local` (2), W in tokens, at which
 * far offsets begin again (the paper's 32 to 128 are those of texts of 1e5 tokens). Ours: two axes, each
 * with its sign; a side no longer than trained is left alone. An axis's largest offset is then
 * length - 1 - S + W, which lies within those trained up to 1.5 times their side.
 *
 * Cost: nine products of queries and keys in place of one (seen.ts), so a step of the avatars model takes 1.5
 * times as long at 96 px and 1.9 times at 128 px.
 */
import type { ExtendMethod, Options, SeenAxis } from '../contract.ts';
import { unchanged } from './axes.ts';

export const stringRope: ExtendMethod = {
  hook: 'extend',
  name: 'string',
  of: 'offsets',
  timed: false,
  reducesTo: 'the rotation itself from 1 on, or on sides no longer than trained',
  options: { from: 1 / 3, local: 2 },
  extend: unchanged,
  seen({ spans: { trained, now } }, options) {
    const [y, x] = [
      seenAxis(now.height, trained.height, options),
      seenAxis(now.width, trained.width, options),
    ];
    return y || x ? { axes: { y: y ?? AS_IT_IS, x: x ?? AS_IT_IS } } : undefined;
  },
};

const AS_IT_IS: SeenAxis = { from: Number.POSITIVE_INFINITY, closer: 0 };

function seenAxis(length: number, trained: number, options: Options): SeenAxis | undefined {
  const [share, local] = [Number(options.from), Number(options.local)];
  const from = Math.ceil(share * length);
  if (length <= trained || from >= length) return undefined;
  if (share > 0 && local >= 0 && local <= from) return { from, closer: from - local };
  throw new RangeError(
    `positions.extend 'string': expected a local of 0 to from x side = ${from} tokens, got local ${local} and from ${share}`,
  );
}
