/** The examples run as they stand, on a tiny model. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodePicture, encodePng } from '../../png.ts';
import { writeTinyModel } from '../pipelines/tiny-model.ts';
import { writeTinyTokenModel } from '../pipelines/tiny-token-model.ts';
import { shapes } from '../training/tiny.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsx = join(root, 'node_modules/tsx/dist/loader.mjs');

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-examples-'));
  model = (await writeTinyModel(folder)).folder;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function runExample(name: string, ...args: readonly string[]): Promise<string> {
  const path = join(root, 'examples', `${name}.ts`);
  const lines = (await readFile(path, 'utf8')).trim().split('\n').length;
  expect(lines).toBeLessThan(40);
  const command = ['--import', `file://${tsx}`, path, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: folder });
  return stdout;
}

test.each([
  ['load-and-sample', 4, 1],
  ['custom-solver', 3, 2],
])('%s', async (name, columns, rows) => {
  await runExample(name, model, 'out.png');
  const sheet = await decodePicture(await readFile(join(folder, 'out.png')));
  expect([sheet.width, sheet.height]).toEqual([columns * 18 + 2, rows * 18 + 2]);
});

test('custom-position-method', async () => {
  await runExample('custom-position-method', model, 'out.png');
  const sheet = await decodePicture(await readFile(join(folder, 'out.png')));
  expect([sheet.width, sheet.height]).toEqual([2 * 34 + 2, 34 + 2]);
});

test('own-decoding', async () => {
  const { folder: tokens } = await writeTinyTokenModel(folder);
  await runExample('own-decoding', tokens, 'tokens.png');
  const sheet = await decodePicture(await readFile(join(folder, 'tokens.png')));
  expect([sheet.width, sheet.height]).toEqual([3 * 18 + 2, 3 * 18 + 2]);
});

test('train-on-a-folder', async () => {
  const data = shapes(20);
  for (let i = 0; i < data.length; i++) {
    const into = join(folder, 'pictures', `kind ${i % 2}`);
    await mkdir(into, { recursive: true });
    const picture = { data: data.pixels(i), width: data.size, height: data.size };
    await writeFile(join(into, `${i}.png`), await encodePng(picture));
  }
  await runExample('train-on-a-folder', 'pictures', 'run', '2');
  const card = JSON.parse(await readFile(join(folder, 'run/model/model.json'), 'utf8'));
  expect(card.vocabulary).toEqual(['class=kind 0', 'class=kind 1']);
});
