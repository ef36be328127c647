/** The compiled programs of one model, by grid, extension and batch; compiled when first needed, then kept. */
import { changePositions, type PositionChange } from '../encoders/positions/choose.ts';
import type { PositionConfig, Positions } from '../encoders/positions/compose.ts';
import type { MicroSize } from '../encoders/positions/contract.ts';
import { cellsOf, extentOf, type Grid } from '../encoders/positions/grid.ts';
import {
  type CompileDiT,
  compileDiT,
  microInputs,
  placementInputs,
} from '../generators/compile.ts';
import { compileFiT } from '../generators/compile-fit.ts';
import type { DiTConfig } from '../generators/dit-config.ts';
import type { FiTConfig } from '../generators/fit-config.ts';
import { layoutOf, type Model, type ModelCard } from '../generators/model.ts';
import type { Predicted } from '../sampling/diffusion/network.ts';
import type { Engine, HostTensor, HostTensors, Program } from '../tensor/program.ts';

/** What a program is compiled for, besides its batch. */
export type Setting = PositionChange & { readonly grid: Grid };
export type Rows = {
  /** rows * H * W * C */
  readonly x: Float32Array;
  readonly t: readonly number[];
  /** [rows] or [rows, V] */
  readonly condition: HostTensor;
  /** Where all of these pictures come from, for a network that is told. Default: nothing is said. */
  readonly micro?: MicroSize;
};
export type Programs = ReturnType<typeof createPrograms>;

/** Tokens of one call: enough to keep the cores busy, few enough to stay far below 700 MB. */
const TOKENS = 2048;
const MOST_ROWS = 32;
/** Each program holds its own copy of the weights; the least recently used goes first. */
const KEPT = 3;

export function createPrograms(engine: Engine, model: Model, mostRows?: number) {
  const { config } = model.card;
  const kept = new Map<string, Promise<Program>>();
  const layouts = new Map<string, Positions>();

  const positionsOf = ({ extend, coordinates }: Setting): Positions => {
    const key = JSON.stringify({ extend, coordinates });
    const { card } = model;
    const changed = changePositions(card.positions as PositionConfig, { extend, coordinates });
    const positions =
      layouts.get(key) ?? layoutOf({ ...card, positions: changed }, model.registry).positions;
    layouts.set(key, positions);
    return positions;
  };

  const programFor = async (setting: Setting, batch: number): Promise<Program> => {
    const key = JSON.stringify([setting, batch]);
    const positions = positionsOf(setting);
    const { weights } = model;
    const program =
      kept.get(key) ??
      compileNetwork(engine, model.card, { positions, weights, grid: setting.grid, batch });
    kept.delete(key); // the end of the map is what was used last
    kept.set(key, program);
    for (const [oldest, other] of [...kept].slice(0, Math.max(0, kept.size - KEPT))) {
      kept.delete(oldest);
      await (await other).dispose();
    }
    return program;
  };

  const limit = ({ grid }: Setting): number =>
    mostRows ??
    Math.max(2, Math.min(MOST_ROWS, 2 ** Math.floor(Math.log2(TOKENS / cellsOf(grid).length))));

  return {
    /** Most rows of one call: what a caller does well to ask for at a time. */
    limit,
    /** The factor of the sampling's time shift that the extensions ask for. */
    timeShift: (setting: Setting): number => positionsOf(setting).timeShift(setting.grid),
    /** What the network says, row by row; calls are padded to a power of two, so that few programs do. */
    async predict(setting: Setting, rows: Rows): Promise<Predicted> {
      const positions = positionsOf(setting);
      const said = {
        prediction: new Float32Array(rows.x.length),
        ...(config.variance ? { variance: new Float32Array(rows.x.length) } : {}),
      };
      const length = rows.x.length / rows.t.length;
      const most = limit(setting);
      for (let first = 0; first < rows.t.length; ) {
        const last = endOfCall(rows.t, first, most, positions.timed);
        const batch = Math.min(most, 2 ** Math.ceil(Math.log2(last - first)));
        const program = await programFor(setting, batch);
        const outputs = await program.run({
          ...padded(cut(rows, first, last), batch, config, setting.grid),
          ...('micro' in config ? microInputs(config, batch, rows.micro) : {}),
          ...placementInputs(positions, setting.grid, rows.t[first]!),
        });
        for (const [name, values] of Object.entries(said)) {
          const own = outputs[name]!.data as Float32Array;
          values.set(own.subarray(0, (last - first) * length), first * length);
        }
        first = last;
      }
      return said;
    },
    async dispose(): Promise<void> {
      const programs = [...kept.values()];
      kept.clear();
      for (const program of programs) await (await program).dispose();
    },
  };
}

function compileNetwork(
  engine: Engine,
  { architecture, config }: ModelCard,
  what: Omit<CompileDiT, 'config'>,
): Promise<Program> {
  return architecture === 'dit'
    ? compileDiT(engine, { ...what, config: config as DiTConfig })
    : compileFiT(engine, { ...what, config: config as FiTConfig });
}

/** Frequencies that depend on t are one for a whole call, so its rows must share their t. */
function endOfCall(t: readonly number[], first: number, most: number, timed: boolean): number {
  const last = Math.min(t.length, first + most);
  if (!timed) return last;
  const other = t.findIndex((value, i) => i > first && value !== t[first]);
  return other < 0 ? last : Math.min(last, other);
}

function cut({ x, t, condition }: Rows, first: number, last: number): Rows {
  const length = x.length / t.length;
  const width = condition.data.length / t.length;
  return {
    x: x.subarray(first * length, last * length),
    t: t.slice(first, last),
    condition: {
      data: condition.data.subarray(first * width, last * width),
      shape: [last - first, ...condition.shape.slice(1)],
    },
  };
}

function padded(
  { x, t, condition }: Rows,
  batch: number,
  { patch, channels }: Pick<DiTConfig, 'patch' | 'channels'>,
  grid: Grid,
): HostTensors {
  const { height, width } = extentOf(grid);
  const all = <Data extends Float32Array | Int32Array>(data: Data, from: ArrayLike<number>) => {
    data.set(from);
    return data;
  };
  const size = batch * (condition.data.length / t.length);
  const Words = condition.data instanceof Int32Array ? Int32Array : Float32Array;
  return {
    x: {
      data: all(new Float32Array((batch * x.length) / t.length), x),
      shape: [batch, height * patch, width * patch, channels],
    },
    t: { data: all(new Float32Array(batch), t), shape: [batch] },
    condition: {
      data: all(new Words(size), condition.data),
      shape: [batch, ...condition.shape.slice(1)],
    },
  };
}
