/** Decoders that requests may name: those of the registry that need no more than tokens. */
import type { Decoder } from '../sampling/tokens/decoder.ts';
import {
  createDecoder as createNamed,
  DECODERS,
  type DecoderName,
  DRAFTER_NAMES as NAMED_DRAFTERS,
  type OptionSchema,
} from '../sampling/tokens/registry.ts';

/** What a request says of a decoder; the registry has names, limits and defaults. */
export type DecoderOptions = Readonly<Record<string, unknown>>;

/** LANTERN needs the codebook. */
export const DECODER_NAMES = Object.keys(DECODERS).filter((name) => name !== 'lantern');
/** A network drafter is a second model. */
export const DRAFTER_NAMES: readonly string[] = NAMED_DRAFTERS.filter((name) => name !== 'network');

/** Names of the options that a decoder has. */
export const decoderOptionsOf = (name: string): readonly string[] =>
  Object.keys(DECODERS[name as DecoderName].options);

/** Whether a picture's tokens depend on the others of its batch. */
export const decidesByBatch = (name: string): boolean =>
  (DECODERS[name as DecoderName] as { readonly byBatch?: boolean }).byBatch ?? false;

/** `width` is that of the grid, in tokens. */
export const createDecoder = (name: string, options: DecoderOptions, width: number): Decoder =>
  createNamed(name, options, { width });

/** What a pass may draft, and the tokens that such an option can be of use for in a picture of T. */
const LENGTHS: Readonly<Record<string, (T: number) => number>> = {
  window: (T) => T,
  limit: (T) => T - 1, // drafts follow a token that is decided
  length: (T) => T - 1,
};

/** Defaults of a decoder's lengths, as far as they fit a picture of T tokens. */
export function fittedOptions(name: string, T: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [option, schema] of Object.entries<OptionSchema>(
    DECODERS[name as DecoderName].options,
  )) {
    const most = LENGTHS[option]?.(T);
    if (most !== undefined && 'type' in schema) found[option] = Math.min(schema.default, most);
  }
  return found;
}
