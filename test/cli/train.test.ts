import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sayProgress } from '../../cli/train-run.ts';
import { encodePng } from '../../png.ts';
import { shapes, tinyConfig } from '../training/tiny.ts';
import { type RunOptions, run } from './run.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-train-'));
  await writePictures(join(folder, 'pictures'), 24);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Discs and bars in folders of their own. */
async function writePictures(into: string, count: number): Promise<void> {
  const data = shapes(count);
  for (const kind of ['bar', 'disc']) await mkdir(join(into, kind), { recursive: true });
  for (let i = 0; i < count; i++) {
    const kind = data.words(i)[1] === 3 ? 'disc' : 'bar';
    const file = await encodePng({ data: data.pixels(i), width: data.size, height: data.size });
    await writeFile(join(into, kind, `${i}.png`), file);
  }
}

const inside = (name: string) => join(folder, name);

async function train(
  changes: Record<string, unknown> = {},
  { args = [], ...options }: RunOptions & { args?: readonly string[] } = {},
) {
  const data = { set: 'folder', size: 16, path: inside('pictures') };
  const config = { ...tinyConfig({ steps: 3 }), data, ...changes };
  await writeFile(inside('config.json'), JSON.stringify(config));
  const places = ['--runs', inside('runs'), '--cache', inside('cache'), '--threads', '1'];
  return run(['train', inside('config.json'), ...places, ...args], options);
}

test('says the time that is left by steps, whatever their pictures', () => {
  const step = (pictures: number, seconds: number) => ({
    ...{ step: 100, steps: 700, loss: 0.5, norm: 1, rate: 1 },
    ...{ pictures, picturesPerSecond: pictures / seconds },
  });
  // 90 pictures in 3 seconds; 600 steps of 1.5 seconds.
  expect(sayProgress([step(64, 2), step(26, 1)], 0.25)).toBe(
    'step 100 of 700: loss 0.5000, held-out 0.2500, 30.0 pictures/s, 15 min 0 s left',
  );
});

