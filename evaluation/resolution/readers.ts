/** The readers that judge drawings of avatars. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../tensor/program.ts';
import { loadReader, type Reader } from '../reader-files.ts';

/** Every reader of avatars beside the models, the first of each name. */
export async function openReaders(engine: Engine, folders: readonly string[]): Promise<Reader[]> {
  const found = new Map<string, string>();
  for (const parent of folders)
    for (const name of await readdir(parent).catch(() => [])) {
      const folder = join(parent, name);
      const isReader =
        name.startsWith('reader-avatars-') && existsSync(join(folder, 'reader.json'));
      if (isReader && !found.has(name)) found.set(name, folder);
    }
  if (found.size === 0)
    throw new Error(
      `evaluate: expected a reader in ${folders.join(' or ')}, got none; train one with \`ropewalk evaluate reader\``,
    );
  const readers: Reader[] = [];
  for (const folder of found.values()) readers.push(await loadReader(engine, folder));
  return readers;
}
