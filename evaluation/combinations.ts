/**
 * Combinations of words that no training drawing shows, each with its style, and combinations of the same attributes
 * that training drawings show: a model that composes draws both as often as it is asked to.
 */
import type { Rng } from '../tensor/rng.ts';
import { type Attributes, styleOf } from './attributes.ts';

/** Ids of words; a combination is a few of them. */
type Words = readonly number[];

export const wordIds = (
  combinations: readonly (readonly string[])[],
  vocabulary: readonly string[],
): number[][] => combinations.map((words) => words.map((word) => vocabulary.indexOf(word)));

/** The first combination all of whose words are among these. */
export const combinationIn = (words: Words, combinations: readonly Words[]): Words | undefined =>
  combinations.find((all) => all.every((word) => words.includes(word)));

/**
 * A drawing's own words of the attributes of a combination of its style, which `rng` picks among those all of whose
 * attributes it shows; nothing where there is none.
 */
export function combinationLike(
  words: Words,
  { attributes, combinations }: { attributes: Attributes; combinations: readonly Words[] },
  rng: Rng,
): Words | undefined {
  const style = styleOf(attributes, words);
  const like = combinations
    .filter((all) => all.includes(style))
    .flatMap((all) => {
      const asked = new Set(all.map((word) => attributes.of[word]));
      const found = words.filter((word) => asked.has(attributes.of[word]));
      return found.length === all.length ? [found] : [];
    });
  return like.length > 0 ? like[rng.integer(like.length)] : undefined;
}
