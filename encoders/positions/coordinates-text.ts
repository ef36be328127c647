/**
 * What a comparison changes of a model's positions, as people write it: extensions with + between, and 'coordinates:option=value', which changes
 * options of the model's own coordinates, such as where RPE-2D places a grid in sampling
 * ('coordinates:inference=contiguous').
 */

import { readOptions } from '../../method-text.ts';
import type { Options } from './contract.ts';

const COORDINATES = 'coordinates:';

export type MethodText = {
  readonly extensions: readonly string[];
  readonly coordinates?: Options;
};

export function readMethodText(text: string): MethodText {
  const parts = text.split('+').map((part) => part.trim());
  const extensions = parts.filter((part) => !part.startsWith(COORDINATES));
  const own = parts.filter((part) => part.startsWith(COORDINATES));
  if (own.length === 0) return { extensions };
  const chosen = own.length === 1 && readOptions(own[0]!.slice(COORDINATES.length));
  if (!chosen)
    throw new RangeError(
      `extend: expected options of coordinates such as '${COORDINATES}inference=contiguous', once, got '${text}'`,
    );
  const values = chosen.map(([option, [first, ...more]]) => [
    option,
    more.length > 0 ? [first, ...more] : first,
  ]);
  return { extensions, coordinates: Object.fromEntries(values) };
}
