/** A token model from pictures to pictures on the command line: train, list, generate, generate again. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodePicture, encodePng } from '../../png.ts';
import { writeTinyTokenModel } from '../pipelines/tiny-token-model.ts';
import { shapes } from '../training/tiny.ts';
import { run } from './run.ts';

let folder: string;
const inside = (name: string) => join(folder, name);
const model = () => inside('runs/tiny-ar/model');
const generate = (...args: string[]) =>
  run(['generate', ...args, '--out', inside('out'), '--threads', '1']);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-token-model-'));
  const data = shapes(24);
  for (const kind of ['bar', 'disc']) await mkdir(inside(`pictures/${kind}`), { recursive: true });
  for (let i = 0; i < 24; i++) {
    const kind = data.words(i)[1] === 3 ? 'disc' : 'bar';
    const file = await encodePng({ data: data.pixels(i), width: data.size, height: data.size });
    await writeFile(inside(`pictures/${kind}/${i}.png`), file);
  }
  await writeTinyTokenModel(inside('models'));
  const config = {
    name: 'tiny-ar',
    title: 'Tiny',
    licence: 'CC0-1.0',
    data: { set: 'folder', size: 16, path: inside('pictures') },
    tokens: { tokenizer: inside('models/tiny-tokenizer') },
    model: {
      preset: 'avatars-ar',
      config: { width: 32, depth: 1, heads: 2, hidden: 48 },
      positions: { rotate: { method: 'axial', base: 100 } },
    },
    optimiser: { muon: { rate: 0.02 }, adamw: { rate: 0.002 } },
    ...{ batch: 4, steps: 3, rate: { kind: 'cosine' }, drop: { all: 0.1, some: 0.3 }, seed: 1 },
    sampling: { decoder: 'sequential', temperature: 1, guidance: 2 },
    every: { checkpoint: 3, heldOut: 3, sheet: 3 },
  };
  await writeFile(inside('config.json'), JSON.stringify(config));
  const places = ['--runs', inside('runs'), '--cache', inside('cache'), '--threads', '1'];
  const ran = await run(['train', inside('config.json'), ...places]);
  expect(ran).toMatchObject({ code: 0, out: `${model()}\n` });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a run leaves a model with its tokenizer, a sheet, and tokens in the cache', async () => {
  expect((await readdir(model())).sort()).toEqual([
    'README.md',
    'model.json',
    'model.safetensors',
    'tokenizer',
  ]);
  expect(await readFile(join(model(), 'README.md'), 'utf8')).toContain('An autoregressive');
  expect(await readdir(inside('runs/tiny-ar/sheets'))).toEqual(['step-3.png']);
  const cached = (await readdir(inside('cache'))).filter((name) => name.startsWith('tokens-'));
  expect(cached).toHaveLength(2);
});

test('generates, and again from the picture, by another decoder too', async () => {
  const made = await generate('disc', '--model', model(), '--seed', '5', '--temperature', '2');
  expect(made).toMatchObject({ code: 0 });
  const path = made.out.trim();
  const pixels = (await decodePicture(await readFile(path))).data;
  const again = await generate('--from', path, '--model', model(), '--json');
  const [{ recipe }] = JSON.parse(again.out).pictures;
  expect(recipe.request.sampling).toEqual({
    ...{ kind: 'tokens', decoder: 'sequential', temperature: 2, guidance: 2 },
  });
  expect(JSON.parse(again.out).pictures[0].path).toBe(path); // the same bytes need no other file
  const other = await generate('--from', path, '--model', model(), '--decoder', 'fixed-noise');
  expect(other.code).toBe(0);
  expect((await decodePicture(await readFile(other.out.trim()))).data).toEqual(pixels);
});

test('is given a store and a block drafter from tokens, and drafts with them', async () => {
  const cached = (await readdir(inside('cache'))).find((name) =>
    name.endsWith('-train.safetensors'),
  );
  const tokens = join(inside('cache'), cached!);
  const small = ['--pictures', '4', '--steps', '2', '--slots', '2', '--pool', '2'];
  const both = ['--retrieval', tokens, '--block', tokens, ...small, '--threads', '1'];
  const given = await run(['drafters', model(), ...both]);
  expect(given).toMatchObject({ code: 0, out: `${model()}\n` });
  for (const drafter of ['block', 'retrieval']) {
    const decoder = `speculative:drafter=${drafter},length=2`;
    const made = await generate('disc', '--model', model(), '--decoder', decoder);
    expect(made).toMatchObject({ code: 0 });
  }
  const many = await run(['drafters', model(), '--retrieval', tokens, '--pictures', '99']);
  expect(many).toMatchObject({
    code: 2,
    err: expect.stringContaining('pictures that there are, got 99'),
  });
});

test('refuses what is of diffusion, and other commands refuse it', async () => {
  const steps = await generate('disc', '--model', model(), '--steps', '4');
  expect(steps).toMatchObject({ code: 2, err: expect.stringContaining('--steps: expected none') });
  const size = await generate('disc', '--model', model(), '--size', '32');
  expect(size).toMatchObject({ code: 2, err: expect.stringContaining('size: expected 16x16') });
  const start = await run(['start', '--model', model(), '--out', inside('out')]);
  expect(start).toMatchObject({ code: 2, err: expect.stringContaining('a diffusion model') });
});
