/** STAR (Davinci-XLab/STAR-T2I): rotary tables of a pyramid's scales and of rectangles. */
import { Type } from 'typebox';
import { raster } from '../../encoders/positions/grid.ts';
import { AXIAL_PRESETS } from '../../encoders/positions/rotate/axial.ts';
import { checkSchema } from '../../schema.ts';
import { rope } from '../../tensor/ops/rope.ts';
import type { Engine } from '../../tensor/program.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import { type Fixture, hostOf, outputsOf, shapeOf } from './fixture.ts';
import { withTables } from './rotary-tables.ts';

const Config = Type.Object({
  /** Of a head. */
  dim: Type.Integer(),
  theta: Type.Number(),
  /** The place of the last row and of the last column of every scale. */
  normalize: Type.Number(),
  patch_nums: Type.Array(Type.Integer()),
});

async function tables(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const { dim, theta, normalize, patch_nums } = checkSchema(Config, fixture.config, 'config');
  const rotate = { ...AXIAL_PRESETS.star, base: theta };
  const ends = { coordinates: { method: 'end-point', span: normalize } };
  const scales = patch_nums.map((side) => ({ height: side, width: side }));
  const given = { rotate, positions: ends, headSize: dim };
  const computed: Record<string, Computed> = await withTables(
    engine,
    { ...given, grid: { kind: 'pyramid', scales } },
    ({ cos, sin }) => ({ cos: cos!, sin: sin! }),
  );
  for (const name of outputsOf(fixture)) {
    // Columns first, as in the published call.
    const [, kind, width, height] = /^(rect|raw)_(\d+)x(\d+)_cos$/.exec(name) ?? [];
    if (kind === undefined) continue;
    const grid = raster(Number(height), Number(width));
    const { cos, sin } = await withTables(
      engine,
      { ...given, grid, positions: kind === 'raw' ? {} : ends },
      (both) => ({ cos: both.cos!, sin: both.sin! }),
    );
    computed[name] = cos!;
    computed[name.replace(/cos$/, 'sin')] = sin!;
  }
  const side = Math.sqrt(shapeOf(fixture, 'in/q')[2]!);
  const turned = await withTables(
    engine,
    { ...given, grid: raster(side, side) },
    ({ q, k, cos, sin }) => {
      const turn = (x: typeof q) =>
        rope(x!.transpose([0, 2, 1, 3]), cos!, sin!).transpose([0, 2, 1, 3]);
      return { q: turn(q), k: turn(k) };
    },
    { q: hostOf(fixture, 'in/q'), k: hostOf(fixture, 'in/k') }, // [B, h, T, d]
  );
  return { ...computed, ...turned };
}

export const star: Adapter = { rope: tables };
