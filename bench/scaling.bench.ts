/**
 * How forward time grows with tokens: one network from 8 x 8 to 64 x 64 of them, and the slope of log time against log
 * tokens. 1 is linear (products with weights), 2 is quadratic (attention); a slope that rises with the grid shows where
 * attention takes over. And what a new size costs once: compiling the model that ships, all of its blocks.
 */
import { fileURLToPath } from 'node:url';
import { composePositions } from '../encoders/positions/compose.ts';
import { raster } from '../encoders/positions/grid.ts';
import { compileDiT } from '../generators/compile.ts';
import { DIT_PRESETS, type DiTConfig } from '../generators/dit-config.ts';
import { initDiT } from '../generators/dit-weights.ts';
import { ditCard, gridOf, layoutOf, readModel } from '../generators/model.ts';
import { createEngine } from '../tensor/engine.ts';
import type { Engine } from '../tensor/program.ts';
import { createRng } from '../tensor/rng.ts';
import { time } from './machine.ts';

const GRIDS = [8, 12, 16, 24, 32, 48, 64];
/** The shipped network's width, in a quarter of its depth: all blocks cost the same. */
const DEPTH = 2;
const WORDS = 16;
const SHIPPED = fileURLToPath(new URL('../models/avatars-64', import.meta.url));
/** Sides in pixels that a new program is compiled for. */
const SIDES = [48, 64, 96, 128, 192, 256];
/** A guided picture. */
const ROWS = 2;

export async function benchScaling(say: (line: string) => void): Promise<void> {
  const config: DiTConfig = { ...DIT_PRESETS.avatars, depth: DEPTH, condition: { words: WORDS } };
  const { width, heads, patch, channels } = config;
  const positions = composePositions(
    { embed: 'sincos2d', rotate: { method: 'axial', base: 100 } },
    { width, heads, trained: raster(8, 8) },
  );
  const weights = initDiT(config, createRng(1));
  const engine = createEngine();
  const points: { tokens: number; best: number }[] = [];
  for (const side of GRIDS) {
    const start = performance.now();
    const options = { config, positions, weights, grid: raster(side, side), batch: 1 };
    const program = await compileDiT(engine, options);
    const compile = performance.now() - start;
    const shape = [1, side * patch, side * patch, channels];
    const inputs = {
      x: { data: createRng(2).normals(side * patch * side * patch * channels), shape },
      t: { data: Float32Array.of(0.5), shape: [1] },
      condition: { data: new Float32Array(WORDS), shape: [1, WORDS] },
    };
    const runs = side > 32 ? 3 : 10;
    const { best } = await time(() => program.run(inputs), { runs, warm: 1 });
    await program.dispose();
    points.push({ tokens: side * side, best });
    say(
      `${`${side} x ${side}`.padEnd(8)} ${String(side * side).padStart(5)} tokens: best ${best.toFixed(1)} ms, ${((1000 * best) / side ** 2).toFixed(1)} us a token, compile ${compile.toFixed(0)} ms`,
    );
  }
  const half = Math.floor(points.length / 2);
  say(
    `slope of log time against log tokens: ${slopeOf(points).toFixed(2)}; to ${GRIDS[half]} x ${GRIDS[half]} ${slopeOf(points.slice(0, half + 1)).toFixed(2)}, from there ${slopeOf(points.slice(half)).toFixed(2)}`,
  );
  await benchNewSizes(engine, say);
}

async function benchNewSizes(engine: Engine, say: (line: string) => void): Promise<void> {
  const { card, weights } = await readModel(SHIPPED);
  const { config } = ditCard(card);
  const { positions } = layoutOf(card);
  for (const side of SIDES) {
    const grid = gridOf(config, { height: side, width: side });
    const start = performance.now();
    const program = await compileDiT(engine, { config, positions, weights, grid, batch: ROWS });
    const taken = performance.now() - start;
    await program.dispose();
    say(
      `the shipped model at ${side} px, all ${config.depth} blocks: compile ${taken.toFixed(0)} ms`,
    );
  }
}

/** Least squares on the logarithms. */
export function slopeOf(points: readonly { tokens: number; best: number }[]): number {
  const logs = points.map(({ tokens, best }) => [Math.log(tokens), Math.log(best)] as const);
  const mean = (axis: 0 | 1) => logs.reduce((sum, point) => sum + point[axis], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const along = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return along / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}
