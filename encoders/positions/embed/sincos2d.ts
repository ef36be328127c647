/**
 * Sine and cosine of the coordinates, added to the tokens (Vaswani et al. 2017, section 3.5; in two
 * dimensions as in MAE and DiT): the first half of the channels encodes the column, the second the
 * row, each as sines then cosines with w_i = base^(-i / (C / 4)).
 *
 * Options: `base` (10000), `scale` (1) multiplies the coordinates.
 */
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { EmbedMethod } from '../contract.ts';

export const sincos2d: EmbedMethod = {
  hook: 'embed',
  name: 'sincos2d',
  after: 0,
  reducesTo: 'the table of DiT at integer coordinates',
  options: { base: 10000, scale: 1 },
  embed: ({ coordinates, x, options: { base, scale } }) =>
    sincos(coordinates.mul(Number(scale)), x.shape.at(-1)!, Number(base)),
};

/** The table of points [.., T, 2] -> [.., T, width]. */
export function sincos(points: Tensor, width: number, base: number): Tensor {
  if (width % 4 !== 0) {
    throw new RangeError(`sincos2d: expected a width that is a multiple of 4, got ${width}`);
  }
  const quarter = width / 4;
  const wave = tf.tensor1d(
    Float32Array.from({ length: quarter }, (_, i) => base ** (-i / quarter)),
  );
  const [ys, xs] = tf.split(points, 2, -1);
  const encoded = [xs!, ys!].flatMap((axis) => {
    const angle = axis.mul(wave); // [.., T, width / 4]
    return [tf.sin(angle), tf.cos(angle)];
  });
  return tf.concat(encoded, -1);
}
