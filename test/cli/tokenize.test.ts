import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTokenizer } from '../../generators/tokenizer-card.ts';
import { encodePng } from '../../png.ts';
import { readTokenCache } from '../../training/data/token-cache.ts';
import { shapes } from '../training/tiny.ts';
import { tinyTokenizer } from '../training/tiny-tokenizer.ts';
import { run } from './run.ts';

let folder: string;
const inside = (name: string) => join(folder, name);
const places = () => ['--cache', inside('cache'), '--threads', '1'];
const tokenizer = () => inside('runs/tiny-tokenizer/tokenizer');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-tokenize-'));
  const data = shapes(24);
  for (const kind of ['bar', 'disc']) await mkdir(inside(`pictures/${kind}`), { recursive: true });
  for (let i = 0; i < 24; i++) {
    const kind = data.words(i)[1] === 3 ? 'disc' : 'bar';
    const file = await encodePng({ data: data.pixels(i), width: data.size, height: data.size });
    await writeFile(inside(`pictures/${kind}/${i}.png`), file);
  }
  const set = { set: 'folder', size: 16, path: inside('pictures') };
  const config = tinyTokenizer({ data: set, steps: 3 });
  await writeFile(inside('config.json'), JSON.stringify(config));
  const ran = await run(['train', inside('config.json'), '--runs', inside('runs'), ...places()]);
  expect(ran).toMatchObject({ code: 0, out: `${tokenizer()}\n` });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('train', () => {
  test('of a tokenizer writes a run and a folder with card and page', async () => {
    expect((await readdir(inside('runs/tiny-tokenizer'))).sort()).toEqual([
      'config.json',
      'curve.svg',
      'latest',
      'metrics.jsonl',
      'sheets',
      'step-3',
      'tokenizer',
    ]);
    const { card } = await readTokenizer(tokenizer());
    expect(card).toMatchObject({ id: 'tiny-tokenizer', trained: { height: 16, width: 16 } });
    const page = await readFile(join(tokenizer(), 'README.md'), 'utf8');
    expect(page).toContain('4 x 4 tokens of 16');
    expect(page).toContain(card.digest);
  });

  test('refuses --init, and another configuration under the same name', async () => {
    const args = ['train', inside('config.json'), '--runs', inside('runs'), ...places()];
    const init = await run([...args, '--init', 'avatars']);
    expect(init).toMatchObject({ code: 2, err: expect.stringContaining('--init: expected none') });
    const other = { ...tinyTokenizer({ steps: 3 }), seed: 9 };
    await writeFile(inside('other.json'), JSON.stringify(other));
    const ran = await run(['train', inside('other.json'), '--runs', inside('runs'), ...places()]);
    expect(ran).toMatchObject({
      code: 2,
      err: expect.stringContaining("got another 'data', 'seed'"),
    });
  });

  test('export-run makes the same folder again', async () => {
    const to = inside('exported');
    const ran = await run(['export-run', inside('runs/tiny-tokenizer'), '--out', to]);
    expect(ran).toMatchObject({ code: 0, out: `${to}\n` });
    expect((await readTokenizer(to)).card).toEqual((await readTokenizer(tokenizer())).card);
  });
});

describe('tokenize', () => {
  const tokenize = (args: readonly string[]) =>
    run(['tokenize', tokenizer(), ...args, ...places()]);

  test('writes tokens of all pictures with their words, for this codebook', async () => {
    const out = inside('tokens.safetensors');
    const ran = await tokenize([inside('pictures'), '--out', out]);
    expect(ran).toMatchObject({ code: 0, out: `${out}\n` });
    const { card } = await readTokenizer(tokenizer());
    const cache = await readTokenCache(out, { codebook: card.digest });
    expect(cache).toMatchObject({ codes: 16, height: 16, vocabulary: ['class=bar', 'class=disc'] });
    expect(cache.tokens.shape).toEqual([23, 4, 4]); // one of twenty is held out
    expect(cache.words.every((ids) => ids.length === 1)).toBe(true);

    const heldOut = inside('held-out.safetensors');
    await tokenize([inside('pictures'), '--held-out', '--size', '32', '--out', heldOut]);
    expect((await readTokenCache(heldOut)).tokens.shape).toEqual([1, 8, 8]);
  });

  test('bad input: one sentence, exit 2, nothing written', async () => {
    const out = inside('never.safetensors');
    const refused = async (args: readonly string[], sentence: RegExp) => {
      const ran = await run([...args, ...places()]);
      expect(ran.code, ran.err).toBe(2);
      expect(ran.err).toMatch(sentence);
    };
    const pictures = inside('pictures');
    await refused(['tokenize', 'nobody', pictures, '--out', out], /tokenizer: expected one in /);
    await refused(['tokenize', tokenizer(), 'avatar', '--out', out], /did you mean 'avatars'\?/);
    await refused(
      ['tokenize', tokenizer(), pictures, '--size', '18', '--out', out],
      /--size: expected a multiple of 4, which is a token's side, got 18/,
    );
    await refused(
      ['tokenize', tokenizer(), pictures, '--out', folder],
      /expected the name of a file/,
    );
    expect(await readdir(folder)).not.toContain('never.safetensors');
  });

  test('damaged weights are refused', async () => {
    const broken = inside('broken');
    await mkdir(broken);
    for (const name of ['tokenizer.json', 'tokenizer.safetensors']) {
      const bytes = await readFile(join(tokenizer(), name));
      if (name.endsWith('safetensors')) bytes[bytes.length - 1]! ^= 1;
      await writeFile(join(broken, name), bytes);
    }
    const ran = await run(['tokenize', broken, inside('pictures'), '--out', inside('x')]);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('changed or damaged') });
  });
});

describe('evaluate tokenizer', () => {
  test('measures on held-out drawings, records into card and page, exits 1 where bars are missed', async () => {
    const other = await run(['evaluate', 'tokenizer', '--model', tokenizer(), ...places()]);
    expect(other).toMatchObject({
      code: 2,
      err: expect.stringContaining('a tokenizer of avatars'),
    });
    const path = join(tokenizer(), 'tokenizer.json');
    const card = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...card, data: 'avatars' }));
    const out = inside('measured');
    const args = ['--pictures', '20', '--no-kid', '--record', '--out', out];
    const ran = await run(['evaluate', 'tokenizer', '--model', tokenizer(), ...args, ...places()]);
    expect(ran.code, ran.err).toBe(1);
    expect(ran.out).toMatch(/MISSED {2}foreground PSNR, dB: [\d.]+, wanted >= 22/);
    expect((await readdir(out)).sort()).toEqual([
      'reconstructions.png',
      'tokenizer.json',
      'tokenizer.txt',
    ]);
    const { card: measured } = await readTokenizer(tokenizer());
    expect(measured.numbers).toMatchObject({ pictures: 20 });
    expect(await readFile(join(tokenizer(), 'README.md'), 'utf8')).toContain('## Measured');
  });
});
