/** timm's rotary tables [sines | cosines], vectors turned by them, and its sine-cosine embeddings. */
import { Type } from 'typebox';
import { raw } from '../../encoders/positions/coordinates/raw.ts';
import { sincos2d } from '../../encoders/positions/embed/sincos2d.ts';
import { raster } from '../../encoders/positions/grid.ts';
import { axial, axialTables } from '../../encoders/positions/rotate/axial.ts';
import { checkSchema } from '../../schema.ts';
import { rope } from '../../tensor/ops/rope.ts';
import type { Engine, HostTensors } from '../../tensor/program.ts';
import { type Tensor, type Tensors, tf } from '../../tensor/tf.ts';
import type { Computed } from './compare.ts';
import { type Fixture, hostOf, outputsOf } from './fixture.ts';
import { evaluate } from './gradients.ts';

const Sides = Type.Tuple([Type.Integer(), Type.Integer()]);
const Config = Type.Object({
  /** Of a head. */
  dim: Type.Integer(),
  /** Rows and columns, and those that positions are scaled to. */
  shape: Sides,
  ref: Sides,
});
type Sides = readonly [number, number];

/** A variant: places (y, x) of tokens, the angular frequencies of an axis, and how pairs lie in a head. */
type Variant = {
  readonly places: readonly (readonly [number, number])[];
  readonly frequencies: readonly number[];
  readonly first: 'y' | 'x';
  /** Pairs are half a head apart instead of side by side. */
  readonly halves: boolean;
};

/** `max_res` of the variants in pixels: timm's default, and what the fixture's linear bands were made with. */
const LARGEST = { log: 224, linear: 64 };

const linspace = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) =>
    count === 1 ? from : from + (i * (to - from)) / (count - 1),
  );

/** Places of a grid's tokens by their indices along each axis. */
function placesOf(
  [height, width]: Sides,
  at: (index: number, side: number, axis: 0 | 1) => number,
) {
  const grid = raster(height, width);
  const indices = raw.coordinates({ grid, trained: grid, mode: 'sample', options: {} });
  return Array.from({ length: height * width }, (_, i): [number, number] => [
    at(indices[2 * i]!, height, 0),
    at(indices[2 * i + 1]!, width, 1),
  ]);
}

/** By its name, such as 'lang_half' or 'pixel_linear'. */
function variantOf(name: string, dim: number, shape: Sides, ref: Sides): Variant {
  const bands = dim / 4;
  const base = Number(/_t(\d+)$/.exec(name)?.[1] ?? 10000);
  const turning = (from: number) => axial.frequencies!(dim, { base: from }).y;
  if (name === 'dinov3') {
    // Rounded to float32 at each step, as timm does on both sides of the fixture.
    const places = placesOf(shape, (i, side) => Math.fround(2 * Math.fround((i + 0.5) / side) - 1));
    const frequencies = turning(100).map((frequency) => 2 * Math.PI * frequency);
    return { places, frequencies, first: 'y', halves: true };
  }
  if (name.startsWith('pixel')) {
    const places = placesOf(shape, (i, side) => linspace(-1, 1, side)[i]!);
    const cycles = name.endsWith('linear')
      ? linspace(1, LARGEST.linear / 2, bands)
      : linspace(0, Math.log2(LARGEST.log) - 1, bands).map((power) => 2 ** power);
    const frequencies = cycles.map((cycle) => Math.PI * cycle);
    return { places, frequencies, first: 'y', halves: false };
  }
  const offset = Number(/_offset(\d+)$/.exec(name)?.[1] ?? 0);
  const scale = (side: number, axis: 0 | 1) => (name.endsWith('_ref') ? ref[axis] / side : 1);
  return {
    places: placesOf(shape, (i, side, axis) => (i + offset) * scale(side, axis)),
    frequencies: turning(base),
    first: name.endsWith('_xy') ? 'x' : 'y',
    halves: name.endsWith('_half'),
  };
}

