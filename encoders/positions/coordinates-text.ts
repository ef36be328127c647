/**
 * What a picture changes of a model's positions, as people write it: extensions, with + between where they are one text, and 'coordinates:option=value',
 * which changes options of the model's own coordinates, such as where RPE-2D places a grid in sampling
 * ('coordinates:inference=contiguous').
 */

import { readOptions } from '../../method-text.ts';
import type { Options } from './contract.ts';

const COORDINATES = 'coordinates:';

export type MethodText = {
  readonly extensions: readonly string[];
  readonly coordinates?: Options;
};

export const readMethodText = (text: string): MethodText =>
  readMethodTexts(text.split('+').map((part) => part.trim()));

export function readMethodTexts(parts: readonly string[]): MethodText {
  const extensions = parts.filter((part) => !part.startsWith(COORDINATES));
  const own = parts.filter((part) => part.startsWith(COORDINATES));
  if (own.length === 0) return { extensions };
  const coordinates = own.length === 1 && readOptions(own[0]!.slice(COORDINATES.length));
  if (!coordinates)
    throw new RangeError(
      `extend: expected options of coordinates such as '${COORDINATES}inference=contiguous', once, got '${parts.join('+')}'`,
    );
  return { extensions, coordinates: coordinates as Options };
}
