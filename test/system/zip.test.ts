/** Archives that need zip64, as Python reads them. */
import { execFileSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { zipOf } from '../../web/zip.ts';

const CODE = `import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
names = archive.namelist()
print(len(names), archive.testzip(), names[-1], archive.read(names[-1]).decode(), archive.infolist()[0].date_time[0])`;

test('an archive holds more files than 16 bits count', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-zip-'));
  const path = join(folder, 'many.zip');
  async function* files() {
    for (let i = 0; i < 65_600; i++)
      yield { name: `${i}.png`, data: Buffer.from(String(i)), at: Date.UTC(2026, 8, 21) };
  }
  await pipeline(zipOf(files()), createWriteStream(path));
  const said = execFileSync('python3', ['-c', CODE, path]).toString().trim();
  expect(said).toBe('65600 None 65599.png 65599 2026');
  await rm(folder, { recursive: true });
}, 120_000);
