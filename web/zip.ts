/**
 * A zip archive as it is written (PKWARE APPNOTE 4.3; entries stored, since PNG is compressed already):
 * one file in memory at a time. Without zip64, which many tools cannot read, an archive has limits.
 */
import { Zip, ZipPassThrough } from 'fflate';

export type ZipFile = { readonly name: string; readonly data: Uint8Array; readonly at: number };

/** Below what 16 and 32 bits can count, with room for names and a manifest. */
const MOST = { files: 60_000, bytes: 3.5 * 2 ** 30 };

export async function* zipOf(files: AsyncIterable<ZipFile>): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    chunks.push(chunk);
  });
  for await (const { name, data, at } of files) {
    const file = new ZipPassThrough(name);
    file.mtime = at;
    zip.add(file);
    file.push(data, true);
    yield* chunks.splice(0);
  }
  zip.end();
  yield* chunks.splice(0);
}

/** Cut where an archive would be too large; in order. */
export function partsOf<Item extends { readonly bytes: number }>(
  items: readonly Item[],
  { files, bytes } = MOST,
): Item[][] {
  const parts: Item[][] = [];
  let room = 0;
  for (const item of items) {
    const last = parts.at(-1);
    if (!last || last.length === files || item.bytes > room) {
      parts.push([item]);
      room = bytes - item.bytes;
    } else {
      last.push(item);
      room -= item.bytes;
    }
  }
  return parts;
}
