/** Words "attribute=value" by their attribute: of the values of one attribute a picture shows at most one. */

export type Attributes = {
  readonly names: readonly string[];
  /** Attribute of each word. */
  readonly of: readonly number[];
  /** Words of each attribute. */
  readonly words: readonly (readonly number[])[];
  /** Place of `style` among the names; -1 where there is none. */
  readonly style: number;
};

/** What a reader sees: the likeliest word of each attribute, whether or not it applies to the picture. */
export type Reading = readonly number[];

export function attributesOf(vocabulary: readonly string[]): Attributes {
  const names: string[] = [];
  const words: number[][] = [];
  const of = vocabulary.map((word, id) => {
    const name = word.split('=', 1)[0]!;
    const known = names.indexOf(name);
    const at = known < 0 ? names.push(name) - 1 : known;
    words[at] = [...(words[at] ?? []), id];
    return at;
  });
  return { names, of, words, style: names.indexOf('style') };
}

/** The word of the style among words; -1 where there is none. */
export const styleOf = ({ of, style }: Attributes, words: readonly number[]): number =>
  words.find((word) => of[word] === style) ?? -1;

/** The likeliest word of each attribute from one row of logits over the vocabulary. */
export const readingOf = ({ words }: Attributes, logits: Float32Array): Reading =>
  words.map((ids) => ids.reduce((best, id) => (logits[id]! > logits[best]! ? id : best)));
