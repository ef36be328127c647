import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { DIT_PRESETS, type DiTConfig } from '../../generators/dit-config.ts';
import { createRng } from '../../tensor/rng.ts';
import { readConfigFile, type TrainingConfig } from '../../training/config.ts';
import { type PackedTraining, readDiffusionTraining } from '../../training/packed-config.ts';
import { createPackedNetwork, packedViews } from '../../training/packed-network.ts';
import { viewsOf } from '../../training/views.ts';

const FOLDER = 'training/configs';
const names = (await readdir(FOLDER, { recursive: true })).filter((name) => name.endsWith('.json'));
const diffusion: string[] = [];
const packed: string[] = [];
for (const name of names) {
  const text = JSON.stringify(await readConfigFile(join(FOLDER, name)));
  if (text.includes('"packed"')) packed.push(name);
  else if (text.includes('"objective"')) diffusion.push(name);
}

describe('configurations that ship', () => {
  test('are some', () => expect(diffusion.length).toBeGreaterThan(10));

  test.each(diffusion)(
    '%s is valid; its positions go together and its views can be had',
    async (name) => {
      const config = await readDiffusionTraining(join(FOLDER, name));
      const { width, heads, depth, patch }: DiTConfig =
        DIT_PRESETS[config.model.preset as keyof typeof DIT_PRESETS];
      const side = config.data.size / patch;
      const shape = { width, heads, depth, trained: raster(side, side) };
      const positions = composePositions(config.model.positions as PositionConfig, shape);
      expect(positions.place(raster(side, side), 'sample').coordinates.shape).toEqual([
        side ** 2,
        2,
      ]);
      expect(viewsOf(config, patch).length).toBeGreaterThan(0);
    },
  );

  test.each(packed)('%s is valid, and its views have room in a row', async (name) => {
    const config = (await readDiffusionTraining(join(FOLDER, name))) as PackedTraining;
    const network = createPackedNetwork(config, 3, createRng(1));
    expect(packedViews(config, network.config).length).toBeGreaterThan(0);
  });

  test('the arms of the comparison differ in positions alone', async () => {
    const arms = diffusion.filter((name) => dirname(name) === 'resolution');
    expect(arms.length).toBeGreaterThan(10);
    const read = (name: string) => readDiffusionTraining(join(FOLDER, name));
    const base = await read('resolution/base.json');
    const long = await read('resolution/rope.json');
    const common = ({
      name: _n,
      title: _l,
      seed: _s,
      steps: _t,
      model,
      ...rest
    }: TrainingConfig) => ({
      ...rest,
      model: { ...model, positions: {} },
    });
    for (const name of arms) {
      const arm = await read(name);
      expect(common(arm)).toEqual(common(base));
      const isLong = /\/(rpe2d-)?rope(-seed-\d)?\.json$/.test(name);
      expect(arm.steps).toBe((isLong ? long : base).steps);
    }
  });

  test.each([
    ['stages', '', ['views']],
    ['second', '', ['views', 'steps', 'sampling']],
    ['ablations', '-short', ['views', 'model', 'drop', 'sampling']],
  ])('those of resolution/%s differ from their arm in one thing', async (kind, arm, may) => {
    const all = diffusion.filter((name) => dirname(name) === `resolution/${kind}`);
    expect(all.length).toBeGreaterThan(1);
    for (const name of all) {
      const of = basename(name).startsWith('rpe2d') ? 'rpe2d-rope' : 'rope';
      const own = await readDiffusionTraining(join(FOLDER, name));
      const whole = await readDiffusionTraining(join(FOLDER, `resolution/${of}${arm}.json`));
      const changed = Object.keys(own).filter(
        (key) => JSON.stringify(own[key as 'views']) !== JSON.stringify(whole[key as 'views']),
      );
      expect(changed).toContain('name');
      expect(may).toEqual(expect.arrayContaining(changed.filter((key) => key !== 'name')));
      expect({ ...own.model, positions: {} }).toEqual({ ...whole.model, positions: {} });
      expect(own.model.positions.rotate).toEqual(whole.model.positions.rotate);
    }
  });

  test('each run has a name of its own', async () => {
    const runs = await Promise.all(
      [...diffusion, ...packed].map((name) => readConfigFile(join(FOLDER, name))),
    );
    const own = runs.map((run) => (run as { name: string }).name);
    expect(new Set(own).size).toBe(own.length);
  });
});

test('a configuration may extend another: objects are joined, all else replaced', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-extends-'));
  const write = (name: string, value: unknown) =>
    writeFile(join(folder, name), JSON.stringify(value));
  await write('a.json', { name: 'a', model: { preset: 'p', config: { x: 1 } }, list: [1, 2] });
  await write('b.json', { extends: 'a.json', name: 'b', model: { config: { y: 2 } }, list: [3] });
  await write('c.json', { extends: 'b.json', name: 'c' });
  expect(await readConfigFile(join(folder, 'c.json'))).toEqual({
    name: 'c',
    model: { preset: 'p', config: { x: 1, y: 2 } },
    list: [3],
  });
  await write('d.json', { extends: 'none.json' });
  await expect(readConfigFile(join(folder, 'd.json'))).rejects.toThrow(/none\.json/);
  await rm(folder, { recursive: true });
});
