/** A prompt as a request's condition: words of the model, with their weights, and what was not understood. */
import { type Matched, matchWords, type Unmatched } from './prompt.ts';

export type Understood = {
  /** As a request has it. */
  readonly condition: (string | { word: string; weight: number })[];
  readonly matched: readonly { readonly text: string; readonly words: readonly string[] }[];
  readonly unmatched: readonly Unmatched[];
};

export type Vocabulary = {
  readonly vocabulary: readonly string[];
  /** Which words can be said of a style. */
  readonly styles?: Readonly<Record<string, readonly string[]>> | undefined;
};

export function understand(text: string, { vocabulary, styles }: Vocabulary): Understood {
  const known = new Map(
    Object.entries(styles ?? {}).map(([style, words]) => [style, new Set(words)]),
  );
  const fits = (word: number, style: number) =>
    known.get(vocabulary[style]!)?.has(vocabulary[word]!) ?? true;
  const { matched, unmatched } = matchWords(text, vocabulary, { fits });
  const words = new Map<string, Understood['condition'][number]>();
  for (const match of matched)
    for (const id of match.words) words.set(vocabulary[id]!, weighted(vocabulary[id]!, match));
  return {
    condition: [...words.values()],
    matched: matched.map((match) => ({
      text: match.text,
      words: match.words.map((id) => vocabulary[id]!),
    })),
    unmatched,
  };
}

const weighted = (word: string, { weight }: Matched) =>
  weight === undefined ? word : { word, weight };

/** "red hair: hair color=red; glasses: glasses=yes" */
export const describeMatched = ({ matched }: Understood): string =>
  matched.map(({ text, words }) => `${text}: ${words.join(' + ')}`).join('; ');

/** "'blu hair' (nearest: hair color=blue)" */
export function describeUnmatched({ unmatched }: Understood): string {
  const told = unmatched.slice(0, MOST_TOLD).map(({ text, nearest }) => {
    const quoted = text.length > LONGEST_TOLD ? `${text.slice(0, LONGEST_TOLD)}...` : text;
    return nearest.length > 0 ? `'${quoted}' (nearest: ${nearest.join(', ')})` : `'${quoted}'`;
  });
  const more = unmatched.length - told.length;
  return [...told, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

const MOST_TOLD = 10;
const LONGEST_TOLD = 100;
