/**
 * LDPE: a countdown to the end (Butcher et al. 2024, "Precise length control in large language
 * models"). Every token is told how many tokens are left; ours in two dimensions: sines and cosines of
 * the rows below it, H - 1 - y, and of the columns to its right, W - 1 - x, and two learned vectors
 * times ln H and ln W over the trained sides. So a network can know the size that it draws at. It
 * counts cells, whatever the coordinates are; each raster of a pyramid or of packed pictures counts to
 * its own end.
 *
 * Options: `base` (10000). Initial vectors: zero, and they stay so where training has one size only.
 */
import { tf } from '../../../tensor/tf.ts';
import type { EmbedMethod } from '../contract.ts';
import { cellsOf, extentOf, rastersOf } from '../grid.ts';
import { sincos } from './sincos2d.ts';

export const countdown: EmbedMethod = {
  hook: 'embed',
  name: 'countdown',
  after: 0,
  reducesTo: 'sincos2d of the grid turned by half a turn, on the trained grid',
  options: { base: 10000 },
  init: ({ width }) => ({
    'size.weight': { data: new Float32Array(2 * width), shape: [2, width] },
  }),
  embed({ weights, x, where: { grid, trained }, options: { base } }) {
    const rasters = rastersOf(grid);
    const from = extentOf(trained);
    const cells = cellsOf(grid).map((cell) => ({ ...cell, ...rasters[cell.raster]! }));
    const left = cells.map(({ y, x: column, height, width }): [number, number] => [
      height - 1 - y,
      width - 1 - column,
    ]);
    const sizes = cells.map(({ height, width }): [number, number] => [
      Math.log(height / from.height),
      Math.log(width / from.width),
    ]);
    const count = sincos(tf.tensor2d(left), x.shape.at(-1)!, Number(base)); // [T, C]
    return count.add(tf.matMul(tf.tensor2d(sizes), weights['size.weight']!));
  },
};
