import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePng } from '../../png.ts';
import { tinyCard, writeTinyModel } from '../pipelines/tiny-model.ts';
import { shapes } from '../training/tiny.ts';
import { type RunOptions, run } from './run.ts';

let folder: string;
const inside = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-search-'));
  const data = shapes(6);
  for (const kind of ['bar', 'disc']) await mkdir(inside(`pictures/${kind}`), { recursive: true });
  for (let i = 0; i < data.length; i++) {
    const kind = i % 2 === 0 ? 'bar' : 'disc';
    const file = await encodePng({ data: data.pixels(i), width: data.size, height: data.size });
    await writeFile(inside(`pictures/${kind}/${i}.png`), file);
  }
  await writeTinyModel(inside('models'), {
    config: { ...tinyCard().config, condition: { words: 2 } },
    vocabulary: ['class=bar', 'class=disc'],
    data: 'folder',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const search = (args: readonly string[], options: RunOptions = {}) =>
  run(
    [
      ...['search', 'longrope', '--model', inside('models/tiny'), '--threads', '1'],
      ...['--cache', inside('cache'), '--population', '4', '--generations', '2', ...args],
    ],
    options,
  );
const pictures = () => ['--pictures', inside('pictures')];

describe('search longrope', () => {
  test('writes an extension that generate takes', async () => {
    const out = inside('found/longrope.json');
    const ran = await search(['--size', '32', ...pictures(), '--out', out]);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.out).toMatch(/^interpolation +\d+\.\d{6}\nvision-ntk +\d/);
    expect(ran.out.trim().split('\n').at(-1)).toBe(out);
    const found = JSON.parse(await readFile(out, 'utf8'));
    expect(found).toEqual({ method: 'longrope', y: expect.any(Array), x: expect.any(Array) });
    const generate = ['generate', '--model', inside('models/tiny'), '--size', '32'];
    const made = await run([...generate, '--extend', out, '--out', inside('out')]);
    expect(made.code).toBe(0);
    const plain = await run([...generate, '--out', inside('plain')]);
    expect(await readFile(made.out.trim())).not.toEqual(await readFile(plain.out.trim()));
  });

  test.each<[string, () => string[], string]>([
    ['a size that is not larger', () => ['--size', '16', ...pictures()], 'larger than the trained'],
    [
      'a size that is no multiple',
      () => ['--size', '18', ...pictures()],
      'a multiple of the patch',
    ],
    ['no pictures', () => ['--size', '32'], '--pictures: expected a folder of pictures'],
    ['an odd file', () => ['--size', '32', '--out', inside('x.txt')], 'ends in .json'],
    ['no size', () => pictures(), "required option '--size <n>'"],
  ])('refuses %s with one sentence and 2', async (_, args, sentence) => {
    const ran = await search(['--out', inside('bad.json'), ...args()]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(sentence);
    expect(existsSync(inside('bad.json'))).toBe(false);
  });

  test('Ctrl-C ends it with 130 and nothing written', async () => {
    const out = inside('stopped.json');
    const ran = await search(['--size', '32', ...pictures(), '--out', out], {
      onErr: (text, stop) => {
        if (text.includes(' of 12:')) stop.abort();
      },
    });
    expect(ran.code).toBe(130);
    expect(existsSync(out)).toBe(false);
  });
});
