import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methods } from '../../cli/options.ts';
import { writeTinyModel } from '../pipelines/tiny-model.ts';
import { run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sizes-cli-'));
  await writeTinyModel(folder, { id: 'turned', data: 'avatars' });
  await writeTinyModel(folder, { id: 'plain', data: 'avatars', positions: { embed: 'sincos2d' } });
  await writeTinyModel(folder, { id: 'other' });
  await writeFile(join(folder, 'text.onnx'), 'not a network');
});
afterAll(() => rm(folder, { recursive: true }));

const given = { models: 'turned', sizes: '16', extend: 'none', samples: '8' };
function evaluate(changes: Record<string, string>) {
  const options = Object.entries({ ...given, ...changes }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  return run(
    [
      'evaluate',
      'resolution',
      ...options,
      '--out',
      join(folder, 'out'),
      '--cache',
      join(folder, 'cache'),
    ],
    { env: { ROPEWALK_MODELS: folder } },
  );
}

describe('ropewalk evaluate resolution', () => {
  it.each([
    [
      { sizes: '16,18' },
      "'turned': size.width: expected a multiple of the patch (4) from 4 to 64, got 18",
    ],
    [
      { sizes: '16,68' },
      "'turned': size.width: expected a multiple of the patch (4) from 4 to 64, got 68",
    ],
    [{ sizes: '16,big' }, "expected a size such as 64 or 96x64, got 'big'"],
    [
      { models: 'turned,plain', extend: 'none,yarn' },
      "'plain': positions.extend: 'yarn' changes the frequencies of a rotation, but there is no rotation",
    ],
    [
      { micro: 'nothing' },
      "micro: expected models that are told sizes, got 'turned', which is not, and 'nothing'",
    ],
    [{ micro: 'little' }, 'Allowed choices are asked, trained, nothing'],
    [{ samples: '4' }, 'expected at least 8 samples, got 4'],
    [{ models: 'turned,missing' }, "model: expected a known model, got 'missing'"],
    [{ models: 'other' }, "expected models of avatars, got 'other' of 'none'"],
    [
      { models: 'turned' },
      "expected the vocabulary of the drawings to be the model's 6 words, got 1198",
    ],
    [{ extend: 'none,,yarn' }, "expected values with commas between, got 'none,,yarn'"],
    [{ 'extend-sizes': '24' }, 'expected sizes of extensions among 16x16, got 24x24'],
    [{ 'sheet-sizes': '16' }, "expected sizes without repetition, got '16x16' twice"],
    [
      { models: 'both=turned+plain', seeds: '2' },
      "got 'turned' and 'plain', whose positions differs",
    ],
    [
      { models: 'both=turned+' },
      "expected a model or trainings of one, such as 'rope=rope-1+rope-2'",
    ],
  ])('refuses %j in one sentence, with nothing written', async (changes, said) => {
    const { code, err, out } = await evaluate(changes as Record<string, string>);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect([existsSync(join(folder, 'out')), existsSync(join(folder, 'cache'))]).toEqual([
      false,
      false,
    ]);
  });

  it('takes methods with options, which have commas of their own, and several at once', () => {
    expect(methods('none,yarn:alpha=0.25,beta=2,ntk')).toEqual([
      'none',
      'yarn:alpha=0.25,beta=2',
      'ntk',
    ]);
    expect(methods('lm-infinite:gamma=16,2,own')).toEqual(['lm-infinite:gamma=16,2', 'own']);
    expect(methods('vision-yarn+attention-scale,none')).toEqual([
      'vision-yarn+attention-scale',
      'none',
    ]);
  });

  it('refuses features that are no network', async () => {
    const path = join(folder, 'text.onnx');
    const { code, err } = await evaluate({ models: 'avatars', sizes: '64', features: path });
    expect(code).toBe(2);
    expect(err).toContain(`features: expected an ONNX file, got '${path}', which cannot be opened`);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});
