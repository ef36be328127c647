/** Archives as a library of others reads them; Python reads those of zip64 in test/system. */
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { type ZipFile, zipOf } from '../../web/zip.ts';

const at = Date.UTC(2026, 8, 21, 14, 13, 20);
async function* files(count: number, data: (i: number) => Uint8Array): AsyncGenerator<ZipFile> {
  for (let i = 0; i < count; i++) yield { name: `${i}-ü.png`, data: data(i), at };
}
const ZIP64_END = Buffer.from('PK\x06\x06', 'latin1');

describe('zipOf', () => {
  test('stores files byte for byte, without the records of zip64', async () => {
    const archive = await buffer(zipOf(files(3, (i) => Buffer.alloc(100_000 * i, i))));
    const found = unzipSync(archive);
    expect(Object.keys(found)).toEqual(['0-ü.png', '1-ü.png', '2-ü.png']);
    for (const i of [0, 1, 2]) {
      const file = Buffer.from(found[`${i}-ü.png`]!);
      expect(file.equals(Buffer.alloc(100_000 * i, i))).toBe(true);
    }
    expect(archive.includes(ZIP64_END)).toBe(false);
    expect(archive.length).toBeLessThan(300_000 + 1000);
  });

  test('asks for the next file when the one before is on its way', async () => {
    let asked = 0;
    const archive = zipOf(
      files(100, () => {
        asked++;
        return Buffer.alloc(1_000_000, 1);
      }),
    );
    for (let i = 0; i < 200; i++) await turn();
    expect(asked).toBeLessThan(4); // nobody reads
    expect((await buffer(archive)).length).toBeGreaterThan(100_000_000);
    expect(asked).toBe(100);
  });

  test('ends with whoever reads it, and with what goes wrong in a file', async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<ZipFile> {
      try {
        for (;;) yield { name: 'a.png', data: Buffer.alloc(1_000_000), at };
      } finally {
        ended = true;
      }
    }
    const archive = zipOf(endless());
    for await (const _ of archive) break; // destroys it
    while (!ended) await turn();
    async function* broken(): AsyncGenerator<ZipFile> {
      yield { name: 'a.png', data: Buffer.alloc(10), at };
      throw new Error('the store is down');
    }
    await expect(buffer(zipOf(broken()))).rejects.toThrow('the store is down');
  });
});
