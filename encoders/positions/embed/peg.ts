/**
 * PEG, the position generator of CPVT (Chu et al. 2023): a depthwise 3x3 convolution of
 * the tokens after the first block, added to them. Zero padding at the border is what tells tokens
 * where they are; inside it moves with the picture. Works on any grid; each raster of a pyramid or
 * of packed pictures has its own border.
 *
 * Initial values: uniform within 1/3 for the nine weights, zero for the bias (ours).
 */
import { conv2d } from '../../../tensor/ops/conv.ts';
import { tf } from '../../../tensor/tf.ts';
import type { EmbedMethod } from '../contract.ts';
import { rastersOf } from '../grid.ts';

export const peg: EmbedMethod = {
  hook: 'embed',
  name: 'peg',
  after: 1,
  reducesTo: 'no positions with zero weights',
  init: ({ width }, _, rng) => ({
    'proj.weight': {
      data: Float32Array.from({ length: width * 9 }, () => (2 * rng.uniform() - 1) / 3),
      shape: [width, 1, 3, 3],
    },
    'proj.bias': { data: new Float32Array(width), shape: [width] },
  }),
  embed({ weights, x, where: { grid } }) {
    if (grid.kind === 'merged') {
      throw new RangeError(
        'peg: expected a raster, a pyramid or packed pictures, got merged tokens, which have no neighbours',
      );
    }
    const [B, , C] = x.shape as [number, number, number];
    const rasters = rastersOf(grid);
    const sizes = rasters.map(({ height, width }) => height * width);
    const parts = rasters.length === 1 ? [x] : tf.split(x, sizes, 1);
    const convolved = parts.map((part, i) => {
      const { height, width } = rasters[i]!;
      const picture = part.reshape([B, height, width, C]);
      const options = { padding: 1, groups: C, bias: weights['proj.bias']! };
      return conv2d(picture, weights['proj.weight']!, options).reshape([B, height * width, C]);
    });
    return convolved.length === 1 ? convolved[0]! : tf.concat(convolved, 1);
  },
};
