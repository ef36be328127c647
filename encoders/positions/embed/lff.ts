/**
 * Learned Fourier features (Li et al. 2021, "Learnable Fourier features for multi-dimensional spatial
 * positional encoding", eqs. 2 and 3): r = [cos(p W^T), sin(p W^T)] / sqrt(D / 2) of a token's
 * coordinates p, then an MLP with GELU. W starts normal with deviation 1 / gamma, so r(a) r(b) starts
 * near exp(-|a - b|^2 / (2 gamma^2)): near places look alike in every direction, not along the axes
 * only. The paper divides by sqrt(D); here r has length 1.
 *
 * Options: `gamma` (10), in units of coordinate; `features` (256) D; `hidden` (32) of the MLP. Initial
 * values of the MLP: Xavier, no bias in its last layer (ours).
 */
import { gelu } from '../../../tensor/ops/gelu.ts';
import { linear } from '../../../tensor/ops/linear.ts';
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { EmbedMethod } from '../contract.ts';
import { uniformWeights } from '../initial.ts';

export const lff: EmbedMethod = {
  hook: 'embed',
  name: 'lff',
  after: 0,
  reducesTo: 'features whose products are a Gaussian of the distance, before training and its MLP',
  options: { gamma: 10, features: 256, hidden: 32 },
  init({ width }, options, rng) {
    const [D, hidden, gamma] = [options.features, options.hidden, options.gamma].map(Number);
    if (D! % 2 !== 0 || D! <= 0 || !(hidden! >= 1) || !(gamma! > 0)) {
      throw new RangeError(
        `lff: expected an even number of features, a hidden width and a positive gamma, got ${D}, ${hidden} and ${gamma}`,
      );
    }
    const waves = rng.stream('wr').normals(D!);
    return {
      'wr.weight': { data: waves.map((value) => value / gamma!), shape: [D! / 2, 2] },
      'mlp.0.weight': uniformWeights([hidden!, D!], rng.stream('mlp.0')),
      'mlp.0.bias': { data: new Float32Array(hidden!), shape: [hidden!] },
      'mlp.2.weight': uniformWeights([width, hidden!], rng.stream('mlp.2')),
    };
  },
  embed({ weights, coordinates }) {
    const features = fourierFeatures(coordinates, weights['wr.weight']!);
    const hidden = gelu(linear(features, weights['mlp.0.weight']!, weights['mlp.0.bias']!));
    return linear(hidden, weights['mlp.2.weight']!); // [.., T, C]
  },
};

/** Points [.., T, 2], waves [D/2, 2] -> [.., T, D]. */
export function fourierFeatures(points: Tensor, waves: Tensor): Tensor {
  const angle = linear(points, waves); // [.., T, D/2]
  return tf.concat([tf.cos(angle), tf.sin(angle)], -1).div(Math.sqrt(waves.shape[0]!));
}
