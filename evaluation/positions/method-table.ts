/**
 * Every position method of a registry as it comes: stable rank and distance preservation of what it gives the tokens of a
 * grid, before anything is learned. Ours: an embedding's table is what it adds to tokens; a rotation's is what it makes of
 * a vector of ones (so that products of two rows are its kernel); a bias stands for the products themselves.
 * What a bias leaves alone in the first block of a network is looked for in the second (causal).
 * Coordinates and extensions are shown through axial RoPE, extensions on a grid half as large again. Learned weights
 * that start at zero are drawn at random, or there would be nothing to see. What an embedding adds because of the tokens
 * around (PEG) is no table; its pattern from padding is given instead.
 */
import { composePositions, type PositionConfig } from '../../encoders/positions/compose.ts';
import { type Grid, raster } from '../../encoders/positions/grid.ts';
import type { Registry } from '../../encoders/positions/registry.ts';
import { placedConstants } from '../../generators/compile.ts';
import type { Engine, HostTensor, HostTensors } from '../../tensor/program.ts';
import { createRng } from '../../tensor/rng.ts';
import { type Rows, rowsOf } from '../../tensor/rows.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import {
  distancePreservation,
  type EncodingQuality,
  encodingQuality,
  stableRank,
} from './encodings.ts';
import { type PaddingPattern, paddingPattern } from './padding.ts';
import { placesOf } from './places.ts';

export type MethodRow = {
  readonly hook: keyof Registry;
  readonly name: string;
  readonly quality?: EncodingQuality;
  readonly padding?: PaddingPattern;
  /** Why there are no numbers. */
  readonly note?: string;
};
export type MethodTableOptions = {
  readonly engine: Engine;
  readonly registry: Registry;
  /** Rows and columns that methods are made for. */
  readonly side?: number;
  readonly width?: number;
  readonly heads?: number;
};

type Setting = Required<MethodTableOptions>;
/** Blocks of a network that has every kind: some methods leave every second one alone. */
const DEPTH = 2;
/** Cells beyond which PEG's convolution does not reach. */
const MARGIN = 4;

export async function tableOfMethods(options: MethodTableOptions): Promise<MethodRow[]> {
  const setting = { side: 8, width: 128, heads: 2, ...options };
  const rows: MethodRow[] = [];
  for (const hook of Object.keys(setting.registry) as (keyof Registry)[])
    for (const { name } of setting.registry[hook]) {
      const found = await measure(setting, hook, name).catch((error: Error) => ({
        note: error.message,
      }));
      rows.push({ hook, name, ...found });
    }
  return rows;
}

function measure(
  setting: Setting,
  hook: keyof Registry,
  name: string,
): Promise<Pick<MethodRow, 'quality' | 'padding' | 'note'>> {
  const { side } = setting;
  const axial = { method: 'axial', base: 100 } as PositionConfig['rotate'] & object;
  if (hook === 'embed') return ofEmbedding(setting, name);
  if (hook === 'bias' || hook === 'score') return ofLogits(setting, { [hook]: name });
  if (hook === 'rotate') return ofRotation(setting, { rotate: name }, side);
  if (hook === 'coordinates')
    return ofRotation(setting, { rotate: axial, coordinates: name }, side);
  return ofRotation(setting, { rotate: axial, extend: name }, Math.round(1.5 * side));
}

type Positions = ReturnType<typeof composePositions>;
type Traced = (
  positions: Positions,
  given: {
    x: Tensor;
    weights: Record<string, Tensor>;
    grid: Grid;
    placed: ReturnType<typeof placedConstants>;
  },
) => Tensor;

/** What `body` makes of tokens x [1, T, C] on a raster. */
async function run(
  { engine, registry, side, width, heads }: Setting,
  config: PositionConfig,
  { height, across, x }: { height: number; across: number; x: Float32Array },
  body: Traced,
): Promise<HostTensor> {
  const shape = { width, heads, trained: raster(side, side), depth: DEPTH };
  const positions = composePositions(config, shape, registry);
  const grid = raster(height, across);
  const placement = positions.place(grid, 'sample', { rng: createRng(0), t: 1 });
  const given = [1, height * across, width];
  const program = await engine.compile(
    ({ inputs, weights }) => {
      const placed = placedConstants(placement);
      return { outputs: { y: body(positions, { x: inputs.x!, weights, grid, placed }).mul(1) } };
    },
    { inputs: { x: { shape: given } }, weights: drawnWeights(positions.init(createRng(1))) },
    { name: 'position method' },
  );
  const { y } = await program.run({ x: { data: x, shape: given } });
  await program.dispose();
  return y!;
}

