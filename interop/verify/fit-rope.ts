/** FiT's rotary tables (whlzy/FiT): every way that its code extends them, of both axes or by axis. */
import { Type } from 'typebox';
import type { PositionConfig } from '../../encoders/positions/compose.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { AXIAL_PRESETS } from '../../encoders/positions/rotate/axial.ts';
import { checkSchema } from '../../schema.ts';
import type { Engine, HostTensor } from '../../tensor/program.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import { type Computed, largestDifference } from './compare.ts';
import { type Fixture, outputsOf, tensorOf } from './fixture.ts';
import { placementOf, withTables } from './rotary-tables.ts';

const Sides = Type.Tuple([Type.Integer(), Type.Integer()]);
const Config = Type.Object({
  head_dim: Type.Integer(),
  theta: Type.Number(),
  /** The side that was trained on. */
  ori: Type.Integer(),
  sizes: Type.Array(Sides),
});
type Sides = readonly [number, number];

/** Ours of each of its names, for both axes by the longer one, and (`decouple`) axis by axis. */
export function extensionOf(name: string, decouple: boolean): PositionConfig['extend'] {
  const axes = decouple ? 'own' : 'longer';
  const ntk = decouple ? 'vision-ntk' : 'ntk';
  const byName: Readonly<Record<string, NonNullable<PositionConfig['extend']>>> = {
    normal: [],
    linear: { method: 'interpolation', axes },
    'ntk-aware': ntk,
    'ntk-aware-pro1': [ntk, { method: 'attention-scale', law: 'fit-side' }],
    'ntk-aware-pro2': [ntk, { method: 'attention-scale', law: 'fit-area' }],
    'ntk-by-parts': { method: 'ntk-by-parts', axes },
    yarn: decouple ? 'vision-yarn' : 'yarn',
  };
  const found = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (found) return found;
  throw new RangeError(
    `custom_freqs: expected one of ${Object.keys(byName).join(', ')}, got '${name}'`,
  );
}

/** [x, y] rows of places -> [T, 2] pairs (y, x). */
export const placesOf = ({ data }: { data: ArrayLike<number> }): HostTensor => {
  const T = data.length / 2;
  const pairs = Array.from({ length: T }, (_, i) => [data[T + i]!, data[i]!]);
  return { data: Float32Array.from(pairs.flat()), shape: [T, 2] };
};

export async function fitRope(fixture: Fixture, engine: Engine): Promise<Record<string, Computed>> {
  const { head_dim, theta, ori, sizes } = checkSchema(Config, fixture.config, 'config');
  const tablesOf = (variant: string, [height, width]: Sides) => {
    const [, name, decouple] = /^(.*?)(_decouple)?$/.exec(variant)!;
    const tables = {
      rotate: { ...AXIAL_PRESETS.fit, base: theta },
      positions: { extend: extensionOf(name!, decouple !== undefined)! },
      headSize: head_dim,
      grid: raster(height, width),
      trained: raster(ori, ori),
      coordinates: placesOf(tensorOf(fixture, `in/grid_${height}x${width}`)),
    };
    return { tables, placement: placementOf(tables) };
  };
  /** Each angle twice, and times the root of the logits' factor, as queries and keys both have it. */
  const computeTables = (variant: string, size: Sides) => {
    const { tables, placement } = tablesOf(variant, size);
    const factor = Math.sqrt(placement.logitScale);
    return withTables(engine, tables, ({ cos, sin }) => {
      const twice = (table: Tensor) =>
        tf.stack([table, table], -1).reshape([-1, head_dim]).mul(factor);
      return { cos: twice(cos!), sin: twice(sin!) };
    });
  };
  const computed: Record<string, Computed> = {};
  for (const name of outputsOf(fixture)) {
    const [, variant, height, width] = /^([\w-]+)\/(\d+)x(\d+)\/cos$/.exec(name) ?? [];
    const online = /^online_([\w-]+)\/cos$/.exec(name)?.[1];
    const put = (outputs: Record<string, Computed>) => {
      for (const [key, values] of Object.entries(outputs))
        computed[name.replace(/cos$/, key)] = values;
    };
    if (variant !== undefined) {
      const size: Sides = [Number(height), Number(width)];
      put(await computeTables(variant, size));
      const { data } = tablesOf(variant, size).placement.frequencies;
      put({ freqs_h: data.slice(0, data.length / 2), freqs_w: data.slice(data.length / 2) });
    } else if (online !== undefined) {
      const rows = sizesOnline(fixture, sizes);
      const each = await Promise.all(rows.map((size) => computeTables(online, size)));
      const joined = (key: 'cos' | 'sin') => each.flatMap((row) => Array.from(row[key]!));
      put({ cos: joined('cos'), sin: joined('sin') });
    }
  }
  return computed;
}

/**
 * The sizes of the batch of the online tables, which the fixture does not name: those whose stored
 * table the published code made again, by interpolation axis by axis.
 */
function sizesOnline(fixture: Fixture, sizes: readonly Sides[]): Sides[] {
  const { data, shape } = tensorOf(fixture, 'out/online_linear_decouple/cos');
  const length = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, row) => {
    const own = data.subarray(row * length, (row + 1) * length);
    const off = ([height, width]: Sides) =>
      largestDifference(own, tensorOf(fixture, `out/linear_decouple/${height}x${width}/cos`).data);
    return sizes.reduce((best, size) => (off(size) < off(best) ? size : best));
  });
}
