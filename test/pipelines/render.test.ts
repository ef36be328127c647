import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelCard, readModel } from '../../generators/model.ts';
import { createDiffusionPipeline } from '../../pipelines/diffusion.ts';
import { findModel, listModels } from '../../pipelines/models.ts';
import { createRenderer, fileOf, render, resolveRequest } from '../../pipelines/render.ts';
import { type ImageRequest, parseRecipe } from '../../request.ts';
import { createEngine } from '../../tensor/engine.ts';
import { VERSION } from '../../version.ts';
import { tinyCard, writeTinyModel } from './tiny-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ropewalk-models-'));
  await writeTinyModel(folder);
  await writeTinyModel(folder, { id: 'other', title: 'Other' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const request: ImageRequest = {
  version: 1,
  model: 'tiny',
  condition: ['style=cat', { word: 'hair color=red', weight: 1.5 }],
  seed: 7,
  count: 2,
  size: { width: 16, height: 24 },
  sampling: { kind: 'diffusion', solver: 'dpmpp-2m', steps: 2, guidance: { scale: 2, to: 0.9 } },
};
type Position = NonNullable<ImageRequest['position']>;
type Extend = NonNullable<Position['extend']>;
type Micro = NonNullable<Position['micro']>;
const options = async () => ({
  engine: createEngine({ threads: 1 }),
  models: await listModels([folder]),
});

describe('render', () => {
  test('gives every picture the recipe that makes it again', async () => {
    const given = await options();
    const rendered = await render(request, given);
    expect(given.engine.open).toBe(0);
    const { card } = findModel('tiny', given.models);
    expect(rendered[1]!.recipe).toEqual({
      version: 1,
      digest: card.digest,
      software: `ropewalk ${VERSION}`,
      engine: 'onnx',
      provider: 'cpu',
      request: { ...request, seed: 8, count: 1 },
    });
    const recipe = parseRecipe(JSON.parse(JSON.stringify(rendered[1]!.recipe)));
    const [again] = await render(recipe.request, given);
    expect(again!.picture).toEqual(rendered[1]!.picture);
    expect(again!.picture).not.toEqual(rendered[0]!.picture);
  });

  test('one request has one file, however its keys are ordered', async () => {
    const turned = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turned);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).reverse();
      return Object.fromEntries(entries.map(([key, inner]) => [key, turned(inner)]));
    };
    const asked = { ...request, sampling: { ...request.sampling, schedule: 'flow' } } as const;
    const scheduled = { ...asked, sampling: { ...asked.sampling, scheduleOptions: { shift: 2 } } };
    const [given, other] = [scheduled, turned(scheduled) as ImageRequest];
    expect(JSON.stringify(other)).not.toBe(JSON.stringify(given));
    const [files, others] = await Promise.all(
      [given, other].map(async (one) =>
        Promise.all((await render(one, await options())).map(fileOf)),
      ),
    );
    expect(others).toEqual(files);
  });

  test.each<[string, ModelCard['positions'], Extend, RegExp]>([
    [
      'an extension of a model without a rotation',
      { embed: 'sincos2d' },
      'yarn',
      /'yarn' changes the frequencies of a rotation, but there is no rotation; take/,
    ],
    [
      'NTK on coordinates that span the same range on every grid',
      { coordinates: 'cell-centre', rotate: 'axial' },
      ['ntk', 'time-shift'],
      /'ntk' is for coordinates beyond those trained, but 'cell-centre' spans the same range/,
    ],
    [
      "a size beyond RPE-2D's range",
      { coordinates: { method: 'rpe2d', factor: 1 } as { method: string }, rotate: 'axial' },
      'none',
      /^size: rpe2d: expected at most 4 rows and 4 columns .* got 6 and 4; the largest possible grid is 4 x 4/,
    ],
    [
      'a size beyond the table of learned vectors',
      { embed: 'learned-at' },
      'none',
      /^size: positions.embed 'learned-at': .* got row 4; .* the largest possible grid is 4 x 4/,
    ],
    [
      'a list that holds no name',
      { rotate: 'axial' },
      [{ beta: 2 }],
      /name of a method, got {"beta"/,
    ],
    ['an unknown extension', { rotate: 'axial' }, ['yrn'], /expected one of .* got 'yrn'/],
  ])('refuses %s before anything is computed', (_, positions, extend, sentence) => {
    const card: ModelCard = { ...tinyCard({ positions }), digest: '0'.repeat(64) };
    const position = { extend: extend === 'none' ? [] : extend };
    expect(() => resolveRequest({ ...request, position }, card)).toThrow(sentence);
  });

  test("a card's own extensions are for other sizes, until a request has others or none", async () => {
    const positions = { ...tinyCard().positions, extend: ['yarn', 'time-shift'] };
    const more = join(folder, 'more');
    await writeTinyModel(more, { id: 'extended', positions });
    const given = { ...(await options()), models: await listModels([folder, more]) };
    const draw = async (model: string, extend?: Extend, side = 24) => {
      const size = { width: side, height: side };
      const position = extend === undefined ? {} : { position: { extend } };
      const [one] = await render({ ...request, model, count: 1, size, ...position }, given);
      return one!.picture;
    };
    const own = await draw('extended');
    expect(own).toEqual(await draw('tiny', ['yarn', { method: 'time-shift', exponent: 0.5 }]));
    expect(await draw('extended', [])).toEqual(await draw('tiny'));
    expect(await draw('extended', 'yarn')).not.toEqual(own);
    expect(await draw('extended', undefined, 16)).toEqual(await draw('tiny', undefined, 16));
  });

  test("options of a model's own coordinates are for this picture, in its recipe, and none of a method", async () => {
    const rpe2d = { method: 'rpe2d', factor: 3 };
    const positions = { coordinates: rpe2d, rotate: 'axial', extend: 'time-shift' };
    const contiguous = { ...positions, coordinates: { ...rpe2d, inference: 'contiguous' } };
    const more = join(folder, 'places');
    await writeTinyModel(more, { id: 'placed', positions });
    await writeTinyModel(more, { id: 'contiguous', positions: contiguous });
    const given = { ...(await options()), models: await listModels([more]) };
    const draw = async (model: string, position: ImageRequest['position'] = {}) =>
      (await render({ ...request, model, count: 1, position }, given))[0]!;
    const plain = await draw('placed');
    const changed = await draw('placed', { coordinates: { inference: 'contiguous' } });
    expect(changed.picture).not.toEqual(plain.picture);
    expect(changed.picture).toEqual((await draw('contiguous')).picture);
    expect(changed.recipe.request.position).toEqual({ coordinates: { inference: 'contiguous' } });
    // Beside an extension of the request's own, or none.
    const bare = { extend: [], coordinates: { inference: 'contiguous' } };
    const [here, there] = [await draw('placed', bare), await draw('contiguous', { extend: [] })];
    expect(here.picture).toEqual(there.picture);
    expect(here.picture).not.toEqual(changed.picture);

    const { card } = findModel('placed', given.models);
    const refused: [NonNullable<ImageRequest['position']>['coordinates'] & {}, RegExp][] = [
      [
        { inferense: 'contiguous' },
        /^position\.coordinates: .*'rpe2d': expected options among .* did you mean 'inference'/,
      ],
      [{ inference: 'close' }, /^position\.coordinates: .*expected one of expected, end-points/],
      [{ factor: 1 }, /^position\.coordinates: .*expected at most 4 rows and 4 columns of tokens/],
      [{ method: 'raw' }, /^position\.coordinates: expected options .* got a method, "raw"/],
    ];
    for (const [coordinates, sentence] of refused)
      expect(() => resolveRequest({ ...request, position: { coordinates } }, card)).toThrow(
        sentence,
      );
  });

  test('a model with micro-conditioning is told what the request says, without compiling again', async () => {
    const config = { ...tinyCard().config, micro: true };
    const more = join(folder, 'micro');
    await writeTinyModel(more, { id: 'told', config });
    const given = { ...(await options()), models: await listModels([folder, more]) };
    const renderer = createRenderer(given);
    const draw = async (micro?: Micro) => {
      const position = micro === undefined ? {} : { position: { micro } };
      const [one] = await renderer.render({ ...request, model: 'told', count: 1, ...position });
      return one!;
    };
    const whole = await draw();
    expect((await draw({})).picture).toEqual(whole.picture);
    const said = { original: { width: 16, height: 24 }, crop: { top: 0, left: 0 } };
    expect((await draw(said)).picture).toEqual(whole.picture);
    const cut = { original: { width: 32, height: 64 }, crop: { top: 8, left: 4 } };
    const other = await draw(cut);
    expect(other.recipe.request.position).toEqual({ micro: cut });
    expect(other.picture).not.toEqual(whole.picture);

    // By name, on a size other than the trained one: the three differ, and are what they say.
    expect((await draw('asked')).picture).toEqual(whole.picture);
    const trained = await draw('trained');
    expect(trained.recipe.request.position).toEqual({ micro: 'trained' });
    const small = { original: { width: 16, height: 16 }, crop: { top: 0, left: 0 } };
    expect(trained.picture).not.toEqual(whole.picture);
    expect(trained.picture).not.toEqual((await draw(small)).picture); // whose target is as asked
    const nothing = await draw('nothing');
    for (const { picture } of [whole, trained]) expect(nothing.picture).not.toEqual(picture);
    expect(given.engine.open).toBe(2); // as without: guided steps and the others
    await renderer.dispose();

    const { folder: at, card } = findModel('told', given.models);
    const { engine } = given;
    const pipeline = createDiffusionPipeline({ engine, model: await readModel(at) });
    const { asked, options: resolved } = resolveRequest(request, card);
    const micro = { original: [64, 32], crop: [8, 4], target: [24, 16] } as const;
    expect(await pipeline.draw([asked], { ...resolved, micro })).toEqual([other.picture]);
    const whole16 = { original: [16, 16], crop: [0, 0], target: [16, 16] } as const;
    expect(await pipeline.draw([asked], { ...resolved, micro: whole16 })).toEqual([
      trained.picture,
    ]);
    await pipeline.dispose();

    // A card may say what its model is told; a request may say otherwise.
    const own = join(folder, 'micro-own');
    const sampling = { ...card.sampling, micro: 'trained' } as ModelCard['sampling'];
    await writeTinyModel(own, { id: 'told', config, sampling });
    const models = await listModels([own]);
    const position = { micro: 'asked' } as const;
    const plain = { ...request, model: 'told', count: 1 };
    const by = async (one: ImageRequest) => (await render(one, { ...given, models }))[0]!.picture;
    expect(await by(plain)).toEqual(trained.picture);
    expect(await by({ ...plain, position })).toEqual(whole.picture);
  });

  test.each<[Micro, boolean, string]>([
    ['nothing', false, "position.micro: expected none, as 'tiny' is not told of original sizes"],
    [{}, false, "position.micro: expected none, as 'tiny' is not told of original sizes and cuts"],
    [{ crop: { top: 24, left: 0 } }, true, 'in the original of 16x24 pixels, got top 24, left 0'],
    [{ original: { width: 9, height: 99 }, crop: { top: 0, left: 9 } }, true, 'of 9x99 pixels'],
  ])('refuses micro-conditioning %j', (micro, told, sentence) => {
    const config = { ...tinyCard().config, micro: told };
    const card: ModelCard = { ...tinyCard({ config }), digest: '0'.repeat(64) };
    expect(() => resolveRequest({ ...request, position: { micro } }, card)).toThrow(sentence);
  });

  test('keeps models and programs between requests', async () => {
    const given = await options();
    const renderer = createRenderer(given);
    await renderer.render(request);
    await renderer.render({ ...request, seed: 3 });
    expect(given.engine.open).toBe(2); // two rows a picture while it is guided, else one
    await renderer.render({ ...request, model: 'other' });
    expect(given.engine.open).toBe(4);
    await renderer.dispose();
    expect(given.engine.open).toBe(0);
  });

  const diffusion = request.sampling as Extract<ImageRequest['sampling'], { kind: 'diffusion' }>;
  test.each<[Partial<ImageRequest>, string]>([
    [{ model: 'tinny' }, "model: expected a known model, got 'tinny'; nearest: tiny"],
    [
      { condition: ['style=cart'] },
      "condition: expected a known name, got 'style=cart'; nearest: style=cat",
    ],
    [
      { negative: ['glases=yes'] },
      "negative: expected a known name, got 'glases=yes'; nearest: glasses=yes",
    ],
    [{ size: { width: 18, height: 16 } }, 'size.width: expected a multiple of the patch (4)'],
    [
      { size: { width: 16, height: 128 } },
      'size.height: expected a multiple of the patch (4) from 4 to 64, got 128',
    ],
    [{ sampling: { ...diffusion, solver: 'eulr' } }, "got 'eulr'; nearest: euler"],
    [{ sampling: { ...diffusion, schedule: 'cosine' } }, "got 'cosine'; known: flow"],
    [{ sampling: { ...diffusion, solverOptions: { eta: 1 } } }, "expected no options, got 'eta'"],
    [{ sampling: { ...diffusion, scheduleOptions: { shift: -1 } } }, 'a number above 0, got -1'],
    [{ sampling: { kind: 'tokens', decoder: 'jacobi' } }, 'expected diffusion'],
    [{ position: { extend: 'dyp' } }, "got 'dyp'"],
    [{ input: { image: 'a', strength: 0.5 } }, "'tiny' cannot start from one"],
  ])('refuses %o', async (change, message) => {
    await expect(render({ ...request, ...change }, await options())).rejects.toThrow(message);
  });
});

