/**
 * A learned vector for every cell of the trained grid, as in ViT (Dosovitskiy et al. 2021, section
 * 3.1), resized like a picture for any other grid. Each raster of a pyramid or of packed pictures
 * has the table resized to it.
 *
 * Options: `resize` 'bicubic' (as most code that fine-tunes ViTs at another size) or 'bilinear'.
 * Initial values: normal, 0.02.
 */
import { resize } from '../../../tensor/ops/resize.ts';
import { tf } from '../../../tensor/tf.ts';
import type { EmbedMethod } from '../contract.ts';
import { extentOf, rastersOf } from '../grid.ts';

export const learned: EmbedMethod = {
  hook: 'embed',
  name: 'learned',
  after: 0,
  reducesTo: 'its table on the trained grid',
  options: { resize: ['bicubic', 'bilinear'] },
  init({ width, trained }, _, rng) {
    const { height, width: columns } = extentOf(trained);
    const shape = [height * columns, width];
    const data = rng.normals(height * columns * width).map((value) => 0.02 * value);
    return { table: { data, shape } };
  },
  embed({ weights, where: { grid, trained }, options }) {
    if (grid.kind === 'merged') {
      throw new RangeError(
        'learned: expected a raster, a pyramid or packed pictures, got merged tokens; take an embedding at any coordinate (sincos2d)',
      );
    }
    const table = weights.table!; // [T, C]
    const from = extentOf(trained);
    const mode = options.resize as 'bicubic' | 'bilinear';
    const picture = table.reshape([1, from.height, from.width, table.shape[1]!]);
    const parts = rastersOf(grid).map(({ height, width }) =>
      height === from.height && width === from.width
        ? table
        : resize(picture, height, width, { mode }).reshape([height * width, -1]),
    );
    return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
  },
};
