import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readExtensions, readPositionChange } from '../../cli/extension.ts';
import { parseExtension } from '../../encoders/positions/extension-text.ts';
import { decodePicture, readRecipe } from '../../png.ts';
import { writeTinyModel } from '../pipelines/tiny-model.ts';
import { run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-extend-'));
  await writeTinyModel(join(folder, 'models'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const generate = (out: string, ...args: string[]) =>
  run(['generate', '--model', 'tiny', '--threads', '1', '--out', join(folder, out), ...args], {
    env: { ROPEWALK_MODELS: join(folder, 'models') },
  });
const picture = async (out: string, ...args: string[]) => {
  const ran = await generate(out, '--size', '24x32', ...args);
  expect(ran.err).not.toContain('ropewalk:');
  return readFile(ran.out.trim());
};

describe('an extension on the command line', () => {
  test('is a name, or a name with numbers, words and lists', () => {
    expect(parseExtension('vision-yarn')).toBe('vision-yarn');
    expect(parseExtension('pi')).toBe('interpolation');
    expect(parseExtension('pi:keep=2')).toEqual({ method: 'interpolation', keep: 2 });
    expect(parseExtension('yarn:alpha=0.25,beta=2')).toEqual({
      method: 'yarn',
      alpha: 0.25,
      beta: 2,
    });
    expect(parseExtension('ntk-by-parts:beta=2,1,axes=longer')).toEqual({
      method: 'ntk-by-parts',
      beta: [2, 1],
      axes: 'longer',
    });
    expect(parseExtension('longrope:y=1,x=2')).toEqual({ method: 'longrope', y: 1, x: 2 });
  });

  test.each([
    ['yrn', /positions\.extend: expected one of .*'yarn'.* got 'yrn'/],
    ['yarn:2', /--extend: expected options such as 'yarn:option=value', each once, got 'yarn:2'/],
    ['yarn:beta=2,beta=3', /each once, got/],
    ['yarn:', /each once, got 'yarn:'/],
  ])('%s is refused', (text, message) => {
    expect(() => parseExtension(text)).toThrow(message);
  });

  test('several follow one another; none is none', async () => {
    expect(await readExtensions(['ntk', 'attention-scale'])).toEqual(['ntk', 'attention-scale']);
    expect(await readExtensions(['none'])).toEqual([]);
    await expect(readExtensions(['none', 'ntk'])).rejects.toThrow(/none alone .* got none and ntk/);
  });

  test('may stand beside options of coordinates, said once', async () => {
    const own = 'coordinates:inference=contiguous,range=8,9';
    const coordinates = { inference: 'contiguous', range: [8, 9] };
    expect(await readPositionChange([own])).toEqual({ coordinates });
    expect(await readPositionChange(['none', own])).toEqual({ extend: [], coordinates });
    expect(await readPositionChange(['ntk'])).toEqual({ extend: 'ntk' });
    await expect(readPositionChange([own, own])).rejects.toThrow(/such as .*, once, got/);
  });

  test('may be a file', async () => {
    const path = join(folder, 'longrope.json');
    const found = { method: 'longrope', y: [1, 1.5, 2, 2], x: [1, 1, 1, 2] };
    await writeFile(path, JSON.stringify(found));
    expect(await readExtensions([path])).toEqual(found);
    await writeFile(path, '[]');
    await expect(readExtensions([path])).rejects.toThrow(/expected an object .* 'method'/);
    await writeFile(path, '{');
    await expect(readExtensions([path])).rejects.toThrow(/expected JSON/);
    await expect(readExtensions([join(folder, 'no.json')])).rejects.toThrow(/cannot be read/);
  });
});

describe('generate --extend', () => {
  test('changes a larger picture, is in its recipe, and --from makes the same file again', async () => {
    const plain = await picture('plain');
    const extended = await picture('yarn', '--extend', 'yarn:alpha=0.25,beta=2');
    expect(extended).not.toEqual(plain);
    expect(readRecipe(extended)).toMatchObject({
      request: { position: { extend: { method: 'yarn', alpha: 0.25, beta: 2 } } },
    });
    const names = ['--extend', 'yarn', '--extend', 'attention-scale', '--extend', 'time-shift'];
    const both = await picture('both', ...names);
    expect(both).not.toEqual(await picture('published', '--extend', 'yarn'));
    for (const [name, made] of Object.entries({ yarn: extended, both })) {
      const from = join(folder, name, 'tiny-24x32-seed-0.png');
      const again = await generate(`${name}-again`, '--from', from);
      expect(await readFile(again.out.trim())).toEqual(made);
      const without = await generate(`${name}-without`, '--from', from, '--extend', 'none');
      const pixels = await readFile(without.out.trim());
      expect(readRecipe(pixels)).toMatchObject({ request: { position: { extend: [] } } });
      expect(await decodePicture(pixels)).toEqual(await decodePicture(plain));
    }
  });

  test.each([
    ['yarn:beta=0.5', "'yarn': expected turns alpha above 0 and beta of at least alpha"],
    ['yarn:bta=0.5', "expected options among alpha, beta, temperature, got 'bta'"],
    ['longrope', "'longrope'.y: expected 4 factors, one a frequency, got 0"],
  ])('%s ends with 2 and one sentence, and writes nothing', async (extend, sentence) => {
    const ran = await generate('bad', '--size', '24x32', '--extend', extend);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(sentence);
    expect(ran.err.trim().split('\n')).toHaveLength(1);
    await expect(readFile(join(folder, 'bad', 'tiny-24x32-seed-0.png'))).rejects.toThrow();
  });
});
