/**
 * A learned table of the trained grid read at the coordinates, linearly between its entries and as the last one
 * within its cell. Places beyond are refused. Where `learned` stretches the table over any grid, this leaves every
 * entry at its place: for parts of larger grids (views of training), random places (`rpe2d`, given its range),
 * fractions (`v2pe`, interpolation). Karypis et al. 2023 interpolate absolute embeddings so; two axes are ours.
 *
 * Options: `range` ([]) [rows, columns] of the table, or [side]; the trained grid without. Initial
 * values: normal, 0.02.
 */
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { EmbedMethod, Options } from '../contract.ts';
import { extentOf, type Grid, type Raster } from '../grid.ts';

export const learnedAt: EmbedMethod = {
  hook: 'embed',
  name: 'learned-at',
  after: 0,
  reducesTo: 'learned on the trained grid, at raw coordinates',
  options: { range: [] },
  range: tableOf,
  init({ width, trained }, options, rng) {
    const { height, width: columns } = tableOf(trained, options);
    const data = rng.normals(height * columns * width).map((value) => 0.02 * value);
    return { table: { data, shape: [height * columns, width] } };
  },
  embed({ weights, coordinates, where: { trained }, options }) {
    const { height, width } = tableOf(trained, options);
    const [ys, xs] = tf.split(coordinates, 2, -1) as [Tensor, Tensor]; // [.., T, 1]
    const rows = tf.expandDims(shares(ys, height), -1); // [.., T, H, 1]
    const columns = tf.expandDims(shares(xs, width), -2); // [.., T, 1, W]
    const lead = coordinates.shape.slice(0, -1);
    const cells = rows.mul(columns).reshape([-1, height * width]);
    return tf.matMul(cells, weights.table!).reshape([...lead, -1]); // [.., T, C]
  },
};

/** How much of each entry 0 ... side - 1 a place takes, [.., T, side]: those of its two neighbours. */
function shares(places: Tensor, side: number): Tensor {
  const inside = tf.minimum(places, side - 1);
  const entries = tf.tensor1d(Float32Array.from({ length: side }, (_, i) => i));
  return tf.relu(tf.sub(1, inside.sub(entries).abs()));
}

function tableOf(trained: Grid, { range }: Options): Raster {
  const given = range as readonly number[];
  const { height, width } = extentOf(trained);
  const [rows = height, columns = given[0] ?? width] = given;
  if (given.length > 2 || given.some((side) => !Number.isInteger(side) || side < 1)) {
    throw new RangeError(
      `learned-at: expected a range of one or two whole numbers, got [${given.join(', ')}]`,
    );
  }
  return { height: rows, width: columns };
}
