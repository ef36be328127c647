import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodePicture, encodePng, readRecipe } from '../../png.ts';
import { readText } from '../../png-chunks.ts';
import { tinyCard, writeTinyModel } from '../pipelines/tiny-model.ts';
import { type RunOptions, run } from './run.ts';

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'ropewalk-cli-models-'));
  await writeTinyModel(models);
});
afterAll(() => rm(models, { recursive: true, force: true }));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-cli-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const generate = (args: readonly string[], options: RunOptions = {}) =>
  run(['generate', '--model', 'tiny', '--threads', '1', ...args], {
    ...options,
    env: { ROPEWALK_MODELS: models, ...options.env },
  });
const out = () => join(folder, 'out');

describe('generate', () => {
  test('writes pictures with recipes and says what it understood', async () => {
    const ran = await generate(['cat, red hair', '--seed', '7', '--count', '2', '--out', out()]);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.err).toContain('matched cat: style=cat; red hair: hair color=red');
    const bare = await generate(['cat,', 'red', 'hair', '--seed', '7', '--out', out()]);
    expect(bare.err).toContain('matched cat: style=cat; red hair: hair color=red');
    const paths = ran.out.trim().split('\n');
    expect(paths.map((path) => basename(path))).toEqual([
      'tiny-16x16-seed-7.png',
      'tiny-16x16-seed-8.png',
    ]);
    const file = await readFile(paths[1]!);
    expect(await decodePicture(file)).toMatchObject({ width: 16, height: 16 });
    expect(readRecipe(file)).toMatchObject({ request: { seed: 8, count: 1 }, engine: 'onnx' });
    expect(readText(file).parameters).toContain('Steps: 3, Sampler: Euler, CFG scale: 2, Seed: 8');
  });

  test('--from makes the same pixels again, and others where asked', async () => {
    await generate([
      '(cat:1.2), no glasses',
      '--negative',
      'robot',
      '--solver',
      'heun',
      '--guidance',
      '3',
      '--interval',
      '0.2,1',
      '--size',
      '24x16',
      '--out',
      out(),
    ]);
    const [name] = await readdir(out());
    const path = join(out(), name!);
    const again = await generate(['--from', path, '--out', join(folder, 'again')]);
    expect(again).toMatchObject({ code: 0, err: expect.not.stringContaining('may differ') });
    expect(await readFile(join(folder, 'again', name!))).toEqual(await readFile(path));

    const larger = await generate(['--from', path, '--size', '48x32', '--json', '--out', out()]);
    const { pictures } = JSON.parse(larger.out);
    const { request } = readRecipe(await readFile(path)) as { request: object };
    expect(pictures[0].recipe.request).toEqual({ ...request, size: { width: 48, height: 32 } });
  });

  test('--micro, --original-size and --crop stand in the recipe, and --from keeps those not given', async () => {
    const parent = join(folder, 'models');
    await writeTinyModel(parent, { id: 'told', config: { ...tinyCard().config, micro: true } });
    const draw = (...args: string[]) =>
      run(['generate', '--threads', '1', '--json', '--out', out(), ...args], {
        env: { ROPEWALK_MODELS: parent },
      });
    const first = await draw('cat', '--model', 'told', '--original-size', '32x64', '--crop', '8,4');
    const { path, recipe } = JSON.parse(first.out).pictures[0];
    const micro = { original: { width: 32, height: 64 }, crop: { top: 8, left: 4 } };
    expect(recipe.request.position).toEqual({ micro });
    const again = JSON.parse((await draw('--from', path, '--crop', '0,4')).out).pictures[0];
    expect(again.recipe.request.position).toEqual({
      micro: { ...micro, crop: { top: 0, left: 4 } },
    });
    const by = async (...args: string[]) => JSON.parse((await draw(...args)).out).pictures[0];
    const named = await by('--from', path, '--micro', 'trained');
    expect(named.recipe.request.position).toEqual({ micro: 'trained' });
    expect((await by('--from', named.path)).recipe.request.position).toEqual({ micro: 'trained' });
    expect((await by('--from', named.path, '--crop', '8,4')).recipe.request.position).toEqual({
      micro: { crop: { top: 8, left: 4 } },
    });
    const both = await draw('cat', '--model', 'told', '--micro', 'asked', '--crop', '8,4');
    expect(both).toMatchObject({
      code: 2,
      err: expect.stringContaining('--micro: expected none with --original-size or --crop'),
    });
  });

  test('never writes over another picture', async () => {
    await generate(['cat', '--out', out()]);
    await generate(['cat', '--out', out()]);
    await generate(['robot', '--out', out()]);
    expect((await readdir(out())).sort()).toEqual([
      'tiny-16x16-seed-0-2.png',
      'tiny-16x16-seed-0.png',
    ]);
  });

  test('--grid writes a sheet whose recipe makes all of its pictures', async () => {
    const ran = await generate(['cat', '--count', '3', '--grid', '--json', '--out', out()]);
    const { sheet, matched, provider } = JSON.parse(ran.out);
    expect([matched, provider]).toEqual([[{ text: 'cat', words: ['style=cat'] }], 'cpu']);
    expect(readRecipe(await readFile(sheet))).toMatchObject({ request: { count: 3, seed: 0 } });
  });

  test('shows a picture in a terminal that can', async () => {
    const terminal = { columns: 80, env: { COLORTERM: 'truecolor' } };
    expect((await generate(['cat', '--out', out()], terminal)).out).toContain('▀');
    expect((await generate(['cat', '--out', out()], { columns: 80 })).out).not.toContain('▀');
  });

  test('--skip-unknown goes on without a word', async () => {
    const ran = await generate(['cat, unicorn', '--skip-unknown', '--out', out()]);
    expect(ran).toMatchObject({ code: 0, err: expect.stringContaining("not matched 'unicorn'") });
  });

  test('Ctrl-C ends with 130 and writes nothing', async () => {
    const onErr: RunOptions['onErr'] = (text, stop) => {
      if (text.startsWith('step')) stop.abort();
    };
    const ran = await generate(['cat', '--steps', '50', '--out', out()], { onErr });
    expect([ran.code, existsSync(out())]).toEqual([130, false]);
  });

  const wrong: [string, readonly string[], string | RegExp][] = [
    ['an unknown option', ['cat', '--sede', '3'], "unknown option '--sede' (Did you mean --seed?)"],
    [
      'a size off the patch',
      ['cat', '--size', '18'],
      'size.width: expected a multiple of the patch (4) from 4 to 64, got 18',
    ],
    [
      'a size beyond the limit',
      ['cat', '--size', '128'],
      'size.width: expected a multiple of the patch (4) from 4 to 64, got 128',
    ],
    ['no size', ['cat', '--size', '0'], 'got 0'],
    ['an unknown model', ['cat', '--model', 'tyni'], "got 'tyni'; nearest: tiny"],
    ['an unknown solver', ['cat', '--solver', 'eulr'], "got 'eulr'; nearest: euler"],
    ['an unknown extension', ['cat', '--extend', 'yarnn'], "got 'yarnn'"],
    ['an unknown style', ['kat'], "'kat' (nearest: style=cat)"],
    ['an unknown attribute', ['cat, red hare'], /'red hare' \(nearest: .*hair color=red/],
    ['a word of another style', ['robot, red hair'], "got 'red hair'"],
    ['an unknown word to lead away from', ['cat', '--negative', 'kat'], '--negative: expected'],
    ['an unknown device', ['cat', '--device', 'gpu'], 'Allowed choices are cpu, webgpu, cuda'],
    ['a bad seed', ['cat', '--seed', '1.5'], "expected a whole number of at least 0, got '1.5'"],
    ['a cut of a model that is told of none', ['cat', '--crop', '8,0'], "'tiny' is not told of"],
    ['a bad cut', ['cat', '--crop', '8'], "pixels from top and left such as 16,0, got '8'"],
    ['a bad interval', ['cat', '--interval', '0.8,0.1'], "got '0.8,0.1'"],
    [
      'a picture that is not there',
      ['--from', '/nowhere.png'],
      "'/nowhere.png', which cannot be read",
    ],
    ['a word too many', ['cat', 'zebra'], /zebra/],
  ];
  test.each(wrong)('%s is one sentence and exit code 2', async (_, args, message) => {
    const ran = await generate([...args, '--out', out()]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/^ropewalk: [^\n]+\n$/);
    if (typeof message === 'string') expect(ran.err).toContain(message);
    else expect(ran.err).toMatch(message);
    expect(existsSync(out())).toBe(false);
  });

  test('refuses an output folder that is a file, and pictures without a recipe or cut off', async () => {
    const file = join(folder, 'file.png');
    const png = await encodePng({ data: new Uint8Array(12), width: 2, height: 2 });
    await writeFile(file, png);
    const blocked = await generate(['cat', '--out', join(file, 'deeper')]);
    expect(blocked).toMatchObject({ code: 2, err: expect.stringContaining('is a file') });
    const plain = await generate(['--from', file, '--out', out()]);
    expect(plain).toMatchObject({ code: 2, err: expect.stringContaining('without a recipe') });
    await writeFile(file, png.subarray(0, 40));
    const cut = await generate(['--from', file, '--out', out()]);
    expect(cut).toMatchObject({
      code: 2,
      err: expect.stringContaining('ropewalk: picture: expected'),
    });
    expect(existsSync(out())).toBe(false);
  });

  test('--from refuses other weights', async () => {
    await generate(['cat', '--out', out()]);
    const path = join(out(), 'tiny-16x16-seed-0.png');
    const recipe = readRecipe(await readFile(path)) as object;
    const picture = await decodePicture(await readFile(path));
    await writeFile(
      path,
      await encodePng(picture, { recipe: { ...recipe, digest: 'f'.repeat(64) } }),
    );
    const other = ['generate', '--from', path, '--out', join(folder, 'again')];
    const ran = await run(other, { env: { ROPEWALK_MODELS: models } });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('SHA-256 ffffffffffff') });
  });
});

