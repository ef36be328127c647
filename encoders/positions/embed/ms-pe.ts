/**
 * Multi-scale positional encoding (Choi et al. 2021, "Toward spatially unbiased generative models",
 * section 4): at each resolution, gamma_s times sines and cosines of the coordinates, gamma_s learned.
 * Ours for transformers: the resolutions are the scales of a pyramid, told by their order; a raster or
 * packed pictures are one resolution. A pyramid of more scales than the trained one ends with copies of
 * the last gamma.
 *
 * The paper moves coordinates and picture alike at random in training: that is the coordinates
 * `shifted`.
 *
 * Options: `base` (10000). Initial gamma: 1.
 */
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { EmbedMethod } from '../contract.ts';
import { type Grid, rastersOf } from '../grid.ts';
import { sincos } from './sincos2d.ts';

export const msPe: EmbedMethod = {
  hook: 'embed',
  name: 'ms-pe',
  after: 0,
  reducesTo: 'sincos2d with gammas of 1, no positions with gammas of 0',
  options: { base: 10000 },
  init({ trained }) {
    const levels = levelsOf(trained).length;
    return { gamma: { data: new Float32Array(levels).fill(1), shape: [levels] } };
  },
  embed({ weights, coordinates, x, where: { grid }, options: { base } }) {
    const table = sincos(coordinates, x.shape.at(-1)!, Number(base)); // [.., T, C]
    return table.mul(gammasOf(weights.gamma!, grid));
  },
};

/** Tokens of each resolution. */
const levelsOf = (grid: Grid): number[] => {
  const sizes = rastersOf(grid).map(({ height, width }) => height * width);
  return grid.kind === 'pyramid' ? sizes : [0];
};

/** Every token's gamma, [T, 1], or [1] where all tokens share one. */
function gammasOf(gamma: Tensor, grid: Grid): Tensor {
  const [levels] = gamma.shape as [number];
  if (grid.kind !== 'pyramid') return tf.slice(gamma, [levels - 1], [1]);
  const own = levelsOf(grid).map((tokens, level) =>
    tf.tile(tf.slice(gamma, [Math.min(level, levels - 1)], [1]), [tokens]),
  );
  return tf.concat(own, 0).reshape([-1, 1]);
}
