/** What a report says of held-out combinations and of training drawings, which only drawings with known words allow. */
import { short } from '../charts.ts';
import type { MeasureName } from './measures.ts';
import type { Row } from './report.ts';
import type { Resolution } from './run.ts';

/** How the numbers were made. */
export function truthSentences([cell]: Resolution['cells']): string[] {
  const { heldOut, memorisation } = cell!.numbers;
  const said: string[] = [];
  if (heldOut)
    said.push(
      `Held-out combinations: ${heldOut.samples} further pictures a cell, of words that no training drawing shows together; found where all words of the combination are read.`,
    );
  if (heldOut?.seen)
    said.push(
      `Seen combinations: the ${heldOut.seen.samples} other pictures of a cell whose words have the attributes of a held-out one; found where these words are read.`,
    );
  if (memorisation)
    said.push(
      `Nearest training drawing: the middle square of each picture, brought to the trained side by the features' kernel, is held against all drawings of its style among ${memorisation.drawings} of training; root mean squared difference after averaging over 32 x 32 blocks. Relative to real drawings of the same words that were never trained on, brought there in the same way: copies are near 0.`,
    );
  return said;
}

/** Measures by what they are called on a line. */
const CALLED = {
  heldOut: 'held-out combinations',
  seenAlike: 'seen ones',
  nearest: 'nearest training drawing',
  copies: 'its 5 % quantile',
} as const satisfies Partial<Record<MeasureName, string>>;

/** Of an arm at one size, for a terminal; nothing where nothing was measured. */
export function truthLine({ size, model, extend, numbers }: Row): string[] {
  const said = (Object.keys(CALLED) as (keyof typeof CALLED)[]).flatMap((name) => {
    const found = numbers[name];
    return found
      ? [`${CALLED[name]} ${short(found.value)} [${short(found.low)}, ${short(found.high)}]`]
      : [];
  });
  return said.length > 0
    ? [`${size}: ${model}, ${extend}, relative to real: ${said.join('; ')}`]
    : [];
}
