/** Models and files by the names that users give. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { diffusionCard } from '../generators/token-model.ts';
import {
  type AnyEntry,
  findModel,
  listModels,
  type ModelEntry,
  openModelFolder,
} from '../pipelines/models.ts';
import { type Context, modelFolders, packageFolder } from './context.ts';

/** A model by its id or, with a slash, its folder; without a name the first there is. */
export async function chooseAnyModel(
  wanted: string | undefined,
  context: Context,
): Promise<AnyEntry> {
  if (wanted?.includes('/')) return openModelFolder(wanted);
  const list = await listModels(modelFolders(context));
  return findModel(wanted ?? list.models[0]?.id ?? 'avatars', list);
}

/** The same among diffusion models. */
export async function chooseModel(
  wanted: string | undefined,
  context: Context,
): Promise<ModelEntry> {
  const entry = await chooseAnyModel(wanted, context);
  return { ...entry, card: diffusionCard(entry.card) };
}

/** A path from here, or the file of that path that comes with the package. */
export function shippedFile(path: string): string {
  const shipped = join(packageFolder(), path);
  return !existsSync(path) && existsSync(shipped) ? shipped : path;
}
