import { expect, test } from 'vitest';
import { composePositions } from '../../encoders/positions/compose.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { compileDiT } from '../../generators/compile.ts';
import { DIT_PRESETS, type DiTConfig } from '../../generators/dit-config.ts';
import { initDiT } from '../../generators/dit-weights.ts';
import { createEngine } from '../../tensor/engine.ts';
import type { HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { expectClose } from '../close.ts';

const plain: DiTConfig = {
  ...DIT_PRESETS.avatars,
  patch: 4,
  width: 16,
  depth: 1,
  heads: 2,
  hidden: 24,
  condition: { words: 3 },
};
const refined: DiTConfig = { ...plain, refiner: { channels: 5 } };
const grid = raster(2, 3);
const positions = composePositions({}, { width: 16, heads: 2, trained: grid });

async function predict(
  config: DiTConfig,
  weights: HostTensors,
  name: 'onnx' | 'reference' = 'onnx',
) {
  const program = await compileDiT(createEngine({ name, threads: 1 }), {
    config,
    positions,
    weights,
    grid,
    batch: 2,
  });
  const rng = createRng(3);
  const { prediction } = await program.run({
    x: { data: rng.normals(2 * 8 * 12 * 3), shape: [2, 8, 12, 3] },
    t: { data: Float32Array.of(0.2, 0.9), shape: [2] },
    condition: { data: Float32Array.of(1, 0, 0, 0, 1, 1), shape: [2, 3] },
  });
  await program.dispose();
  return prediction!.data as Float32Array;
}

/** New weights with their zeros filled, so that predictions are not zero. */
function stirred(config: DiTConfig, keep: RegExp): HostTensors {
  const rng = createRng(1);
  return Object.fromEntries(
    Object.entries(initDiT(config, rng)).map(([name, { data, shape }]) => {
      const draw = rng.stream(`stir/${name}`);
      const stir = (value: number) => value + 0.1 * draw.normal();
      return [name, { data: keep.test(name) ? data : (data as Float32Array).map(stir), shape }];
    }),
  );
}

test('a new refiner changes nothing', async () => {
  const weights = stirred(refined, /^refiner/);
  const bare = Object.fromEntries(
    Object.entries(weights).filter(([name]) => !name.startsWith('refiner')),
  );
  expect(await predict(refined, weights)).toEqual(await predict(plain, bare));
});

test('a trained one changes pictures, on onnx as on the reference', async () => {
  const weights = stirred(refined, /^$/);
  const bare = Object.fromEntries(
    Object.entries(weights).filter(([name]) => !name.startsWith('refiner')),
  );
  const [mended, before] = [await predict(refined, weights), await predict(plain, bare)];
  expect(Math.max(...mended.map((value, i) => Math.abs(value - before[i]!)))).toBeGreaterThan(0.01);
  expectClose(mended, await predict(refined, weights, 'reference'), { rtol: 1e-4, atol: 1e-5 });
});
