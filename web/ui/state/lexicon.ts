/** A model's words as people say them: completion of a prompt, its chips, and changes to it by chip. */
import { matchWords } from '../../../prompt.ts';
import { keyOf, nounOf, readVocabulary, tokensOf, type Word } from '../../../prompt-words.ts';

type Vocabulary = {
  readonly vocabulary: readonly string[];
  readonly styles?: Readonly<Record<string, readonly string[]>>;
};

export type Lexicon = {
  readonly model: Vocabulary;
  /** Of each word: how to say it, so that the prompt's reader takes it for this word and no other. */
  readonly phrases: readonly string[];
  readonly attributes: readonly string[];
  readonly styles: readonly number[];
  /** Whether a word can be said of a drawing in a style. */
  fits(word: number, style: number | undefined): boolean;
};

const known = new WeakMap<Vocabulary, Lexicon>();

export function lexiconOf(model: Vocabulary): Lexicon {
  const before = known.get(model);
  if (before) return before;
  const { vocabulary, styles } = model;
  const index = readVocabulary(vocabulary);
  const allowed = new Map(
    Object.entries(styles ?? {}).map(([style, words]) => [style, new Set(words)] as const),
  );
  const lexicon: Lexicon = {
    model,
    phrases: index.words.map((word) => phraseFor(word, vocabulary[word.id]!, index)),
    attributes: vocabulary.map((word) => (word.includes('=') ? word.split('=')[0]! : '')),
    styles: index.words.filter(({ id }) => index.isStyle(id)).map(({ id }) => id),
    fits: (word, style) => {
      const words = style === undefined ? undefined : allowed.get(vocabulary[style]!);
      return words === undefined || index.isStyle(word) || words.has(vocabulary[word]!);
    },
  };
  known.set(model, lexicon);
  return lexicon;
}

/** The shortest way to say a word that is read as it, and as nothing else; its own spelling if there is none. */
function phraseFor(
  { id, attribute, value }: Word,
  spelling: string,
  index: ReturnType<typeof readVocabulary>,
): string {
  if (attribute.length === 0) return spelling;
  const [what, is] = spelling.split('=') as [string, string];
  const noun = what.split(' ').slice(0, nounOf(attribute).length).join(' ');
  if (['no', 'none'].includes(keyOf(value))) {
    const meant = index.absence(attribute)[0]?.words;
    return meant?.length === 1 && meant[0] === id ? `no ${what}` : spelling;
  }
  const ways = index.isStyle(id)
    ? [is]
    : keyOf(value) === 'yes'
      ? [what]
      : [...(is.endsWith(noun) ? [is] : []), `${is} ${noun}`, `${is} ${what}`, is];
  return ways.find((way) => index.lookUp(tokensOf(way))[0]?.words.at(-1) === id) ?? spelling;
}

export type Suggestion = {
  readonly word: number;
  readonly text: string;
  readonly attribute: string;
  /** The part that was typed: begins at, ends before. */
  readonly mark?: readonly [number, number];
};

/** The phrase that the caret is in, from its first letter. */
export function phraseAt(
  text: string,
  caret: number,
): { readonly from: number; readonly said: string } {
  const before = text.slice(0, caret);
  const cut = Math.max(...[',', ';', '\n'].map((mark) => before.lastIndexOf(mark))) + 1;
  const from = cut + (before.length - cut - before.slice(cut).trimStart().length);
  return { from, said: before.slice(from) };
}

/** Words that the phrase at the caret may become, best first. */
export function complete(
  lexicon: Lexicon,
  text: string,
  caret: number,
  { style, most = 8 }: { readonly style?: number | undefined; readonly most?: number } = {},
): readonly Suggestion[] {
  const said = phraseAt(text, caret).said.trimEnd().toLowerCase();
  const tokens = tokensOf(said);
  if (tokens.length === 0) return [];
  const found: { suggestion: Suggestion; rank: number }[] = [];
  for (const [word, phrase] of lexicon.phrases.entries()) {
    if (!lexicon.fits(word, style)) continue;
    const rank = rankOf(phrase.toLowerCase(), lexicon.attributes[word]!, said, tokens);
    if (rank === undefined) continue;
    const at = phrase.toLowerCase().indexOf(said);
    found.push({
      rank,
      suggestion: {
        ...{ word, text: phrase, attribute: lexicon.attributes[word]! },
        ...(at >= 0 && { mark: [at, at + said.length] as const }),
      },
    });
  }
  return found
    .sort((a, b) => a.rank - b.rank || a.suggestion.text.length - b.suggestion.text.length)
    .slice(0, most)
    .map(({ suggestion }) => suggestion);
}

