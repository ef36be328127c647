import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methods } from '../../cli/options.ts';
import { Graph } from '../../tensor/trace/graph.ts';
import { encodeModel } from '../../tensor/trace/onnx.ts';
import { writeTinyModel } from '../pipelines/tiny-model.ts';
import { run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sizes-cli-'));
  await writeTinyModel(folder, { id: 'turned', data: 'avatars' });
  await writeTinyModel(folder, { id: 'plain', data: 'avatars', positions: { embed: 'sincos2d' } });
  await writeTinyModel(folder, { id: 'other' });
  await writeTinyModel(folder, {
    ...{ id: 'random', data: 'avatars' },
    positions: { coordinates: { method: 'rpe2d', factor: 2 }, rotate: 'axial' } as never,
  });
  await writeTinyModel(folder, {
    ...{ id: 'table', data: 'avatars' },
    positions: { embed: { method: 'learned-at', range: [6, 6] } } as never,
  });
  await writeFile(join(folder, 'text.onnx'), 'not a network');
  await writeFile(join(folder, 'gray.onnx'), flattening([8, 4, 4, 1]));
});
afterAll(() => rm(folder, { recursive: true }));

/** A network whose only node flattens what it is given. */
function flattening(shape: readonly [number, ...number[]]): Uint8Array {
  const [batch, ...rest] = shape;
  const graph = new Graph();
  graph.inputs.push({ name: 'x', type: 'float32', shape });
  const width = rest.reduce((product, side) => product * side, 1);
  graph.outputs.push({
    ...{ name: graph.node('Flatten', ['x']), type: 'float32' },
    shape: [batch, width],
  });
  return encodeModel(graph).model;
}

const given = { models: 'turned', sizes: '16', extend: 'none', samples: '8' };
type More = { readonly flags?: readonly string[]; readonly env?: Record<string, string> };
function evaluate(changes: Record<string, string>, { flags = [], env = {} }: More = {}) {
  const options = Object.entries({ ...given, ...changes }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  return run(
    [
      'evaluate',
      'resolution',
      ...options,
      ...flags,
      '--out',
      join(folder, 'out'),
      '--cache',
      join(folder, 'cache'),
    ],
    { env: { ROPEWALK_MODELS: folder, ...env } },
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
    [
      { sizes: '16', 'sheet-sizes': '18' },
      "'turned': size.width: expected a multiple of the patch (4) from 4 to 64, got 18",
    ],
    [
      { models: 'random', sizes: '16,36' },
      "'random': rpe2d: expected at most 8 rows and 8 columns of tokens, the range of its positions, got 9 and 9; the largest possible grid is 8 x 8",
    ],
    [
      { models: 'table', sizes: '16,32' },
      'got column 6; with neighbours 1 apart the largest possible grid is 6 x 6',
    ],
    [{ 'held-out': '1' }, "expected a whole number from 2 to 2000, got '1'"],
    [{ trained: '0' }, "expected a whole number from 1 to 1000000, got '0'"],
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

  it.each<[Record<string, string>, Record<string, string>, string]>([
    [
      { models: 'avatars' },
      {},
      'queue: expected DATABASE_URL, the database of the workers, got none; leave --queue out to draw here',
    ],
    [
      { models: 'both=avatars+models/avatars' },
      { DATABASE_URL: 'postgres://nowhere.invalid/none' },
      "queue: expected ids of models, by which workers find their own, got 'both=avatars+models/avatars'",
    ],
  ])('by a queue refuses %j with %j', async (changes, env, said) => {
    const { code, err, out } = await evaluate(changes, { flags: ['--queue'], env });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  it.each([
    ['text.onnx', ['features: expected an ONNX file, got', 'which cannot be opened']],
    ['gray.onnx', ['to have one input, float32 [N, 3, H, W] or', 'got x: float32 [8, 4, 4, 1]']],
  ])('refuses %s as features', async (name, said) => {
    const features = join(folder, name);
    const { code, err } = await evaluate({ models: 'avatars', sizes: '64', features });
    expect(code).toBe(2);
    for (const part of [`'${features}'`, ...said]) expect(err).toContain(part);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect([existsSync(join(folder, 'out')), existsSync(join(folder, 'cache'))]).toEqual([
      ...[false, false],
    ]);
  });
});
