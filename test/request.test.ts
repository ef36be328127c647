import { describe, expect, test } from 'vitest';
import { encodePng, readRecipe } from '../png.ts';
import { readText } from '../png-chunks.ts';
import {
  formatParameters,
  type ImageRequest,
  parseRecipe,
  parseRequest,
  type Recipe,
} from '../request.ts';

const request: ImageRequest = {
  version: 1,
  model: 'avatars-64',
  condition: ['style=avataaars', { word: 'hair color=red', weight: 1.5 }],
  seed: 7,
  count: 4,
  size: { width: 64, height: 96 },
  sampling: {
    kind: 'diffusion',
    solver: 'dpmpp-2m',
    steps: 25,
    guidance: { scale: 2, from: 0.1, to: 0.8 },
  },
};
const tokens: ImageRequest = {
  ...request,
  sampling: { kind: 'tokens', decoder: 'jacobi', decoderOptions: { window: 16 }, temperature: 0.9 },
};

describe('parseRequest', () => {
  test('returns what is right, and one picture where no count is given', () => {
    expect(parseRequest(request)).toEqual(request);
    expect(parseRequest(tokens)).toEqual(tokens);
    const { count: _, ...single } = request;
    expect(parseRequest(single).count).toBe(1);
    expect(parseRequest({ ...request, seed: 0, condition: [] })).toMatchObject({ seed: 0 });
  });

  test('survives JSON', () => {
    const full = {
      ...request,
      negative: ['glasses=yes'],
      position: {
        extend: { method: 'yarn', scale: 2 },
        micro: { original: { width: 128, height: 96 }, crop: { top: 8, left: 0 } },
      },
      input: { image: 'a1', mask: 'b-2', strength: 0.5 },
      sampling: { ...request.sampling, schedule: 'flow', scheduleOptions: { shift: 3 } },
    };
    expect(parseRequest(JSON.parse(JSON.stringify(full)))).toEqual(full);
  });

  const sampling = (change: object) => ({ sampling: { ...request.sampling, ...change } });
  test.each<[object, string]>([
    [{ version: 2 }, "'version': expected 1, got 2"],
    [{ stpes: 3 }, "the value: expected no key 'stpes'; known keys are"],
    [{ modle: 'x' }, "the value: expected no key 'modle'; did you mean 'model'?"],
    [
      { model: '../secret' },
      '\'model\': expected an id of letters, digits, points and dashes, got "../secret"',
    ],
    [{ seed: -1 }, "'seed': expected a whole number from 0 to"],
    [{ seed: 1.5 }, "'seed': expected a whole number from 0 to"],
    [{ seed: '7' }, "'seed': expected a whole number from 0 to"],
    [{ count: 0 }, "'count': expected a whole number from 1 to 10000, got 0"],
    [{ size: { width: 64 } }, "'size': expected 'height', got nothing; add it"],
    [
      { size: { width: 64, height: 8193 } },
      "'size.height': expected a whole number from 1 to 8192, got 8193",
    ],
    [
      { condition: 'red hair' },
      '\'condition\': expected a list of 0 to 256 entries, got "red hair"',
    ],
    [{ condition: [7] }, "'condition.0': expected text of 1 to 200 characters or an object, got 7"],
    [
      { condition: [{ word: 'a', weight: 11 }] },
      "'condition.0.weight': expected a number from -10 to 10, got 11",
    ],
    [
      { input: { image: '/etc/passwd', strength: 1 } },
      '\'input.image\': expected the id of an image, got "/etc/passwd"',
    ],
    [
      { position: { extent: 'pi' } },
      "'position': expected no key 'extent'; did you mean 'extend'?",
    ],
    [
      { position: { micro: 'tained' } },
      `'position.micro': expected "asked" or "trained" or "nothing" or an object, got "tained"; did you mean 'trained'?`,
    ],
    [
      { position: { micro: { crop: { top: -1, left: 0 } } } },
      "'position.micro.crop.top': expected a whole number from 0 to 8192, got -1",
    ],
    [
      { sampling: { kind: 'magic' } },
      '\'sampling.kind\': expected "diffusion" or "tokens", got "magic"',
    ],
    [{ sampling: { kind: 'tokens' } }, "'sampling': expected 'decoder', got nothing; add it"],
    [sampling({ steps: 0 }), "'sampling.steps': expected a whole number from 1 to 1000, got 0"],
    [sampling({ step: 3 }), "'sampling': expected no key 'step'; did you mean 'steps'?"],
    [sampling({ solver: '' }), '\'sampling.solver\': expected a name, got ""'],
    [
      sampling({ guidance: { scale: Number.NaN } }),
      "'sampling.guidance.scale': expected a number from 0 to 100",
    ],
    [
      sampling({ guidance: { scale: 2, from: 0.8, to: 0.1 } }),
      "'sampling.guidance': expected from <= to, got 0.8 and 0.1",
    ],
  ])('refuses %j', (change, sentence) => {
    expect(() => parseRequest({ ...request, ...change })).toThrow(`request: ${sentence}`);
  });

  test.each([null, undefined, 7, 'text', []])('refuses %j', (value) => {
    expect(() => parseRequest(value)).toThrow(/^request: the value: expected an object, got/);
  });
});

const recipe: Recipe = {
  version: 1,
  request: { ...request, count: 1, negative: ['glasses=yes'] },
  digest: 'ab'.repeat(32),
  software: 'ropewalk 0.1.0',
  engine: 'onnx',
  provider: 'cpu',
};
const flat = { data: new Uint8Array(12), width: 2, height: 2 };

describe('recipes', () => {
  test('travel inside a picture', async () => {
    const file = await encodePng(flat, { recipe, parameters: formatParameters(recipe) });
    expect(parseRecipe(readRecipe(file))).toEqual(recipe);
    expect(readText(file).parameters).toBe(formatParameters(recipe));
  });

  test('of strangers are checked like any request', () => {
    const bad = { ...recipe, request: { ...recipe.request, model: '../x' } };
    expect(() => parseRecipe(bad)).toThrow(/^recipe: request: 'model': expected an id/);
    expect(() => parseRecipe({ ...recipe, digest: 'x' })).toThrow(/^recipe: 'digest': expected/);
    expect(() => parseRecipe(undefined)).toThrow(/^recipe: the value: expected an object/);
  });

  test('read as other tools write them', () => {
    expect(formatParameters(recipe)).toBe(
      [
        'style=avataaars, (hair color=red:1.5)',
        'Negative prompt: glasses=yes',
        'Steps: 25, Sampler: DPM++ 2M, CFG scale: 2, Seed: 7, Size: 64x96, Model hash: ababababab, Model: avatars-64, Version: ropewalk 0.1.0',
      ].join('\n'),
    );
  });

  test('each value can be read back by the pattern that A1111 uses', () => {
    const odd = { ...recipe, software: 'a, "b": c' };
    const last = formatParameters(odd).split('\n').at(-1)!;
    const pair = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;
    const read = Object.fromEntries([...last.matchAll(pair)].map((match) => [match[1], match[2]]));
    expect(read).toMatchObject({ Steps: '25', Seed: '7', Size: '64x96', Model: 'avatars-64' });
    expect(JSON.parse(read.Version!)).toBe('a, "b": c');
  });

  test('of token models too', () => {
    const text = formatParameters({ ...recipe, request: { ...tokens, condition: [] } });
    expect(text.split('\n')).toEqual([
      '',
      expect.stringMatching(/^Sampler: jacobi, Temperature: 0.9, Seed: 7/),
    ]);
  });
});
