/** Finds models: folders that each hold `<id>/{model.safetensors, model.json}`, the first folder first. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelCard } from '../generators/model.ts';
import { type AnyCard, readAnyCard } from '../generators/token-model.ts';
import { oncePerTurn } from '../one-turn.ts';
import { nearest } from '../tensor/nearest.ts';

export type AnyEntry = { readonly id: string; readonly folder: string; readonly card: AnyCard };
/** A diffusion model. */
export type ModelEntry = AnyEntry & { readonly card: ModelCard };
/** `broken`: folders whose card cannot be read, with the reason. */
export type ModelList = {
  readonly models: readonly AnyEntry[];
  readonly broken: readonly { readonly folder: string; readonly reason: string }[];
};

/** All models of the folders; of two with one id, the one found first. Missing folders hold none. */
export async function listModels(folders: readonly string[]): Promise<ModelList> {
  const models: AnyEntry[] = [];
  const broken: { folder: string; reason: string }[] = [];
  for (const parent of folders) {
    for (const name of (await readdir(parent).catch(() => [])).sort()) {
      const folder = join(parent, name);
      if (!existsSync(join(folder, 'model.json'))) continue;
      try {
        const entry = await openModelFolder(folder);
        if (!models.some(({ id }) => id === entry.id)) models.push(entry);
      } catch (error) {
        broken.push({ folder, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  return { models, broken };
}

/**
 * The same of folders that change meanwhile: cards are read again when one was written, came or went. The folders are
 * looked at once for all who ask within one turn of the event loop.
 */
export function watchModels(folders: readonly string[]): () => Promise<ModelList> {
  let last: { readonly stamp: string; readonly list: Promise<ModelList> } | undefined;
  const look = oncePerTurn(() => stampOf(folders));
  return async () => {
    const stamp = await look();
    if (last?.stamp !== stamp) last = { stamp, list: listModels(folders) };
    return last.list;
  };
}

async function stampOf(folders: readonly string[]): Promise<string> {
  const found = folders.map(async (parent) => {
    const names = await readdir(parent).catch(() => []);
    const times = names.map((name) =>
      stat(join(parent, name, 'model.json')).then(
        ({ mtimeMs }) => `${name} ${mtimeMs}`,
        () => '',
      ),
    );
    return Promise.all(times);
  });
  return JSON.stringify(await Promise.all(found));
}

export async function openModelFolder(folder: string): Promise<AnyEntry> {
  const card = await readAnyCard(folder);
  return { id: card.id, folder, card };
}

/** The model of that id, or an error that names the nearest ones. */
export function findModel(id: string, { models, broken }: ModelList): AnyEntry {
  const found = models.find((model) => model.id === id);
  if (found) return found;
  const damaged = broken.find(({ folder }) => folder.endsWith(`/${id}`));
  if (damaged) throw new RangeError(damaged.reason);
  const names = models.map((model) => model.id);
  const near = nearest(id, names);
  const known = near.length > 0 ? `nearest: ${near.join(', ')}` : `known: ${names.join(', ')}`;
  throw new RangeError(
    names.length === 0
      ? `model: expected a model, got '${id}' and no models at all; train one with \`ropewalk train CONFIG\`, or name their folder in ROPEWALK_MODELS`
      : `model: expected a known model, got '${id}'; ${known}`,
  );
}

/** What is told to clients, who need not know where this machine keeps its models: paths begin in these folders. */
export const withoutFolders = (sentence: string, folders: readonly string[]): string =>
  folders.reduce((text, folder) => text.replaceAll(join(folder, '/'), ''), sentence);
