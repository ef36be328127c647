/** A vocabulary of `attribute=value` words, indexed by the ways in which people say them. */

export type Meaning = {
  /** The word itself, and `attribute=yes` where the vocabulary has it: round glasses are glasses. */
  readonly words: readonly number[];
  /** Said as "hair red" rather than "red hair". */
  readonly nounFirst?: boolean;
  /** Only the attribute was said, the only one of its noun; any value will do. */
  readonly vague?: boolean;
};

export type VocabularyIndex = {
  /** Best first. */
  lookUp(tokens: readonly string[]): readonly Meaning[];
  literal(attribute: string, value: string): readonly Meaning[];
  /** Meanings of "no ...". */
  absence(tokens: readonly string[]): readonly Meaning[];
  isNoun(tokens: readonly string[]): boolean;
  isStyle(word: number): boolean;
  readonly words: readonly Word[];
  readonly waysToSay: readonly { readonly text: string; readonly word: number }[];
};

export type Word = {
  readonly id: number;
  readonly attribute: readonly string[];
  readonly value: readonly string[];
};

/** What an attribute's last word may say about it; people leave it out: "red hair", not "red hair color". */
const ASPECTS = new Set(['color', 'type', 'length', 'tint', 'width', 'shape']);
/** Of these a value alone could be of anything: red, dark, long. */
const NEEDS_NOUN = new Set(['color', 'tint', 'length', 'width']);
const ABSENT = new Set(['no', 'none']);

const SPELLINGS: Readonly<Record<string, string>> = {
  colour: 'color',
  grey: 'gray',
  blond: 'blonde',
  mustache: 'moustache',
};

/** Lower case, plain letters, singular: "Big-Smiles" and "bigSmile" are [big, smile]. */
export function tokensOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((token) => token !== '')
    .map((token) => (token.length > 3 ? token.replace(/(?<=[^s])s$/, '') : token))
    .map((token) => SPELLINGS[token] ?? token);
}

/** Spaces do not count, so that "pixelart" is "pixel art". */
export const keyOf = (tokens: readonly string[]) => tokens.join('');

const read = new WeakMap<readonly string[], VocabularyIndex>();

/** Made once for each list, which must not change. */
export function readVocabulary(vocabulary: readonly string[]): VocabularyIndex {
  const known = read.get(vocabulary);
  if (known) return known;
  const index = indexOf(vocabulary);
  read.set(vocabulary, index);
  return index;
}

function indexOf(vocabulary: readonly string[]): VocabularyIndex {
  const words = vocabulary.map((text, id): Word => {
    const [attribute, value] = text.includes('=') ? text.split(/=(.*)/s) : ['', text];
    return { id, attribute: tokensOf(attribute!), value: tokensOf(value!) };
  });
  const nouns = new Set(
    words.flatMap(({ attribute }) => [keyOf(attribute), keyOf(nounOf(attribute))]),
  );
  const ways = allWays(words, nouns);
  const table = groupByKey(ways);
  const plain = adjectiveToNoun((key) => nouns.has(key) || table.has(key));
  const lookUp = (tokens: readonly string[]) =>
    table.get(keyOf(tokens)) ?? table.get(keyOf(tokens.map(plain))) ?? [];
  return {
    words,
    lookUp,
    literal: (attribute, value) => {
      const isSpelt = ({ id }: Word) => vocabulary[id] === `${attribute}=${value}`;
      return words
        .filter((word) => keyOf(word.attribute) === keyOf(tokensOf(attribute)))
        .filter((word) => keyOf(word.value) === keyOf(tokensOf(value)))
        .sort((a, b) => Number(isSpelt(b)) - Number(isSpelt(a)))
        .map(({ id }) => ({ words: [id] }));
    },
    absence: (tokens) => absences(tokens, words, lookUp),
    isNoun: (tokens) => nouns.has(keyOf(tokens)),
    isStyle: (word) => keyOf(words[word]!.attribute) === 'style',
    waysToSay: ways.map(({ tokens, word }) => ({ text: tokens.join(' '), word })),
  };
}