/** 0 begins so, 1 has a word that begins so, 2 has all that was said in some order; undefined: none of these. */
function rankOf(
  phrase: string,
  attribute: string,
  said: string,
  tokens: readonly string[],
): number | undefined {
  if (phrase.startsWith(said)) return 0;
  if (phrase.includes(` ${said}`)) return 1;
  const parts = [...tokensOf(phrase), ...tokensOf(attribute)];
  return tokens.every((token) => parts.some((part) => part.startsWith(token))) ? 2 : undefined;
}

/** The text with the phrase at the caret replaced, ready for the next one. */
export function accept(
  text: string,
  caret: number,
  phrase: string,
): { readonly text: string; readonly caret: number } {
  const { from } = phraseAt(text, caret);
  const rest = text.slice(caret).replace(/^[^,;\n]*/, '');
  const after = /^[,;\n]/.test(rest) ? rest : ', ';
  const head = text.slice(0, from) + phrase;
  return { text: head + after, caret: head.length + (after === rest ? 0 : after.length) };
}

export type Reading = {
  readonly chips: readonly {
    readonly text: string;
    readonly words: readonly number[];
    readonly weight?: number;
  }[];
  readonly unknown: readonly { readonly text: string; readonly nearest: readonly string[] }[];
  readonly style?: number;
};

/** What the prompt's reader makes of a prompt; the same code that the server runs. */
export function readPrompt(lexicon: Lexicon, text: string): Reading {
  if (text.trim() === '') return { chips: [], unknown: [] };
  const { matched, unmatched } = matchWords(text, lexicon.model.vocabulary, { fits: lexicon.fits });
  const style = matched.flatMap(({ words }) => words).find((id) => lexicon.styles.includes(id));
  return { chips: matched, unknown: unmatched, ...(style !== undefined && { style }) };
}

/** The style that the line with the caret names, where prompts stand in lines. */
export function styleAt(lexicon: Lexicon, text: string, caret: number): number | undefined {
  const from = text.lastIndexOf('\n', caret - 1) + 1;
  const [line] = text.slice(from).split('\n');
  try {
    return readPrompt(lexicon, line!).style;
  } catch {
    return undefined; // it is too long to be one
  }
}

/** The prompt without a part that it says, and without the comma beside it. */
export function withoutPart(text: string, part: string): string {
  const escaped = part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ /g, '\\s+');
  const weighted = new RegExp(`\\(\\s*${escaped}\\s*:[^)]*\\)`, 'i');
  const bare = new RegExp(`(^|[\\s,;(])${escaped}(?=$|[\\s,;):])`, 'i');
  const cut = weighted.test(text) ? text.replace(weighted, '') : text.replace(bare, '$1');
  return cut
    .split(/[,;\n]/)
    .map((phrase) => phrase.trim())
    .filter((phrase) => phrase !== '')
    .join(', ');
}

/** Says `word`, or nothing of its attribute, in place of what the prompt said of it. */
export function withAttribute(
  lexicon: Lexicon,
  text: string,
  attribute: string,
  word: number | undefined,
): string {
  const about = readPrompt(lexicon, text).chips.filter(({ words }) =>
    words.some((id) => lexicon.attributes[id] === attribute),
  );
  const rest = about.reduce((left, chip) => withoutPart(left, chip.text), text).trim();
  if (word === undefined) return rest;
  const phrase = lexicon.phrases[word]!;
  const said = rest.replace(/[\s,;]+$/, '');
  if (attribute === 'style') return said === '' ? phrase : `${phrase}, ${said}`;
  return said === '' ? phrase : `${said}, ${phrase}`;
}

export type Weighted = string | { readonly word: string; readonly weight: number };

/** A condition as a prompt: what the reader turns back into it, in the words of the vocabulary. */
export function promptOf(lexicon: Lexicon, condition: readonly Weighted[]): string {
  const ids = new Map(lexicon.model.vocabulary.map((word, id) => [word, id]));
  const index = readVocabulary(lexicon.model.vocabulary);
  const parts = condition.map((entry) => {
    const { word, weight } = typeof entry === 'string' ? { word: entry } : entry;
    const id = ids.get(word);
    return { id, weight, phrase: id === undefined ? word : lexicon.phrases[id]! };
  });
  /** Round glasses are glasses: the reader adds that word itself. */
  const isSaidByNext = (at: number) => {
    const [part, next] = [parts[at]!, parts[at + 1]];
    if (next === undefined || next.weight !== part.weight) return false;
    const words = index.lookUp(tokensOf(next.phrase))[0]?.words ?? [];
    return words.length === 2 && words[0] === part.id && words[1] === next.id;
  };
  return parts
    .filter((_, at) => !isSaidByNext(at))
    .map(({ phrase, weight }) => (weight === undefined ? phrase : `(${phrase}:${weight})`))
    .join(', ');
}
