/** Decoders by the names that requests know, with their options and defaults. */
import type { Decoder } from '../sampling/tokens/decoder.ts';
import type { Drafter } from '../sampling/tokens/drafters/drafter.ts';
import { neighbour } from '../sampling/tokens/drafters/neighbour.ts';
import { uniform } from '../sampling/tokens/drafters/uniform.ts';
import { fixedNoiseJacobi } from '../sampling/tokens/fixed-noise-jacobi.ts';
import { sequential } from '../sampling/tokens/sequential.ts';
import { sjd } from '../sampling/tokens/sjd.ts';

/** What a request says of a decoder. */
export type DecoderOptions = {
  /** Tokens a pass. Default: 16. */
  readonly window?: number;
  /** What enters the window. Default: the token on the left. */
  readonly drafter?: DrafterName;
};
type DrafterName = keyof typeof DRAFTERS;
type Windowed = { readonly window: number; readonly drafter: Drafter };

/** `width` is that of the grid, in tokens. */
const DRAFTERS = {
  left: (width: number) => neighbour({ side: 'left', width }),
  above: (width: number) => neighbour({ side: 'above', width }),
  uniform: () => uniform(),
} as const satisfies Record<string, (width: number) => Drafter>;
export const DRAFTER_NAMES = Object.keys(DRAFTERS);

const WINDOWED: Readonly<Record<string, (options: Windowed) => Decoder>> = {
  'fixed-noise': fixedNoiseJacobi,
  sjd: (options) => sjd({ ...options, redraw: 'independent' }),
  'scd-maximal': (options) => sjd({ ...options, redraw: 'maximal' }),
  'scd-gumbel': (options) => sjd({ ...options, redraw: 'gumbel' }),
};
export const DECODER_NAMES = ['sequential', ...Object.keys(WINDOWED)];

/** Names of the options that a decoder has. */
export const decoderOptionsOf = (name: string): readonly string[] =>
  name in WINDOWED ? ['window', 'drafter'] : [];

export function createDecoder(
  name: string,
  { window = 16, drafter = 'left' }: DecoderOptions,
  width: number,
): Decoder {
  return WINDOWED[name]?.({ window, drafter: DRAFTERS[drafter](width) }) ?? sequential();
}
