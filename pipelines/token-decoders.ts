/** Decoders as requests name them: what a model has for them is found through its card. */
import { createHash } from 'node:crypto';
import { extentOf } from '../encoders/positions/grid.ts';
import { type AnyCard, type TokenCard, tokenGridOf } from '../generators/token-model.ts';
import type { ImageRequest } from '../request.ts';
import type { Decoder } from '../sampling/tokens/decoder.ts';
import { uniform } from '../sampling/tokens/drafters/uniform.ts';
import type { OptionSchema } from '../sampling/tokens/options.ts';
import {
  createDecoder as createNamed,
  DECODERS,
  type DecoderContext,
  type DecoderName,
  isDrafterOption,
  MODEL_DRAFTERS,
  PLAIN_DRAFTERS,
} from '../sampling/tokens/registry.ts';

/** What a request says of a decoder; the registry has names, limits and defaults. */
export type DecoderOptions = Readonly<Record<string, unknown>>;

export const DECODER_NAMES: readonly string[] = Object.keys(DECODERS);
/** The drafters that every model has, and those that a card names. */
export const drafterNamesOf = ({ drafters = {} }: Pick<TokenCard, 'drafters'>): string[] => [
  ...PLAIN_DRAFTERS,
  ...MODEL_DRAFTERS.filter((name) => drafters[name] !== undefined),
];

/** Names of the options that a decoder has. */
export const decoderOptionsOf = (name: string): readonly string[] =>
  Object.keys(DECODERS[name as DecoderName].options);

/** Whether a picture's tokens depend on the others of its batch. */
export const decidesByBatch = (name: string): boolean =>
  (DECODERS[name as DecoderName] as { readonly byBatch?: boolean }).byBatch ?? false;

/** The drafters that a decoder takes, by the options that name them. */
function namedDrafters(name: string, options: DecoderOptions): [option: string, drafter: string][] {
  return Object.entries<OptionSchema>(DECODERS[name as DecoderName].options)
    .filter(([_, schema]) => isDrafterOption(schema))
    .map(([option, schema]) => [option, String(options[option] ?? schema.default)]);
}

export const draftersOf = (name: string, options: DecoderOptions): string[] =>
  namedDrafters(name, options).map(([_, drafter]) => drafter);

/** A decoder of pictures of T tokens; lengths that are not given fit them. */
export const createDecoder = (
  name: string,
  options: DecoderOptions,
  { T, ...context }: DecoderContext & { readonly T: number },
): Decoder => createNamed(name, { ...fittedOptions(name, T), ...options }, context);

/** SHA-256 of the drafter that a request takes, where it is one that was made for the model; of the digests of several. */
export function drafterDigestOf(
  sampling: ImageRequest['sampling'],
  card: AnyCard,
): string | undefined {
  if (sampling.kind !== 'tokens' || card.architecture !== 'ar') return undefined;
  const names = draftersOf(sampling.decoder, (sampling.decoderOptions ?? {}) as DecoderOptions);
  const digests = MODEL_DRAFTERS.filter((own) => names.includes(own)).flatMap(
    (own) => card.drafters?.[own]?.digest ?? [],
  );
  if (digests.length < 2) return digests[0];
  return createHash('sha256').update(digests.join()).digest('hex');
}

/** Throws where an option is out of its range, or asks for a drafter that the card does not name; opens nothing. */
export function checkDecoder(name: string, options: DecoderOptions, card: TokenCard): void {
  for (const [option, drafter] of namedDrafters(name, options))
    if (MODEL_DRAFTERS.some((own) => own === drafter && !card.drafters?.[own]))
      throw new RangeError(
        `sampling.decoderOptions.${option}: expected one of ${drafterNamesOf(card).join(', ')}, got '${drafter}', which '${card.id}' has none of; give it one with \`ropewalk drafters\``,
      );
  const nearest = (count: number): [] => {
    if (count < card.config.codes) return [];
    throw new RangeError(
      `sampling.decoderOptions.neighbours: expected at most ${card.config.codes - 1}, the other codes of '${card.id}', got ${count}`,
    );
  };
  // Any drafter will do, for nothing is drafted.
  const own = Object.fromEntries(MODEL_DRAFTERS.map((one) => [one, uniform()]));
  createNamed(name, options, { width: extentOf(tokenGridOf(card)).width, nearest, ...own });
}

/** What a pass may draft, and the tokens that such an option can be of use for in a picture of T. */
const LENGTHS: Readonly<Record<string, (T: number) => number>> = {
  window: (T) => T,
  limit: (T) => T - 1, // drafts follow a token that is decided
  length: (T) => T - 1,
  depth: (T) => T - 1,
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
