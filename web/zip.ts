/**
 * A zip archive as it is written: one file in memory at a time, stored, since PNG is compressed already. More than
 * 65,535 files or 4 GiB take the records of zip64 (PKWARE APPNOTE 4.3.14), which only then are there.
 */
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';
import { ZipFile as ZipWriter } from 'yazl';

export type ZipFile = { readonly name: string; readonly data: Uint8Array; readonly at: number };

/** Sends an archive of that name, as it is made. */
export const sendZip = (
  reply: FastifyReply,
  name: string,
  files: AsyncIterable<ZipFile>,
): FastifyReply =>
  reply
    .type('application/zip')
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename="${name}.zip"`)
    .send(zipOf(files));

/** Asks for the next file when the one before is on its way; whoever stops reading ends it. */
export function zipOf(files: AsyncIterable<ZipFile>): Readable {
  const zip = new ZipWriter();
  const archive = zip.outputStream as PassThrough;
  const gone = new AbortController();
  archive.once('close', () => gone.abort());
  const fill = async () => {
    for await (const { name, data, at } of files) {
      const file = new PassThrough(); // the writer remembers it: data of its own it would keep
      zip.addReadStream(file, name, { mtime: new Date(at), compress: false, size: data.length });
      file.end(data);
      await finished(file, { signal: gone.signal });
      if (archive.writableNeedDrain) await once(archive, 'drain', { signal: gone.signal });
    }
    zip.end();
  };
  fill().catch((error) => archive.destroy(error));
  return archive;
}