describe('models', () => {
  test('the first folder wins; missing folders hold none', async () => {
    const second = await mkdtemp(join(tmpdir(), 'ropewalk-models-'));
    await writeTinyModel(second, { title: 'Hidden' });
    const { models } = await listModels(['/nowhere', folder, second]);
    expect(models.map(({ id, card }) => [id, card.title])).toEqual([
      ['other', 'Other'],
      ['tiny', 'Tiny'],
    ]);
    await rm(second, { recursive: true });
  });

  test('a broken card is told when it is asked for, and hides no other', async () => {
    const broken = await mkdtemp(join(tmpdir(), 'ropewalk-models-'));
    await writeTinyModel(broken);
    const { folder: damaged } = await writeTinyModel(broken, { id: 'bad' });
    await writeFile(join(damaged, 'model.json'), '{"version": 1');
    const list = await listModels([broken]);
    expect(list.models.map(({ id }) => id)).toEqual(['tiny']);
    expect(() => findModel('bad', list)).toThrow('expected JSON');
    await rm(broken, { recursive: true });
  });

  test('says what to do when there are none', () => {
    expect(() => findModel('avatars', { models: [], broken: [] })).toThrow('ROPEWALK_MODELS');
  });
});

describe('a renderer for many', () => {
  test('draws pictures of several requests in one batch, the same as alone', async () => {
    const renderer = createRenderer(await options());
    const other: ImageRequest = { ...request, condition: ['style=robot'], seed: 100, count: 1 };
    const [mine, theirs] = [await renderer.plan(request), await renderer.plan(other)];
    expect(theirs.key).toBe(mine.key);
    expect(await renderer.batchOf(mine)).toBe(16); // 32 rows, two a guided picture
    const together = await renderer.draw(mine, [...theirs.asked, ...mine.asked]);
    const alone = [...(await renderer.render(other)), ...(await renderer.render(request))];
    expect(together).toEqual(alone.map(({ picture }) => picture));
    expect(alone[2]!.recipe).toEqual(mine.recipeOf(1));
    await renderer.dispose();
  });

  test.each<[string, Partial<ImageRequest>]>([
    ['another size', { size: { width: 16, height: 16 } }],
    ['another model', { model: 'other' }],
    ['other steps', { sampling: { ...request.sampling, steps: 3 } as ImageRequest['sampling'] }],
    ['an extension', { position: { extend: 'yarn' } }],
  ])('keeps %s apart', async (_, change) => {
    const renderer = createRenderer(await options());
    const { key } = await renderer.plan({ ...request, ...change });
    expect(key).not.toBe((await renderer.plan(request)).key);
    await renderer.dispose();
  });

  test('lets the least recently used model go at its limit, never one that draws', async () => {
    const given = await options();
    const renderer = createRenderer({ ...given, memory: 1 });
    const [first] = await renderer.render(request);
    expect(given.engine.open).toBe(2);
    const drawing = renderer.render(request);
    const other = renderer.render({ ...request, model: 'other' });
    expect((await drawing)[0]!.picture).toEqual(first!.picture);
    await other;
    expect(given.engine.open).toBe(2); // those of 'other' alone
    await renderer.dispose();
    expect(given.engine.open).toBe(0);
  });

  test('tells what it read and what it keeps', async () => {
    const read: string[] = [];
    const kept: string[][] = [];
    let clock = 0;
    const watch = {
      now: () => clock++,
      onLoad: (model: string, seconds: number) => void read.push(`${model} ${seconds}`),
      onKept: (models: readonly { readonly id: string; readonly bytes: number }[]) => {
        for (const { bytes } of models) expect(bytes).toBeGreaterThan(1000);
        kept.push(models.map(({ id }) => id));
      },
    };
    const renderer = createRenderer({ ...(await options()), memory: 1, watch });
    await renderer.render(request);
    await renderer.render(request);
    expect([read, kept]).toEqual([['tiny 0.001'], [['tiny']]]);
    await renderer.render({ ...request, model: 'other' });
    expect(kept.at(-1)).toEqual(['other']);
    await renderer.dispose();
    expect(kept.at(-1)).toEqual([]);
  });

  test('looks for models anew at every request, and reads one again whose weights changed', async () => {
    const late = await mkdtemp(join(tmpdir(), 'ropewalk-models-'));
    const { engine } = await options();
    const renderer = createRenderer({ engine, models: () => listModels([late]) });
    await expect(renderer.render(request)).rejects.toThrow('no models at all');
    await writeTinyModel(late);
    const [one] = await renderer.render(request);
    await writeTinyModel(late, {}, 0.2);
    const [two] = await renderer.render(request);
    expect(two!.picture).not.toEqual(one!.picture);
    expect(two!.recipe.digest).not.toBe(one!.recipe.digest);
    await renderer.dispose();
    await rm(late, { recursive: true });
  });
});