describe('damaged models', () => {
  const damage = async (change: (path: string) => Promise<void>) => {
    const parent = join(folder, 'models');
    await mkdir(parent);
    const { folder: model } = await writeTinyModel(parent, { id: 'bad' });
    await change(model);
    return run(['generate', 'cat', '--model', 'bad', '--out', out()], {
      env: { ROPEWALK_MODELS: parent },
    });
  };
  test('weights that are cut off', async () => {
    const ran = await damage(async (model) => {
      const path = join(model, 'model.safetensors');
      const bytes = await readFile(path);
      await writeFile(path, bytes.subarray(0, bytes.length - 10));
    });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('changed or damaged') });
    expect(existsSync(out())).toBe(false);
  });

  test('weights of another shape name tensor and both shapes', async () => {
    const ran = await damage(async (model) => {
      const path = join(model, 'model.json');
      const card = JSON.parse(await readFile(path, 'utf8'));
      card.config.hidden = 52;
      await writeFile(path, JSON.stringify(card));
    });
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/mlp\.w12\.weight.*\[104, 32\].*\[96, 32\]/);
  });

  test('an unknown key in the card', async () => {
    const ran = await damage(async (model) => {
      const path = join(model, 'model.json');
      const card = JSON.parse(await readFile(path, 'utf8'));
      await writeFile(path, JSON.stringify({ ...card, licens: 'x' }));
    });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining("did you mean 'licence'?") });
  });
});

describe('models and help', () => {
  test('models lists what there is', async () => {
    const env = { ROPEWALK_MODELS: models };
    expect((await run(['models'], { env })).out).toContain('tiny\n  Tiny; CC0-1.0');
    const cards = JSON.parse((await run(['models', '--json'], { env })).out) as { id: string }[];
    expect(cards.map(({ id }) => id)).toContain('tiny');
  });

  test.each([
    'generate',
    'train',
    'curve',
    'export-run',
    'evaluate',
    'models',
    'verify',
    'doctor',
    'start',
  ])('%s --help has an example', async (name) => {
    const ran = await run([name, '--help']);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(`Example:\n  ropewalk ${name}`);
  });

  test('an unknown command names the nearest', async () => {
    const ran = await run(['gnerate', 'cat']);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean generate?') });
  });

  test('start draws a sheet', async () => {
    const ran = await run(['start', '--model', 'tiny', '--out', out(), '--threads', '1'], {
      env: { ROPEWALK_MODELS: models },
    });
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(`The sheet is in ${out()}`);
  });
});
