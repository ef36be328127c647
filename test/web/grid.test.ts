import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ImageRequest } from '../../request.ts';
import { type Grid, placeOf, planGrid } from '../../web/grid.ts';
import type { Services } from '../../web/services.ts';
import { createFakeServices } from './fake-services.ts';

const { models } = createFakeServices();
const plan = (grid: Partial<Grid> & Pick<Grid, 'axes'>, given: Services['models'] = models) =>
  planGrid({ base: { seed: 7 }, ...grid }, given);
const axis = (name: string, ...values: (string | number)[]) => ({ name, values });
const stepsAndScale = ({ sampling }: ImageRequest) =>
  sampling.kind === 'diffusion' ? [sampling.steps, sampling.guidance?.scale] : [];

describe('placeOf', () => {
  test('counts with the last axis turning fastest, as nested loops do', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, (sizes) => {
        const axes = sizes.map((size) => ({ values: Array.from({ length: size }, String) }));
        let loops: number[][] = [[]];
        for (const size of sizes)
          loops = loops.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i]));
        expect(loops.map((_, cell) => placeOf(axes, cell))).toEqual(loops);
      }),
    );
  });
});

describe('planGrid', () => {
  test('makes every combination, the last axis turning fastest', async () => {
    const { requests, axes, cells, dropped } = await plan({
      base: { seed: 7, prompt: 'red hair', size: { width: 32 } },
      axes: [axis('steps', 4, 8), axis('guidance', '1', '2.5', '7')],
    });
    expect(requests.map(stepsAndScale)).toEqual([
      [4, 1],
      [4, 2.5],
      [4, 7],
      [8, 1],
      [8, 2.5],
      [8, 7],
    ]);
    for (const request of requests)
      expect(request).toMatchObject({
        seed: 7,
        size: { width: 32, height: 64 },
        condition: ['hair color=red'],
      });
    expect(axes).toEqual([axis('steps', '4', '8'), axis('guidance', '1', '2.5', '7')]);
    expect([cells, dropped]).toEqual([undefined, []]);
  });

  test('turns prompts, styles, seeds, sizes, solvers and extensions', async () => {
    const { requests } = await plan({
      axes: [
        axis('prompt', 'red hair', 'blue hair'),
        axis('style', 'avataaars', 'pixel art'),
        axis('seed', 1, 2),
        axis('size', '64', '64x96'),
        axis('solver', 'euler', 'ddim:eta=1'),
        axis('extension', 'none', 'yarn'),
      ],
    });
    expect(requests).toHaveLength(64);
    expect(requests.at(-1)).toMatchObject({
      condition: ['hair color=blue', 'style=pixel art'],
      seed: 2,
      size: { width: 64, height: 96 },
      position: { extend: 'yarn' },
      sampling: { solver: 'ddim', solverOptions: { eta: 1 } },
    });
  });

  test('takes other styles out of the condition, and the options of another solver', async () => {
    const { requests } = await plan({
      base: {
        seed: 1,
        condition: ['style=big smile', 'glasses=yes'],
        sampling: { solver: 'ddim', solverOptions: { eta: 1 }, guidance: { scale: 3, to: 0.5 } },
      },
      axes: [axis('style', 'avataaars'), axis('solver', 'heun'), axis('guidance', '4')],
    });
    expect(requests[0]).toMatchObject({ condition: ['glasses=yes', 'style=avataaars'] });
    expect(requests[0]!.sampling).toEqual({
      kind: 'diffusion',
      scheduleOptions: { shift: 1 },
      solver: 'heun',
      steps: 20,
      guidance: { scale: 4, to: 0.5 },
    });
  });

  test('draws one seed for all where none is given', async () => {
    const grid = { base: {}, axes: [axis('guidance', '1', '2', '3')] };
    const [one, two] = [await plan(grid), await plan(grid)];
    expect(new Set(one.requests.map(({ seed }) => seed)).size).toBe(1);
    expect(one.requests[0]!.seed).not.toBe(two.requests[0]!.seed); // once in 2^32 runs
  });

  test('leaves out what a model cannot do, says why, and keeps places', async () => {
    const { requests, cells, dropped } = await plan({
      axes: [
        axis('model', 'avatars', 'avatars-tokens'),
        axis('size', '64', '1024'),
        axis('solver', 'heun'),
      ],
    });
    expect(cells).toEqual([0]);
    expect(requests).toHaveLength(1);
    expect(dropped).toEqual([
      {
        row: 2,
        reason:
          "request: 'size.width': expected a multiple of the patch (4) from 4 to 512, got 1024",
      },
      { row: 3, reason: "solver: expected no solver for a model of tokens, got 'heun'" },
      { row: 4, reason: "solver: expected no solver for a model of tokens, got 'heun'" },
    ]);
  });

  test('leaves out what was asked before', async () => {
    const { cells, dropped } = await plan({
      axes: [axis('prompt', 'red hair', 'Red  hair', 'glasses')],
    });
    expect(cells).toEqual([0, 2]);
    expect(dropped).toEqual([{ row: 2, reason: 'the same request as combination 1' }]);
  });

  test.each<[Partial<Grid> & Pick<Grid, 'axes'>, string]>([
    [{ axes: [axis('sede', 1)] }, "grid: 'axes.0.name': the value: expected"],
    [{ axes: [axis('seed', 1), axis('Seed', 2)] }, "grid: 'axes.1.name': expected each axis once"],
    [
      { axes: [axis('seed', ...Array(101).keys()), axis('steps', ...Array(100).keys())] },
      "grid: 'axes': expected at most 10000 combinations, got 10100",
    ],
    [
      { axes: [axis('seed', 'x')] },
      "expected a combination that can be made, got none; seed: expected a whole number, got 'x'",
    ],
    [{ base: { model: 'avatar' }, axes: [axis('seed', 1)] }, 'did you mean'],
  ])('refuses %j', async (grid, message) => {
    await expect(plan(grid)).rejects.toThrow(message);
  });

  test('does not take a fault of ours for a combination that cannot be made', async () => {
    const broken = { ...models, check: () => Promise.reject(new Error('no card')) };
    await expect(plan({ axes: [axis('seed', 1)] }, broken)).rejects.toThrow('no card');
  });

  test('lets others have their turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await plan({ axes: [axis('seed', ...Array(1000).keys())] });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});