describe('train', () => {
  test('writes a run and a model that generates', async () => {
    const ran = await train();
    expect(ran).toMatchObject({ code: 0, out: `${inside('runs/tiny/model')}\n` });
    expect(ran.err).toMatch(
      /step 3 of 3: loss \d\.\d{4}, held-out \d\.\d{4}, [\d.]+ pictures\/s, 0 s left/,
    );
    expect((await readdir(inside('runs/tiny'))).sort()).toEqual(
      ['config.json', 'curve.svg', 'latest', 'metrics.jsonl', 'model', 'sheets', 'step-3'].sort(),
    );
    const made = await run([
      'generate',
      'disc',
      '--model',
      inside('runs/tiny/model'),
      '--steps',
      '2',
      '--out',
      inside('out'),
    ]);
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining('class=disc') });

    const curve = await run(['curve', inside('runs/tiny'), '--out', inside('curve.png')]);
    expect(curve.code).toBe(0);
    expect((await readFile(inside('curve.png'))).subarray(1, 4).toString()).toBe('PNG');
    const exported = await run([
      'export-run',
      inside('runs/tiny'),
      '--out',
      inside('models/tiny'),
      '--cache',
      inside('cache'),
    ]);
    expect(exported.code).toBe(0);
    const digests = ['runs/tiny/model', 'models/tiny'].map(
      async (model) => JSON.parse(await readFile(join(inside(model), 'model.json'), 'utf8')).digest,
    );
    expect(new Set(await Promise.all(digests)).size).toBe(1);
    const { batch, accumulate } = tinyConfig();
    const card = JSON.parse(await readFile(inside('models/tiny/model.json'), 'utf8'));
    expect(card.training).toEqual({
      pictures: 3 * batch * accumulate,
      hours: expect.any(Number),
    });
    const listed = await run(['models'], { env: { ROPEWALK_MODELS: inside('models') } });
    expect(listed.out).toContain(`training: ${card.training.pictures} pictures, `);
    const page = await readFile(inside('models/tiny/README.md'), 'utf8');
    expect(page).toContain(`16 x 16 px (${card.training.pictures} pictures, `);
  });

  test('Ctrl-C saves and exits with 130; the same command goes on', async () => {
    const onErr: RunOptions['onErr'] = (text, stop) => {
      if (text.startsWith('step')) stop.abort();
    };
    const stopped = await train({}, { onErr });
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain('the same command goes on');
    expect(existsSync(inside('runs/tiny/model'))).toBe(false);
    const latest = await readFile(inside('runs/tiny/latest'), 'utf8');

    const other = await train({ seed: 4 });
    expect(other).toMatchObject({ code: 2, err: expect.stringContaining("got another 'seed'") });
    const ended = await train();
    expect(ended).toMatchObject({ code: 0, err: expect.stringContaining(`after ${latest}`) });
  });

  test('--init reports what it takes from a model of other words and positions', async () => {
    await train();
    await writePictures(inside('pictures/more'), 8);
    const changes = {
      name: 'second',
      model: { ...tinyConfig().model, positions: { embed: 'learned' } },
    };
    const ran = await train(changes, { args: ['--init', inside('runs/tiny/model')] });
    expect(ran.code).toBe(0);
    expect(ran.err).toMatch(/from 'tiny': \d\d tensors reused/);
    expect(ran.err).toContain('the embeddings of 2 of 4 words');
    expect(ran.err).toMatch(/new: positions\.learned/);
  });

  test('packed pictures of several sizes make a model; a view without room is refused', async () => {
    const packed = (length: number) => ({
      ...{ steps: 2, packed: { rows: 2, length } },
      views: [
        { how: 'full', share: 1 },
        { how: 'full', size: [16, 32], share: 1 },
      ],
      model: {
        preset: 'avatars-fit',
        config: { patch: 4, width: 32, depth: 1, heads: 2, hidden: 48, lora: 8 },
        positions: { rotate: 'axial' },
      },
    });
    const small = await train(packed(31));
    expect(small).toMatchObject({
      ...{ code: 2, err: expect.stringContaining('at most the 31 tokens of a row, got 32') },
    });
    const ran = await train(packed(40));
    expect(ran).toMatchObject({ code: 0, out: `${inside('runs/tiny/model')}\n` });
    const asked = ['generate', 'disc', '--size', '24x16', '--extend', 'ntk', '--steps', '2'];
    const drawn = await run([
      ...asked,
      '--model',
      inside('runs/tiny/model'),
      '--out',
      inside('out'),
    ]);
    expect(drawn).toMatchObject({ code: 0 });
  });

  const wrong: [string, Record<string, unknown>, string][] = [
    ['an unknown key', { stpes: 3 }, "expected no key 'stpes'; did you mean 'steps'?"],
    ['an unknown preset', { model: { ...tinyConfig().model, preset: 'dit-s/3' } }, "got 'dit-s/3'"],
    [
      'a folder that is not there',
      { data: { set: 'folder', size: 16, path: '/nowhere' } },
      '/nowhere',
    ],
    ['no folder', { data: { set: 'folder', size: 16 } }, 'data.path: expected the folder'],
    [
      'a view off the patch, before any picture is read',
      {
        data: { set: 'folder', size: 16, path: '/nowhere' },
        views: [{ how: 'full', size: 18, share: 1 }],
      },
      'views[0]: expected sides that are multiples of the patch (4), got 18',
    ],
    ['a size off the patch', { data: { set: 'folder', size: 18, path: '.' } }, '18'],
  ];
  test.each(wrong)('%s is one sentence and exit code 2', async (_, changes, message) => {
    const ran = await train(changes);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/^ropewalk: [^\n]+\n$/m);
    expect(ran.err).toContain(message);
    expect(existsSync(inside('runs'))).toBe(false);
  });

  test('refuses a folder without pictures and one with many that are broken', async () => {
    await mkdir(inside('empty'));
    const data = { set: 'folder', size: 16, path: inside('empty') };
    expect(await train({ data })).toMatchObject({
      code: 2,
      err: expect.stringContaining('got none'),
    });
    await writeFile(inside('pictures/disc/broken.png'), 'not a picture');
    const broken = await train();
    expect(broken).toMatchObject({
      code: 2,
      err: expect.stringContaining('1 of 25 (disc/broken.png)'),
    });
  });

  test('names and skips one broken picture among many', async () => {
    await writePictures(inside('pictures'), 120);
    await writeFile(inside('pictures/disc/broken.png'), 'not a picture');
    const ran = await train({ steps: 1 });
    expect(ran.code).toBe(0);
    expect(ran.err).toContain('pictures that cannot be read: 1 (disc/broken.png)');
  });

  test.each([
    [['train', '/nowhere.json'], "'/nowhere.json'"],
    [['curve', '/nowhere'], "metrics.jsonl, got '/nowhere'"],
    [['curve', '/nowhere', '--out', 'a.gif'], 'ends in .svg or .png'],
    [['export-run', '/nowhere'], '/nowhere'],
    [['verify', '/nowhere'], '/nowhere'],
    [['doctor', '--gpu'], '--install tensorflow'],
    [['evaluate', 'reader', '/nowhere.json'], "'/nowhere.json'"],
    [['evaluate', 'model', '--samples', '1'], 'from 2 to 6000'],
    [['evaluate', 'model', '--beside', 'avatars'], '--beside: expected --record'],
    [['evaluate', 'modle'], 'Did you mean model?'],
    [['train'], "missing required argument 'config'"],
  ])('%j is bad input', async (args, message) => {
    const ran = await run(args);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(ran.err).toMatch(/^ropewalk: [^\n]+\n$/);
  });
});
