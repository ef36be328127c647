import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePositions } from '../../evaluation/positions/report.ts';
import { writeModel } from '../../generators/model.ts';
import { tinyFiT, writeTinyModel } from '../pipelines/tiny-model.ts';
import { run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'positions-cli-'));
  await writeTinyModel(folder, { id: 'turned', data: 'avatars' });
  await writeTinyModel(folder, { id: 'other' });
  const { card, weights } = tinyFiT();
  await writeModel(join(folder, 'packed'), { ...card, id: 'packed', data: 'avatars' }, weights);
});
afterAll(() => rm(folder, { recursive: true }));
const evaluate = (...options: string[]) =>
  run(['evaluate', 'positions', ...options, '--out', join(folder, 'out')], {
    env: { ROPEWALK_MODELS: folder },
  });

describe('ropewalk evaluate positions', () => {
  it.each([
    [['--models', 'other'], "expected models of avatars, got 'other' of 'none'"],
    [['--models', 'turned', '--sizes', '18'], 'size.width: expected a multiple of the patch (4)'],
    [
      ['--models', 'turned', '--sizes', '16,4'],
      "expected a size of more than one token, got 4x4, which is one of 'turned'; take a larger size",
    ],
    [['--time', '2'], "expected a number from 0 to 1, got '2'"],
    [['--tokenizers', 'none-such'], 'tokenizer: expected one in '],
    [
      ['--models', 'packed'],
      "expected a diffusion transformer (dit), got 'packed', which is of fit",
    ],
  ])('refuses %j', async (options, said) => {
    const { code, err } = await evaluate(...options);
    expect(code).toBe(2);
    expect(err).toContain(said);
  });

  it('writes one page that needs nothing else, and the same as JSON and CSV', async () => {
    const quality = { stableRank: 3.5, distancePreservation: 0.75 };
    const block = {
      ...{ distance: [1, 2], entropy: [0.5, 0.7], residual: 0.1, similarity: [0.9, 0.8, 0.7] },
      variance: -0.9,
      probe: { error: 0.5, chance: 1 },
      heads: [{ head: 1, pair: 0, score: 0.9 }],
      frequencies: [0.7, 0.3],
    };
    const model = {
      ...{ model: 'turned', size: { width: 16, height: 16 }, pictures: 4, t: 0.5 },
      ...{ uniformDistance: 2, blocks: [block, block] },
    };
    const tested = [{ grid: '3x3', accuracy: 0.5 }];
    const out = join(folder, 'written');
    await writePositions(out, {
      methods: [
        { hook: 'rotate', name: 'axial', quality },
        { hook: 'bias', name: 'b', note: 'a < b' },
      ],
      models: [model],
      decoders: [
        {
          ...{ tokenizer: 'codes', size: { width: 8, height: 8 }, pictures: 4 },
          pattern: { mean: 0.1, relative: 0.25, overChance: 3.5, byBorder: [0.3, 0.2, 0.1, 0] },
        },
      ],
      protocol: [{ arm: 'none', task: 'copy', chance: 0.25, tested }],
    });
    const read = (name: string) => readFile(join(out, name), 'utf8');
    const page = await read('positions.html');
    expect(page).not.toMatch(/<script|src=|https?:\/\/(?!www\.w3\.org\/2000\/svg)|NaN|undefined/);
    for (const said of [
      'rotate: axial',
      'a &#60; b',
      '0.750',
      'turned 16x16',
      'copy',
      '0.500 (0.25)',
      'codes',
      '>3.5<',
    ])
      expect(page).toContain(said);
    const lines = (await read('positions.csv')).split('\n');
    for (const said of [
      'turned,16x16,0,attention distance,0.75',
      'turned,16x16,1,variance slope,-0.9',
      'codes,8x8,,pattern from padding / deviation,0.25',
    ])
      expect(lines).toContain(said);
    expect(JSON.parse(await read('positions.json')).models[0].blocks).toHaveLength(2);
  });
});