/** All ways to say all words, the likelier ones first. */
function allWays(words: readonly Word[], nouns: ReadonlySet<string>): Way[] {
  const flags = new Map<string, number>();
  for (const { id, attribute, value } of words)
    if (keyOf(value) === 'yes') flags.set(keyOf(attribute), id);
  const flagOf = (attribute: readonly string[]) =>
    flags.get(keyOf(attribute)) ?? flags.get(keyOf(nounOf(attribute)));
  const adjectives = new Set(
    words
      .filter(({ attribute }) => NEEDS_NOUN.has(attribute.at(-1)!))
      .map(({ value }) => keyOf(value)),
  );
  const about = new Map<string, Set<string>>();
  for (const { attribute } of words) {
    const noun = keyOf(nounOf(attribute));
    about.set(noun, (about.get(noun) ?? new Set()).add(keyOf(attribute)));
  }
  const unclear = (key: string) => nouns.has(key) || adjectives.has(key);
  return words
    .flatMap((word) => waysOf(word, flagOf(word.attribute)))
    .filter(({ guess, tokens }) => !(guess && unclear(keyOf(tokens))))
    .filter(({ vague, tokens }) => !vague || about.get(keyOf(tokens))!.size === 1)
    .sort((a, b) => a.rank - b.rank);
}

/** "red-haired" and "bearded" name their thing: `haired` is `hair`. */
const adjectiveToNoun = (known: (key: string) => boolean) => (token: string) => {
  const stem = /^(.+)ed$/.exec(token)?.[1];
  return stem !== undefined && known(stem) ? stem : token;
};

/** What an attribute is about: `hair color` is about `hair`. */
export const nounOf = (attribute: readonly string[]) =>
  attribute.length > 1 && ASPECTS.has(attribute.at(-1)!) ? attribute.slice(0, -1) : attribute;

type Way = Meaning & {
  readonly tokens: readonly string[];
  readonly word: number;
  /** Lower is meant more likely. */
  readonly rank: number;
  /** Only a part of the value was said, and no noun. */
  readonly guess?: boolean;
};

/** All ways to say one word. */
function waysOf({ id, attribute, value }: Word, flag: number | undefined): Way[] {
  if (ABSENT.has(keyOf(value))) return [];
  const words = flag === undefined || flag === id ? [id] : [flag, id];
  const way = (rank: number, tokens: readonly string[], more: Partial<Way> = {}): Way => ({
    tokens,
    rank,
    words,
    word: id,
    ...more,
  });
  const noun = nounOf(attribute);
  if (flag === id) return [way(1, attribute)];
  const style = keyOf(attribute) === 'style';
  const ways = [
    way(1, [...value, ...attribute]),
    way(1, [...attribute, ...value], { nounFirst: true }),
    ...(noun === attribute
      ? []
      : [way(2, [...value, ...noun]), way(2, [...noun, ...value], { nounFirst: true })]),
    ...(attribute.length === 0 || flag !== undefined ? [] : [way(9, noun, { vague: true })]),
  ];
  if (!NEEDS_NOUN.has(attribute.at(-1)!)) ways.push(way(style ? 0 : 3, value));
  for (const part of beginningsAndEnds(value)) {
    ways.push(way(5, [...part, ...noun]));
    if (part.length > 1 || value.length < 3 || part[0] === value.at(-1))
      ways.push(way(7, part, { guess: true }));
  }
  return ways;
}

/** "beard" begins "beard light" and ends "full beard"; numbers alone say nothing. */
function beginningsAndEnds(value: readonly string[]): (readonly string[])[] {
  const parts: (readonly string[])[] = [];
  for (let length = value.length - 1; length > 0; length--)
    parts.push(value.slice(0, length), value.slice(-length));
  return parts.filter((part) => part.some((token) => /\p{L}{3}/u.test(token)));
}

function groupByKey(ways: readonly Way[]): ReadonlyMap<string, readonly Meaning[]> {
  const table = new Map<string, Meaning[]>();
  for (const way of ways) {
    const key = keyOf(way.tokens);
    const found = table.get(key);
    if (found) found.push(way);
    else table.set(key, [way]);
  }
  return table;
}

/** "no glasses" is `glasses=no`; "no beard" is the `no` of the attribute that a beard belongs to. */
function absences(
  tokens: readonly string[],
  words: readonly Word[],
  lookUp: (tokens: readonly string[]) => readonly Meaning[],
): Meaning[] {
  const nounOfWord = (word: number) => keyOf(nounOf(words[word]!.attribute));
  const things = new Set([keyOf(tokens)]);
  for (const meaning of lookUp(tokens)) things.add(nounOfWord(meaning.words.at(-1)!));
  const noes = words.filter(({ value }) => ABSENT.has(keyOf(value)));
  return [...things].flatMap((thing) =>
    noes
      .filter(({ attribute }) => keyOf(attribute) === thing || keyOf(nounOf(attribute)) === thing)
      .map(({ id }) => ({ words: [id] })),
  );
}
