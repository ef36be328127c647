/** Pictures and their recipes on disk. */
import { constants } from 'node:fs';
import { access, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileOf, type Rendered } from '../pipelines/render.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';

/** Throws unless files can be written into `folder`, which need not exist yet. Makes nothing. */
export async function checkWritable(folder: string): Promise<void> {
  let place = resolve(folder);
  for (;;) {
    const found = await stat(place).catch((error: NodeJS.ErrnoException) => error);
    if (!(found instanceof Error)) {
      const reason = found.isDirectory() ? await refusal(place) : 'is a file';
      if (reason === undefined) return;
      throw new Error(
        `--out: expected a folder that can be written, got '${folder}': '${place}' ${reason}`,
      );
    }
    if (found.code !== 'ENOENT' && found.code !== 'ENOTDIR')
      throw new Error(
        `--out: expected a folder that can be written, got '${folder}' (${found.code})`,
      );
    place = dirname(place);
  }
}

const refusal = (folder: string): Promise<string | undefined> =>
  access(folder, constants.W_OK | constants.X_OK).then(
    () => undefined,
    () => 'may not be written',
  );

/** Writes a new file and returns its path; never another picture's: "-2" is added instead. */
export async function writePicture(
  folder: string,
  name: string,
  rendered: Rendered,
): Promise<string> {
  const file = await fileOf(rendered);
  await mkdir(folder, { recursive: true });
  for (let copy = 1; ; copy++) {
    const path = join(folder, `${name}${copy === 1 ? '' : `-${copy}`}.png`);
    const before = await readFile(path).catch(() => undefined);
    if (before && !before.equals(file)) continue;
    if (!before) await replaceFile(path, (handle) => writeFully(handle, file));
    return path;
  }
}
