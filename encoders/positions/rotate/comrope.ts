/**
 * ComRoPE (Yu et al. 2025): R(p) = exp(sum_a p_a A_a) with trained skew-symmetric matrices A_a of
 * blocks of b x b channels that commute, so that R(p)^T R(r) = R(r - p).
 *
 * Options: `form` 'ap' (axial partition: blocks belong to the axes in turn) or 'ld' (linearly dependent:
 * all axes share a block's matrix, each times a trained factor); `block` (8) channels; `std` (1) of the
 * initial numbers W, A = W - W^T, and factors are normal. Matrices are of each block of the network and
 * head, factors of each block of channels.
 *
 * The paper's coordinates are the cells' centres in [0, 1], jittered in training: coordinates
 * `jittered`. Condition tokens are not turned (ours; the paper puts its class token in the middle).
 *
 * Cost: blocks of 2 as plain RoPE. Larger ones: a matrix exponential of each token, head and block
 * (17 small products; a constant once weights are baked), then a b x b product where RoPE has a 2 x 2.
 */
import { matrixExp } from '../../../tensor/ops/matrix-exp.ts';
import { learnedRope } from '../../../tensor/ops/rope.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { RotateMethod } from '../contract.ts';
import { axesOf, headTablesOf, padFront } from './tables.ts';

export const comrope: RotateMethod = {
  hook: 'rotate',
  name: 'comrope',
  reducesTo: "axial RoPE up to the order of channels with 'ap' blocks of 2 at its frequencies",
  options: { form: ['ap', 'ld'], block: 8, std: 1 },
  init({ heads, headSize, depth }, { form, block, std }, rng) {
    const b = Number(block);
    if (!(Number.isInteger(b) && b >= 2 && headSize % (2 * b) === 0)) {
      throw new RangeError(
        `comrope: expected a head size that is a multiple of two blocks of 2 or more channels, got ${headSize} and blocks of ${block}`,
      );
    }
    const blocks = headSize / b;
    const normal = (name: string, by: number, shape: number[]) => ({
      data: rng
        .stream(name)
        .normals(shape.reduce((product, side) => product * side, 1))
        .map((value) => by * value),
      shape,
    });
    return Object.assign(
      {},
      ...Array.from({ length: depth }, (_, i) => `blocks.${i}`).map((name) => ({
        [`${name}.matrices`]: normal(`${name}.matrices`, Number(std), [heads, blocks, b, b]),
        ...(form === 'ld'
          ? { [`${name}.factors`]: normal(`${name}.factors`, 1, [2, blocks]) }
          : {}),
      })),
    );
  },
  rotate({ coordinates, q, k, v, where: { layer, prefix }, weights }) {
    const matrices = weights[`blocks.${layer}.matrices`]!; // [h, n, b, b]
    const factors = weights[`blocks.${layer}.factors`] ?? inTurn(matrices.shape[1]!); // [2, n]
    const [ys, xs] = axesOf(coordinates); // [.., T, 1]
    const [fy, fx] = tf.unstack(factors);
    const places = tf.expandDims(ys.mul(fy!).add(xs.mul(fx!)), -2); // [.., T, 1, n]
    const skew = matrices.sub(matrices.transpose([0, 1, 3, 2]));
    if (matrices.shape[3] === 2) {
      // exp of [0 -a; a 0] is the rotation by a.
      const { cos, sin } = headTablesOf(places.mul(entry(skew)), prefix);
      return { q: learnedRope(q, cos, sin), k: learnedRope(k, cos, sin), v };
    }
    const exponents = padFront(places, -3, prefix, 0).reshape([...lead(q, places), 1, -1, 1, 1]);
    const rotation = matrixExp(exponents.mul(skew)); // [.., T, h, n, b, b]
    return { q: multiplied(rotation, q), k: multiplied(rotation, k), v };
  },
};

/** Every second block follows the row, the others the column. */
const inTurn = (blocks: number): Tensor =>
  tf.tensor2d([0, 1].map((axis) => Array.from({ length: blocks }, (_, i) => +(i % 2 === axis))));

/** The lower left number of 2 x 2 matrices [h, n, 2, 2] -> [h, n]. */
function entry(skew: Tensor): Tensor {
  const [h, n] = skew.shape as [number, number];
  return tf.slice(skew, [0, 0, 1, 0], [h, n, 1, 1]).reshape([h, n]);
}

/** [T], or [B, T] where pictures have coordinates of their own; condition tokens included. */
const lead = (q: Tensor, places: Tensor): number[] =>
  places.rank === 4 ? [q.shape[0]!, q.shape[1]!] : [q.shape[1]!];

/** x [B, T, h, d] times matrices [.., T, h, n, b, b]. */
function multiplied(rotation: Tensor, x: Tensor): Tensor {
  const [B, T, h, d] = x.shape as [number, number, number, number];
  const b = rotation.shape.at(-1)!;
  const count = (T * h * d) / b;
  if (rotation.rank === 6) {
    const each = rotation.reshape([B * count, b, b]);
    return tf.matMul(x.reshape([B * count, 1, b]), each, false, true).reshape(x.shape);
  }
  // One matrix serves all pictures.
  const parts = x.reshape([B, count, b]).transpose([1, 0, 2]);
  const turned = tf.matMul(parts, rotation.reshape([count, b, b]), false, true); // [count, B, b]
  return turned.transpose([1, 0, 2]).reshape(x.shape);
}