export async function timmRope(
  fixture: Fixture,
  engine: Engine,
): Promise<Record<string, Computed>> {
  const { dim, shape, ref } = checkSchema(Config, fixture.config, 'config');
  const names = outputsOf(fixture);
  const computed: Record<string, Computed> = {};
  for (const name of new Set(names.map((output) => output.split('/')[0]!))) {
    if (!/^(lang|pixel|pair|dinov3)/.test(name)) continue;
    const variant = variantOf(name, dim, shape, ref);
    const outputs = await turned(fixture, engine, variant);
    for (const [output, values] of Object.entries(outputs)) computed[`${name}/${output}`] = values;
  }
  for (const name of names) {
    const [, reversed, interleaved] = /^sincos2d_rev([01])_int([01])$/.exec(name) ?? [];
    if (interleaved === undefined) continue;
    const options = { dim, shape, reversed: reversed === '1', interleaved: interleaved === '1' };
    computed[name] = await embedded(engine, options);
  }
  return computed;
}

/** 'sin' and 'cos' [T, d], each angle twice; both side by side as 'emb'; q turned as 'rot'. */
function turned(
  fixture: Fixture,
  engine: Engine,
  { places, frequencies, first, halves }: Variant,
): Promise<Record<string, Computed>> {
  const inputs: HostTensors = {
    q: hostOf(fixture, 'in/q'),
    coordinates: { data: Float32Array.from(places.flat()), shape: [places.length, 2] },
    frequencies: {
      data: Float32Array.from([...frequencies, ...frequencies]),
      shape: [2, frequencies.length],
    },
  };
  const options = { base: 10000, first, layout: 'halves', prefix: 'identity' };
  const fn = ({ inputs: given }: { inputs: Tensors }) => {
    const { cos, sin } = axialTables(given.coordinates!, given.frequencies!, 0, options);
    const twice = (table: Tensor) =>
      halves
        ? tf.concat([table, table], -1)
        : tf.stack([table, table], -1).reshape([places.length, -1]);
    const q = given.q!.transpose([0, 2, 1, 3]); // [B, T, h, d]
    const rotated = halves ? apart(rope(beside(q), cos, sin)) : rope(q, cos, sin);
    return {
      outputs: {
        sin: twice(sin),
        cos: twice(cos),
        emb: tf.concat([twice(sin), twice(cos)], -1),
        rot: rotated.transpose([0, 2, 1, 3]),
      },
    };
  };
  return evaluate(fn, { engine, inputs });
}

/** Pairs that are half a head apart, brought side by side, and back. */
const beside = (x: Tensor): Tensor => paired(x, [2, x.shape[3]! / 2]);
const apart = (x: Tensor): Tensor => paired(x, [x.shape[3]! / 2, 2]);
const paired = (x: Tensor, sides: [number, number]): Tensor =>
  x
    .reshape([...x.shape.slice(0, 3), ...sides])
    .transpose([0, 1, 2, 4, 3])
    .reshape(x.shape);

type Embedding = {
  readonly dim: number;
  readonly shape: Sides;
  readonly reversed: boolean;
  readonly interleaved: boolean;
};

/** Our table has the column's sines and cosines, then the row's: timm orders the four parts otherwise. */
async function embedded(
  engine: Engine,
  { dim, shape: [height, width], reversed, interleaved }: Embedding,
): Promise<Computed> {
  const sides: Sides = reversed ? [width, height] : [height, width];
  const places = placesOf(sides, (i) => i);
  const T = places.length;
  const grid = raster(...sides);
  const where = { grid, trained: grid, layer: 0, heads: 1, headSize: dim, prefix: 0 };
  const { table } = await evaluate(
    ({ inputs: { coordinates } }) => {
      const x = tf.zeros([1, T, dim]);
      const options = { base: 10000, scale: 1 };
      const ours = sincos2d.embed({ weights: {}, coordinates: coordinates!, x, where, options });
      const [xs, xc, ys, yc] = tf.split(ours, 4, -1) as [Tensor, Tensor, Tensor, Tensor];
      const parts = interleaved ? [ys, yc, xs, xc] : [ys, xs, yc, xc];
      return { outputs: { table: tf.concat(parts, -1) } };
    },
    {
      engine,
      inputs: { coordinates: { data: Float32Array.from(places.flat()), shape: [T, 2] } },
    },
  );
  return table!;
}