function drawnWeights(weights: HostTensors): HostTensors {
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensor]): [string, HostTensor] => {
      if (!(tensor.data instanceof Float32Array) || tensor.data.some((v) => v !== 0))
        return [name, tensor];
      const drawn = createRng(2).stream(name).normals(tensor.data.length);
      return [name, { data: drawn.map((z) => 0.1 * z), shape: tensor.shape }];
    }),
  );
}

const whereOf = ({ side, width, heads }: Setting, grid: Grid, layer = 0) => ({
  ...{ grid, trained: raster(side, side), layer, heads },
  ...{ headSize: width / heads, prefix: 0 },
});

async function ofEmbedding(setting: Setting, name: string) {
  const { side, width, registry } = setting;
  const { after } = registry.embed.find((method) => method.name === name)!;
  const added: Traced = (positions, { x, weights, grid, placed }) =>
    positions.embed(weights, x, placed, whereOf(setting, grid), after).sub(x);
  const on = (height: number, across: number, x: Float32Array) =>
    run(setting, { embed: name }, { height, across, x }, added);
  const tokens = (i: number, n: number) =>
    createRng(i)
      .stream('tokens')
      .normals(n * width);
  const [one, other] = [
    await on(side, side, tokens(1, side * side)),
    await on(side, side, tokens(2, side * side)),
  ];
  const data = one.data as Float32Array;
  // Float32 leaves a rounding of the tokens, which are about 1, in the difference.
  const same = data.every((value, i) => Math.abs(value - other.data[i]!) < 1e-5);
  if (same) return { quality: encodingQuality(rowsOf(data, width), placesOf(side, side)) };
  const large = (side + 2 * MARGIN) ** 2;
  const padding = await paddingPattern(
    async (x, { height, width: across, channels }) => ({
      data: (await on(height, across, x)).data,
      channels,
    }),
    { height: side, width: side, channels: width },
    { margin: MARGIN, inputs: [1, 2, 3, 4].map((i) => tokens(i, large)) },
  );
  return { padding, note: 'depends on the tokens around' };
}

async function ofRotation(setting: Setting, config: PositionConfig, side: number) {
  const { width, heads } = setting;
  const T = side * side;
  const turned: Traced = (positions, { x, weights, grid, placed }) => {
    const ones = tf.ones([1, T, heads, width / heads]);
    return positions.rotate(
      weights,
      { q: ones, k: ones, v: ones, x },
      placed,
      whereOf(setting, grid),
    ).q;
  };
  const zeros = new Float32Array(T * width);
  const { data } = await run(setting, config, { height: side, across: side, x: zeros }, turned);
  return { quality: encodingQuality(rowsOf(data, data.length / T), placesOf(side, side)) };
}

async function ofLogits(setting: Setting, config: PositionConfig) {
  const { side, width, heads } = setting;
  const T = side * side;
  const logits: Traced = (positions, { x, weights, grid, placed }) => {
    const ones = tf.ones([1, T, heads, width / heads]);
    for (let layer = 0; layer < DEPTH; layer++) {
      const where = whereOf(setting, grid, layer);
      const made = positions.score(weights, { q: ones, k: ones, x }, placed, where);
      const { bias } = positions.bias(weights, { q: ones, k: ones, x, heads }, placed, where);
      const found = made ?? bias;
      if (found) return found;
    }
    return tf.zeros([1, T, T]);
  };
  const zeros = new Float32Array(T * width);
  const { data } = await run(setting, config, { height: side, across: side, x: zeros }, logits);
  const products = meanOf(data, T);
  if (products.data.every((value) => value === 0)) return { note: 'scales logits only' };
  const distance = distancePreservation(products, placesOf(side, side));
  return { quality: { stableRank: stableRank(products), distancePreservation: distance } };
}

/** [.., T, T] -> the mean over what comes first; hidden entries (-1e9) count as -30, which softmax makes nothing of. */
function meanOf(data: ArrayLike<number>, T: number): Rows {
  const mean = new Float64Array(T * T);
  for (let i = 0; i < data.length; i++)
    mean[i % mean.length]! += (Math.max(data[i]!, -30) * mean.length) / data.length;
  return { data: mean, count: T, width: T };
}
