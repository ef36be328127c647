/**
 * From a prompt to words of a model's vocabulary. Words look like `hair color=red`, `style=big smile`,
 * `glasses=yes`, `glasses type=round`; people write "red hair", "bigSmile", "round glasses", "no glasses".
 *
 * Each comma-separated phrase is matched as a whole, else cut from the left into the longest parts
 * that match; adjectives share a noun ("short red hair"). Everything else is reported with the
 * nearest words, never dropped in silence.
 */
import {
  keyOf,
  type Meaning,
  nounOf,
  readVocabulary,
  tokensOf,
  type VocabularyIndex,
  type Word,
} from './prompt-words.ts';
import { nearest } from './tensor/nearest.ts';

export type Matched = {
  /** What the prompt said. */
  readonly text: string;
  /** Vocabulary ids. */
  readonly words: readonly number[];
  /** From "(red hair:1.3)". */
  readonly weight?: number;
};

export type Unmatched = { readonly text: string; readonly nearest: readonly string[] };

export type MatchOptions = {
  /** Whether `word` can be said of a drawing in `style` (both vocabulary ids). Default: always. */
  readonly fits?: (word: number, style: number) => boolean;
};

const LONGEST_PROMPT = 4000;
/** Parts that were not understood and get words to try instead. */
const MOST_ADVICE = 10;

export function matchWords(
  text: string,
  vocabulary: readonly string[],
  { fits = () => true }: MatchOptions = {},
): { readonly matched: readonly Matched[]; readonly unmatched: readonly Unmatched[] } {
  if (text.length > LONGEST_PROMPT)
    throw new RangeError(
      `prompt: expected at most ${LONGEST_PROMPT} characters, got ${text.length}`,
    );
  const index = readVocabulary(vocabulary);
  const phrases = phrasesOf(text);
  const match = (allowed: Allowed) =>
    phrases.flatMap(({ phrase, weight }) =>
      matchPhrase(phrase, index, allowed).map((part) => ({
        ...part,
        ...(weight !== undefined && { weight }),
      })),
    );

  const style = match(() => true)
    .flatMap(({ words = [] }) => words)
    .find(index.isStyle);
  const allowed: Allowed = (word) =>
    style === undefined || index.isStyle(word) || fits(word, style);
  const parts = match(allowed);
  return {
    matched: parts.flatMap(({ words, ...part }) => (words ? [{ ...part, words }] : [])),
    unmatched: parts
      .filter(({ words }) => words === undefined)
      .map(({ text }, i) => ({
        text,
        nearest: i < MOST_ADVICE ? near(text, vocabulary, index, allowed) : [],
      })),
  };
}

type Allowed = (word: number) => boolean;

/** Phrases between commas, semicolons and lines, each with the weight of "(phrase:weight)". */
function phrasesOf(text: string): { phrase: string; weight?: number }[] {
  const phrases: { phrase: string; weight?: number }[] = [];
  const weighted = /\(([^():]*):\s*(-?\d+(?:\.\d+)?)\s*\)/g;
  let at = 0;
  const plain = (end: number) => {
    for (const phrase of text.slice(at, end).split(/[,;\n]/)) phrases.push({ phrase });
  };
  for (const match of text.matchAll(weighted)) {
    plain(match.index);
    for (const phrase of match[1]!.split(/[,;\n]/))
      phrases.push({ phrase, weight: Number(match[2]) });
    at = match.index + match[0].length;
  }
  plain(text.length);
  return phrases
    .map((entry) => ({ ...entry, phrase: entry.phrase.replace(/\s+/g, ' ').trim() }))
    .filter(({ phrase }) => tokensOf(phrase).length > 0);
}

type Part = { readonly text: string; readonly words?: readonly number[] };

/** Words that join others and mean nothing alone. */
const JOINING = new Set(
  'a an and the with wearing wears has having in of on his her their its is are plus person face picture avatar'.split(
    ' ',
  ),
);
const NEGATIONS = new Set(['no', 'not', 'without']);
/** Longest part of a phrase that is tried, in tokens. */
const LONGEST = 7;
/** Longest phrase that is tried as a whole: the work grows with its cube. */
const LONGEST_WHOLE = 16;

function matchPhrase(phrase: string, index: VocabularyIndex, allowed: Allowed): Part[] {
  const literal = /^([^=]*)=([^=]*)$/.exec(phrase);
  if (literal) {
    const words = pick(index.literal(literal[1]!, literal[2]!), allowed);
    return [{ text: phrase, ...(words && { words }) }];
  }
  const shown = phrase.split(' ');
  const tokens = tokensOf(phrase);
  const whole =
    tokens.length > LONGEST_WHOLE
      ? undefined
      : (pick(index.lookUp(tokens), allowed) ?? meaningOf(tokens, index, allowed));
  if (whole) return [{ text: phrase, words: whole }];

  return cutIntoParts(shown, index, allowed);
}

