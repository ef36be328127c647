/** What measurements on drawings ask of a model. */

import type { ModelCard } from '../generators/model.ts';
import { loadAvatars } from '../training/data/avatars.ts';
import { checkVocabulary } from './evaluate-model.ts';

/** Throws unless all models were trained on avatars, with the words of this version; draws nothing. */
export async function checkOfAvatars(cards: readonly ModelCard[]): Promise<void> {
  const other = cards.find(({ data }) => data !== 'avatars');
  if (other)
    throw new RangeError(
      `evaluate: expected models of avatars, got '${other.id}' of '${other.data}'`,
    );
  if (cards.length === 0) return;
  const { vocabulary } = await loadAvatars();
  for (const card of cards) checkVocabulary('drawings', vocabulary, card.vocabulary);
}
