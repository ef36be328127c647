/** RandAR (ziqipang/RandAR): its rotary table for a grid larger than trained. */
import { Type } from 'typebox';
import { raster } from '../../encoders/positions/grid.ts';
import { AXIAL_PRESETS } from '../../encoders/positions/rotate/axial.ts';
import { checkSchema } from '../../schema.ts';
import type { Engine } from '../../tensor/program.ts';
import { tf } from '../../tensor/tf.ts';
import type { Adapter } from './adapter.ts';
import type { Computed } from './compare.ts';
import type { Fixture } from './fixture.ts';
import { withTables } from './rotary-tables.ts';

const Config = Type.Object({
  /** Side, head size, times the trained side, and how many frequencies stay as trained. */
  tables: Type.Array(Type.Tuple([Type.Integer(), Type.Integer(), Type.Number(), Type.Integer()])),
  /** Condition tokens. */
  cls: Type.Integer(),
});

/** Cosines and sines, [prefix + T, d/2, 2]. */
async function extrapolation(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const config = checkSchema(Config, fixture.config, 'config');
  const computed: Record<string, Computed> = {};
  for (const [i, [side, headSize, factor, keep]] of config.tables.entries()) {
    const { table } = await withTables(
      engine,
      {
        rotate: AXIAL_PRESETS.randar,
        positions: { extend: { method: 'interpolation', keep, align: 'corners' } },
        headSize,
        grid: raster(side, side),
        trained: raster(side / factor, side / factor),
        prefix: config.cls,
      },
      ({ cos, sin }) => ({ table: tf.stack([cos!, sin!], -1) }),
    );
    computed[`${i}/table`] = table!;
  }
  return computed;
}

export const randar: Adapter = { rope_extrapolation: extrapolation };
