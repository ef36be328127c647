/** Configurations of the autoregressive transformer in ar.ts: its options, and named sizes. */

/** What stands before the picture's tokens. */
export type Prefix =
  /** One token a class; the last row of the table is the null class. */
  | { readonly classes: number }
  /**
   * A bag of words in this many tokens, each with an offset of its own (ours): every token holds the sum of all
   * words, or of those whose slot it is.
   */
  | { readonly words: number; readonly tokens: number; readonly slots?: readonly number[] }
  /** Features of a text, `width` wide and `tokens` long, through an MLP (LlamaGen's captions). */
  | { readonly text: number; readonly tokens: number };

export type ARConfig = {
  /** Size of the tokenizer's codebook. */
  readonly codes: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Width inside the MLP. */
  readonly hidden: number;
  readonly condition: Prefix;
};

export const prefixLength = ({ condition }: Pick<ARConfig, 'condition'>): number =>
  'classes' in condition ? 1 : condition.tokens;

/**
 * The token of each "attribute=value", so that few attributes of a picture share one: attributes in alphabetical
 * order take the tokens in turn.
 */
export function attributeSlots(vocabulary: readonly string[], tokens: number): number[] {
  const attributeOf = (word: string) => word.split('=')[0]!;
  const attributes = [...new Set(vocabulary.map(attributeOf))].sort();
  return vocabulary.map((word) => attributes.indexOf(attributeOf(word)) % tokens);
}

/** Two thirds of four widths, rounded up to a multiple, as in Llama and LlamaGen. */
export const llamaHidden = (width: number, multiple = 256): number =>
  multiple * Math.ceil(Math.trunc((8 * width) / 3) / multiple);

const gpt = (depth: number, heads: number, width: number): ARConfig => ({
  codes: 16384,
  width,
  depth,
  heads,
  hidden: llamaHidden(width),
  condition: { classes: 1000 },
});

/** Sizes of Sun et al. 2024, table 1, and of the models that ship. */
export const AR_PRESETS = {
  'gpt-b': gpt(12, 12, 768),
  'gpt-l': gpt(24, 16, 1024),
  'gpt-xl': gpt(36, 20, 1280),
  'gpt-xxl': gpt(48, 24, 1536),
  'gpt-3b': gpt(24, 32, 3200),
  /** `condition` and `codes` of these are set from the data set and the tokenizer. */
  'avatars-ar': {
    codes: 1024,
    width: 256,
    depth: 8,
    heads: 4,
    hidden: 704,
    condition: { words: 1, tokens: 16, slots: [] },
  },
  'avatars-drafter': {
    codes: 1024,
    width: 128,
    depth: 4,
    heads: 2,
    hidden: 352,
    condition: { words: 1, tokens: 2 },
  },
} as const satisfies Record<string, ARConfig>;
