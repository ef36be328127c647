/** What can be done with a picture wherever it is shown. */
import { MOST_IDS, MOST_PICTURES } from '../../zip-limits.ts';
import { api, type ImagesQuery, type StoredPicture, urls } from '../api.ts';
import { take } from './facts.ts';
import { modelById, models } from './models.ts';
import { formOfRecipe, recipeOf } from './recipe.ts';
import { go } from './router.ts';
import { change, form, setForm } from './session.ts';
import { announce, complain, toast } from './toasts.ts';
import { count, plural } from './words.ts';

/** The whole recipe into the form. */
export function sendToForm(picture: StoredPicture): void {
  if (useRecipe(picture.recipe)) toast(`The form has the recipe of seed ${picture.seed}.`);
}

/** False, and a sentence why, where the recipe is of no use here. */
export function useRecipe(value: unknown): boolean {
  const recipe = recipeOf(value);
  if (!recipe) {
    toast('This picture has no recipe that this page can read.', { kind: 'warn' });
    return false;
  }
  const model = modelById.value.get(recipe.request.model);
  if (!model) {
    toast(`The model ${recipe.request.model} is not here, so the recipe cannot be used.`, {
      kind: 'warn',
      more: `Here are: ${models.value.map(({ id }) => id).join(', ') || 'none'}.`,
    });
    return false;
  }
  setForm(formOfRecipe(recipe, model, form.value));
  if (recipe.digest !== undefined && recipe.digest !== model.digest)
    toast('The model has other weights than the one that made this picture.', {
      kind: 'warn',
      more: 'The form has its recipe; the picture will differ.',
    });
  if (location.pathname !== '/') go('/');
  return true;
}

export function sameSeed(picture: StoredPicture): void {
  change({ seed: picture.seed, next: 'lock' });
  announce(`Seed ${picture.seed} is locked.`);
  if (location.pathname !== '/') go('/');
}

/** The recipe again with the seeds that follow. */
export function vary(picture: StoredPicture): void {
  const count = form.value?.count ?? 4;
  if (useRecipe(picture.recipe)) change({ seed: picture.seed + 1, next: 'vary', count });
}

export async function copyRecipe(picture: StoredPicture): Promise<void> {
  await navigator.clipboard.writeText(JSON.stringify(picture.recipe, null, 2));
  toast('The recipe is on the clipboard.');
}

/** As an attachment, so that the page stays. */
export function download(href: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = '';
  link.click();
}

/** One as it is, more as an archive. */
export function downloadAll(ids: readonly string[]): void {
  if (ids.length === 1) download(urls.download(ids[0]!));
  else if (ids.length <= MOST_IDS) download(urls.pictures({ ids }));
  else tooMany(`${count(ids.length)} are marked`, MOST_IDS, 'Mark fewer, or take the whole list.');
}

/** All that a search finds. */
export function zipFound({ order: _, ...filter }: ImagesQuery, found: number): void {
  if (found <= MOST_PICTURES) download(urls.pictures(filter));
  else tooMany(`the list has ${count(found)}`, MOST_PICTURES, 'Search for fewer.');
}

function tooMany(got: string, most: number, more: string): void {
  toast(`One archive holds up to ${count(most)} pictures, ${got}.`, { kind: 'warn', more });
}

const UNDO = 10_000;

/** Back again by Undo for ten seconds. */
export async function remove(rows: readonly StoredPicture[]): Promise<void> {
  const gone: StoredPicture[] = [];
  for (const row of rows) {
    try {
      await api.removeImage(row.id);
      take([{ type: 'deleted', picture: row.id }]);
      gone.push(row);
    } catch (error) {
      complain(error);
    }
  }
  if (gone.length === 0) return;
  toast(`${plural(gone.length, 'picture')} deleted.`, {
    more: 'They can be brought back for 10 s.',
    stay: UNDO,
    action: { label: 'Undo', key: 'Ctrl Z', run: () => restore(gone).catch(complain) },
  });
}

async function restore(rows: readonly StoredPicture[]): Promise<void> {
  const back = await Promise.all(rows.map(({ id }) => api.restoreImage(id)));
  take(back.map((picture) => ({ type: 'picture', picture })));
  announce(`${plural(back.length, 'picture')} brought back.`);
}
