/**
 * LM-Infinite (Han et al. 2024, section 3): a token attends to a window around itself and to the first
 * tokens, and an offset larger than any that was trained is seen as the largest that was. On images: a
 * square window of tokens; the condition tokens, and the smallest scale of a pyramid, are seen by all.
 *
 * Options: `reach` (0.5), the window's reach on either side of a token in trained sides, so that about as
 * many tokens are seen as were trained with; `clip` (1), the largest offset seen, as a part of the trained
 * side's. Ours: all of the above for two axes; a side no longer than trained is left alone. Pairs that are
 * hidden are computed all the same, so time still grows with the square of the tokens.
 */
import type { ExtendMethod, Options, SeenAxis } from '../contract.ts';
import { extentOf } from '../grid.ts';
import { unchanged } from './axes.ts';

export const lmInfinite: ExtendMethod = {
  hook: 'extend',
  name: 'lm-infinite',
  of: 'offsets',
  timed: false,
  reducesTo: 'the rotation itself where reach and clip span the grid',
  options: { reach: 0.5, clip: 1 },
  extend: unchanged,
  seen({ grid, trained, spans: { trained: from, now: to } }, options) {
    const tokens = extentOf(trained);
    const y = axisOf({ length: to.height, trained: from.height, tokens: tokens.height }, options);
    const x = axisOf({ length: to.width, trained: from.width, tokens: tokens.width }, options);
    const window = { y: y.reach, x: x.reach };
    // What a window hides needs no other offset; a pyramid's smallest scale is never hidden.
    const met = (axis: typeof y, length: number) =>
      (grid.kind === 'pyramid' ? length - 1 : axis.reach) > axis.seen.fixed;
    const clipped = met(y, to.height) || met(x, to.width);
    const hides = y.reach < to.height - 1 || x.reach < to.width - 1;
    if (!clipped && !hides) return undefined;
    return {
      ...(clipped ? { axes: { y: y.seen, x: x.seen } } : {}),
      ...(hides ? { window } : {}),
    };
  },
};

/** `trained`: the span of the offsets that were; `tokens`: the trained side. */
function axisOf(
  { length, trained, tokens }: Record<'length' | 'trained' | 'tokens', number>,
  { reach, clip }: Options,
): { reach: number; seen: SeenAxis & { fixed: number } } {
  if (!(Number(reach) > 0 && Number(clip) > 0)) {
    throw new RangeError(
      `positions.extend 'lm-infinite': expected a reach and a clip above 0, got ${reach} and ${clip}`,
    );
  }
  const longer = length > trained;
  const largest = longer ? Math.round(Number(clip) * (trained - 1)) : length;
  return {
    reach: longer ? Math.min(Math.round(Number(reach) * tokens), length - 1) : length - 1,
    seen: { from: largest, fixed: largest },
  };
}
