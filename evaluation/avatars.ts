/** The avatars that a model trained on them is measured with. */
import { styles } from '../training/data/avatar-traits.ts';
import { openAvatars } from '../training/data/avatars.ts';
import { heldOut } from '../training/data/held-out.ts';
import type { EvaluateModelOptions } from './evaluate-model.ts';

/** Drawings that conditions are picked from. */
const SEEN = 6000;
const HELD_OUT = 2000;

export type AvatarEvaluationOptions = {
  readonly size: number;
  /** Pictures that the model was trained on. */
  readonly trained: number;
  /** Folder for drawn pictures. */
  readonly cache: string;
  readonly onProgress?: (done: number) => void;
};

export async function openAvatarEvaluation({
  trained,
  ...options
}: AvatarEvaluationOptions): Promise<Pick<EvaluateModelOptions, 'seen' | 'heldOut' | 'training'>> {
  return {
    seen: await openAvatars({ ...options, split: 'validation', count: SEEN }),
    heldOut: {
      data: await openAvatars({ ...options, split: 'held-out-combinations', count: HELD_OUT }),
      combinations: avatarCombinations(),
    },
    training: await openAvatars({ ...options, split: 'train', count: trained }),
  };
}

/** Words of the combinations that no training drawing shows, each with its style. */
export const avatarCombinations = (): string[][] =>
  heldOut.map(({ style, words }) => [`style=${styles[style].label}`, ...words]);