function cutIntoParts(shown: readonly string[], index: VocabularyIndex, allowed: Allowed): Part[] {
  const parts: Part[] = [];
  let lost: string[] = [];
  const flush = () => {
    if (lost.length > 0) parts.push({ text: lost.join(' ') });
    lost = [];
  };
  for (let at = 0; at < shown.length; ) {
    const token = shown[at]!.toLowerCase();
    const found = longestPart(shown, at, index, allowed);
    if (found || JOINING.has(token)) flush();
    if (found) parts.push(found.part);
    let end = at + (found?.length ?? 1);
    // What is not understood after "no" must not be read without it.
    if (!found && NEGATIONS.has(token)) end = shown.length;
    if (!found && !JOINING.has(token)) lost.push(...shown.slice(at, end));
    at = end;
  }
  flush();
  return parts;
}

function longestPart(
  shown: readonly string[],
  at: number,
  index: VocabularyIndex,
  allowed: Allowed,
) {
  if (JOINING.has(shown[at]!.toLowerCase())) return undefined;
  for (let length = Math.min(LONGEST, shown.length - at); length > 0; length--) {
    const text = shown.slice(at, at + length).join(' ');
    const tokens = tokensOf(text);
    const words = tokens.length > LONGEST_WHOLE ? undefined : meaningOf(tokens, index, allowed);
    if (words) return { part: { text, words }, length };
  }
  return undefined;
}

/** Of a part of a phrase: nouns come last here, or "glasses red hair" would have red glasses. */
function meaningOf(
  tokens: readonly string[],
  index: VocabularyIndex,
  allowed: Allowed,
): readonly number[] | undefined {
  if (NEGATIONS.has(tokens[0]!)) {
    const thing = tokens.slice(1).filter((token) => token !== 'any' && !JOINING.has(token));
    return pick(index.absence(thing), allowed);
  }
  const meanings = index.lookUp(tokens).filter(({ nounFirst, vague }) => !nounFirst && !vague);
  return pick(meanings, allowed) ?? shareNoun(tokens, index, allowed);
}

/** "short red hair" is "short hair" and "red hair". */
function shareNoun(
  tokens: readonly string[],
  index: VocabularyIndex,
  allowed: Allowed,
): readonly number[] | undefined {
  for (let split = 2; split < tokens.length; split++) {
    const noun = tokens.slice(split);
    if (!index.isNoun(noun)) continue;
    const words: number[] = [];
    let at = 0;
    while (at < split) {
      let end = split;
      let found: readonly number[] | undefined;
      for (; end > at && !found; end--)
        found = pick(index.lookUp([...tokens.slice(at, end), ...noun]), allowed);
      if (!found) break;
      words.push(...found);
      at = end + 1;
    }
    if (at === split) return [...new Set(words)];
  }
  return undefined;
}

/** The first meaning whose words may all be said. */
const pick = (meanings: readonly Meaning[], allowed: Allowed): readonly number[] | undefined =>
  meanings.find(({ words }) => words.every(allowed))?.words;

/** Words to try instead: of the same noun, of the same value, or spelt alike. */
function near(
  text: string,
  vocabulary: readonly string[],
  index: VocabularyIndex,
  allowed: Allowed,
): string[] {
  const tokens = tokensOf(text).slice(0, LONGEST_WHOLE);
  const words = index.words.filter(({ id }) => allowed(id));
  const ways = index.waysToSay.filter(({ word }) => allowed(word));
  const alike = nearest(tokens.join(' '), [...new Set(ways.map((way) => way.text))]).flatMap(
    (said) => ways.filter((way) => way.text === said).map(({ word }) => word),
  );
  const found = [
    ...ofSameNoun(tokens, words),
    ...ofValue(tokens, words),
    ...aboutNoun(tokens, words),
    ...alike,
  ];
  return [...new Set(found)].slice(0, 3).map((word) => vocabulary[word]!);
}

/** "blue eyes", where blue is a colour of something else: the colours that eyes have. */
function ofSameNoun(tokens: readonly string[], words: readonly Word[]): number[] {
  for (let split = 1; split < tokens.length; split++) {
    const [value, noun] = [tokens.slice(0, split), keyOf(tokens.slice(split))];
    const aspects = new Set(ofValue(value, words).map((id) => aspectOf(words, id)));
    const found = words.filter(
      ({ id, attribute }) => keyOf(nounOf(attribute)) === noun && aspects.has(aspectOf(words, id)),
    );
    if (found.length > 0) return found.map(({ id }) => id);
  }
  return [];
}

const aboutNoun = (tokens: readonly string[], words: readonly Word[]): number[] =>
  words.filter(({ attribute }) => keyOf(nounOf(attribute)) === keyOf(tokens)).map(({ id }) => id);

const ofValue = (tokens: readonly string[], words: readonly Word[]): number[] =>
  words.filter(({ value }) => keyOf(value) === keyOf(tokens)).map(({ id }) => id);

function aspectOf(words: readonly Word[], id: number): string {
  const { attribute } = words.find((word) => word.id === id)!;
  return nounOf(attribute) === attribute ? '' : attribute.at(-1)!;
}
