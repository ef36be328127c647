/** Jobs and pictures by the words that people say, rather than by those of the vocabulary. */
import type { Job, ModelView, StoredPicture } from '../api.ts';
import { lexiconOf, promptOf, type Weighted } from './lexicon.ts';
import { modelById } from './models.ts';
import { recipeOf } from './recipe.ts';

const said = new WeakMap<object, string>();

function say(
  owner: object,
  model: ModelView | undefined,
  condition: readonly Weighted[] | undefined,
  otherwise: string,
): string {
  if (!model || !condition || condition.length === 0) return otherwise;
  const before = said.get(owner);
  if (before !== undefined) return before;
  const text = promptOf(lexiconOf(model), condition);
  said.set(owner, text);
  return text;
}

export function promptOfPicture(picture: StoredPicture): string {
  const model = modelById.value.get(picture.model);
  const condition = recipeOf(picture.recipe)?.request.condition;
  return say(picture, model, condition, picture.prompt) || 'no prompt';
}

/** A render is called by its prompt; everything else has a name of its own. */
export function titleOfJob(job: Job): string {
  if (job.input.kind !== 'render') return job.title;
  const { model, condition } = job.input.request;
  return say(job, modelById.value.get(model), condition, job.title);
}
