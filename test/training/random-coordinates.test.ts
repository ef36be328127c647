import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { composePositions } from '../../encoders/positions/compose.ts';
import type { CoordinatesMethod } from '../../encoders/positions/contract.ts';
import { raw } from '../../encoders/positions/coordinates/raw.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { POSITION_METHODS, withMethods } from '../../encoders/positions/registry.ts';
import { createEngine } from '../../tensor/engine.ts';
import { createRng, type Rng } from '../../tensor/rng.ts';
import { createBatches } from '../../training/batches.ts';
import type { StepProgress } from '../../training/loop.ts';
import { createNetwork } from '../../training/network.ts';
import { train } from '../../training/run.ts';
import { shapes, tinyConfig } from './tiny.ts';

const config = tinyConfig({ steps: 1 });
const grid = raster(4, 4);
const positions = composePositions(
  { coordinates: 'pose', rotate: 'axial' },
  { width: 32, heads: 2, trained: grid },
);
const coordinates = (rng: Rng) => positions.place(grid, 'train', { rng }).coordinates;
const batches = (options: object) =>
  createBatches(shapes(40), createRng(1), { ...config, ...options });

test('every picture of a batch has coordinates of its own, the same whenever the step is asked for', () => {
  const make = batches({ coordinates });
  const { coordinates: drawn } = make(3);
  expect(drawn?.shape).toEqual([8, 16, 2]);
  const rows = Array.from({ length: 8 }, (_, i) => drawn!.data.slice(32 * i, 32 * (i + 1)).join());
  expect(new Set(rows).size).toBeGreaterThan(3);
  expect(make(4).coordinates).not.toEqual(drawn);
  expect(batches({ coordinates })(3).coordinates).toEqual(drawn);
});

test('nothing else is drawn differently for it', () => {
  const { coordinates: _, ...rest } = batches({ coordinates })(2);
  expect(rest).toEqual(batches({})(2));
});

/** Says that it is random and draws plain indices. */
const still: CoordinatesMethod = { ...raw, name: 'still', random: true };
/** Draws indices far from those of any picture. */
const wild: CoordinatesMethod = {
  ...raw,
  name: 'wild',
  random: true,
  coordinates: (args) =>
    args.mode === 'sample' || !args.rng
      ? raw.coordinates(args)
      : raw.coordinates(args).map((value) => value * (2 + args.rng!.integer(9))),
};

/** Initial weights hide the blocks behind zeros, so small numbers are added. */
const init = Object.fromEntries(
  Object.entries(createNetwork(config, shapes(1), createRng(1)).weights).map(
    ([name, { data, shape }]) => {
      const noise = createRng(2).stream(name).normals(data.length);
      return [name, { data: Float32Array.from(data, (v, i) => v + 0.1 * noise[i]!), shape }];
    },
  ),
);

test('the network is trained on the coordinates that were drawn', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-random-'));
  const losses = async (method: string) => {
    const seen: StepProgress[] = [];
    const { update } = await train(
      tinyConfig({
        steps: 1,
        model: { ...config.model, positions: { coordinates: method, rotate: 'axial' } },
        sampling: { ...config.sampling, steps: 1 },
      }),
      {
        engine: createEngine({ threads: 1 }),
        data: shapes(40),
        heldOut: shapes(8, 9),
        folder: join(folder, method),
        init,
        registry: withMethods(POSITION_METHODS, still, wild),
        onStep: (progress) => seen.push(progress),
      },
    );
    await update.dispose();
    return seen.map(({ loss, norm, heldOutLoss }) => [loss, norm, heldOutLoss]);
  };
  try {
    const plain = await losses('raw');
    // Tables are computed in the graph in place of folded into it: the last bits may differ.
    for (const [i, row] of (await losses('still')).entries())
      for (const [j, value] of row.entries())
        if (value !== undefined) expect(Math.abs(value - plain[i]![j]!)).toBeLessThan(1e-5 * value);
    const [loss, before] = [(await losses('wild'))[0]![0]!, plain[0]![0]!];
    expect(Math.abs(loss - before)).toBeGreaterThan(1e-3 * before);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
