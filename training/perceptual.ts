/**
 * Perceptual loss (Johnson et al. 2016; in the form of LPIPS, Zhang et al. 2018, eq. 1): squared distance of
 * features whose channels have length 1 at each place, averaged over places and layers. Ours: the network is the
 * Inception v3 of encoders/features, with no weights learned for the channels, and it sees pictures at `side`
 * pixels in place of its 299 (it has no layer that minds).
 */
import type { InceptionLayers } from '../encoders/features/inception.ts';
import { constantOf } from '../generators/compile.ts';
import { resize } from '../tensor/ops/resize.ts';
import { type Tensor, tf } from '../tensor/tf.ts';

export type PerceptualConfig = {
  readonly weight: number;
  readonly layers: readonly string[];
  /** Pixels that the network sees. */
  readonly side: number;
};

/** A function of pictures [B, H, W, 3] in [-1, 1] and what they should be, inside a traced function. */
export function createPerceptual(
  { layers, side }: Omit<PerceptualConfig, 'weight'>,
  network: InceptionLayers,
): (pictures: Tensor, wanted: Tensor) => Tensor {
  return (pictures, wanted) => {
    const B = pictures.shape[0]!;
    const weights = Object.fromEntries(
      Object.entries(network.weights).map(([name, tensor]) => [name, constantOf(tensor)]),
    );
    const both = tf.concat([pictures, wanted]).add(1).div(2); // one call for both
    const seen = network.forward(weights, resize(both, side, side, { mode: 'bilinear' }));
    const distances = layers.map((layer) => {
      const [a, b] = tf.split(unitChannels(seen.get(layer)!), [B, B]) as [Tensor, Tensor];
      return tf.mean(tf.sum(tf.squaredDifference(a, b), -1));
    });
    return tf.addN(distances).div(layers.length);
  };
}

const unitChannels = (x: Tensor): Tensor =>
  x.mul(tf.rsqrt(tf.sum(tf.square(x), -1, true).add(1e-10)));
