/** The avatars of a comparison over sizes: those whose words are asked for and that distances are measured to, held-out ones, and what models were trained on. */
import { openAvatars } from '../../training/data/avatars.ts';
import { attributesOf } from '../attributes.ts';
import { avatarCombinations } from '../avatars.ts';
import { indexTraining, type TrainingIndex } from '../memorisation.ts';
import type { TrainedModel } from './plan.ts';
import { type AvatarDrawingsOptions, openAvatarDrawings, shorter } from './reference.ts';
import type { ResolutionOptions } from './run.ts';

export type ComparedAvatarsOptions = Omit<AvatarDrawingsOptions, 'count' | 'split'> & {
  readonly models: readonly TrainedModel[];
  /** Drawings whose words are asked for, and others that distances are measured to. */
  readonly samples: number;
  readonly reference?: number;
  /** Drawings of held-out combinations. Default: none. */
  readonly heldOut?: number;
  /** Drawings that every model was trained on. Default: they are not looked through. */
  readonly trained?: number;
};

/** Those of the smallest size, and those of training, are made at once where they are not kept. Throws before any is made. */
export async function openComparedAvatars({
  models,
  samples,
  reference = Math.max(samples, 512),
  heldOut,
  trained,
  ...options
}: ComparedAvatarsOptions): Promise<Pick<ResolutionOptions, 'drawings' | 'unseen' | 'training'>> {
  if (reference < samples)
    throw new RangeError(
      `resolution: expected a reference of at least ${samples} drawings, as many as samples, got ${reference}; take more or leave it out`,
    );
  const drawings = await openAvatarDrawings({ ...options, count: samples + reference });
  return {
    drawings,
    ...(heldOut === undefined
      ? {}
      : {
          unseen: {
            drawings: await openAvatarDrawings({
              ...{ ...options, sheetSizes: [], count: heldOut, split: 'held-out-combinations' },
            }),
            combinations: avatarCombinations(),
          },
        }),
    ...(trained === undefined ? {} : { training: await openTraining(models, trained, options) }),
  };
}

/** Once for each side that a model was trained at. */
async function openTraining(
  models: readonly TrainedModel[],
  count: number,
  { cache, onProgress }: Pick<AvatarDrawingsOptions, 'cache' | 'onProgress'>,
): Promise<TrainingIndex[]> {
  const trainings = models.flatMap((model) => model.trainings);
  const indices: TrainingIndex[] = [];
  for (const side of new Set(trainings.map((card) => shorter(card.trained)))) {
    const tell = (done: number) => onProgress?.({ side, done, of: count });
    const data = await openAvatars({
      ...{ size: side, count, split: 'train', cache, onProgress: tell },
    });
    indices.push(indexTraining(data, attributesOf(data.vocabulary)));
  }
  return indices;
}
