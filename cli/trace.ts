/** The trace of `ropewalk generate`: the passes of the first picture, as an animation. */
import { dirname } from 'node:path';
import { extentOf } from '../encoders/positions/grid.ts';
import { type TokenCard, tokenGridOf } from '../generators/token-model.ts';
import type { AnyEntry } from '../pipelines/models.ts';
import type { Picture } from '../png.ts';
import { traceGif } from '../png-trace.ts';
import type { RowPass } from '../sampling/tokens/decoder.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import { checkWritable } from './pictures.ts';

/** What passes are collected in; throws unless the model has passes and the file can be written. */
export async function openTrace(path: string, { id, card }: AnyEntry): Promise<RowPass[]> {
  if (card.architecture !== 'ar')
    throw new RangeError(`--trace: expected a token model, got '${id}', which has no passes`);
  if (!path.endsWith('.gif'))
    throw new RangeError(`--trace: expected a name that ends in .gif, got '${path}'`);
  await checkWritable(dirname(path));
  return [];
}

export async function writeTrace(
  path: string,
  picture: Picture,
  passes: readonly RowPass[],
  card: TokenCard,
): Promise<void> {
  const file = await traceGif({ picture, passes, grid: extentOf(tokenGridOf(card)) });
  await replaceFile(path, (handle) => writeFully(handle, file));
}
