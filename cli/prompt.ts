/** A prompt in a model's words, and what to say about it. */
import type { ModelCard } from '../generators/model.ts';
import { type Matched, matchWords, type Unmatched } from '../prompt.ts';
import type { ConditionWord } from '../request.ts';

export type Understood = {
  readonly condition: ConditionWord[];
  readonly matched: readonly { readonly text: string; readonly words: readonly string[] }[];
  readonly unmatched: readonly Unmatched[];
};

export function understand(
  text: string,
  { vocabulary, styles }: Pick<ModelCard, 'vocabulary' | 'styles'>,
): Understood {
  const known = new Map(
    Object.entries(styles ?? {}).map(([style, words]) => [style, new Set(words)]),
  );
  const fits = (word: number, style: number) =>
    known.get(vocabulary[style]!)?.has(vocabulary[word]!) ?? true;
  const { matched, unmatched } = matchWords(text, vocabulary, { fits });
  const words = new Map<string, ConditionWord>();
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

const weighted = (word: string, { weight }: Matched): ConditionWord =>
  weight === undefined ? word : { word, weight };

/** "red hair: hair color=red; glasses: glasses=yes" */
export const describeMatched = ({ matched }: Understood): string =>
  matched.map(({ text, words }) => `${text}: ${words.join(' + ')}`).join('; ');

/** "'blu hair' (nearest: hair color=blue)" */
export const describeUnmatched = ({ unmatched }: Understood): string =>
  unmatched
    .map(({ text, nearest }) =>
      nearest.length > 0 ? `'${text}' (nearest: ${nearest.join(', ')})` : `'${text}'`,
    )
    .join(', ');

/** Throws unless every part of the prompt is a word of the model. */
export function checkUnderstood(where: string, understood: Understood): void {
  if (understood.unmatched.length === 0) return;
  const matched = understood.matched.length > 0 ? `; matched ${describeMatched(understood)}` : '';
  throw new RangeError(
    `${where}: expected styles and attributes of the model, got ${describeUnmatched(understood)}${matched}; correct it or pass --skip-unknown`,
  );
}
