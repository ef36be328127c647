/**
 * GGD-BAM: attention as content times a prior over positions, a generalised Gaussian whose shape every
 * head learns (Bianchessi et al. 2025, "Bayesian attention mechanism", section 2.3). The logits get the
 * prior's logarithm, -(|D - mu| / alpha)^beta: ALiBi is beta 1 with slope 1 / alpha, no positions an
 * endless alpha. A beta below 1 has a peak and heavy tails, which hold far tokens in sight.
 *
 * Weights of each block: `alpha` and `beta` [blocks, h], logarithms of what they are named for, `mu`
 * [blocks, h, 2] on the two axes. They start as ALiBi (ours). With `scalable`, the content's logits are
 * multiplied by s_h ln N, N tokens of the grid (scalable softmax: Nakanishi 2025, eq. 3; on the content
 * alone is ours), which starts as 1 on the trained grid.
 *
 * Options: `norm` 'axes' adds up one term of each axis, 'radial' has one of the distance (both ours);
 * `scalable` (false). Distances are sqrt(D^2 + 1e-8), so that gradients are finite where D is mu.
 */
import { type Tensor, tf } from '../../../tensor/tf.ts';
import type { BiasMethod } from '../contract.ts';
import { cellsOf } from '../grid.ts';
import { alibiSlopes } from './alibi.ts';
import { ofBlock, offsetsOf, withPrefix } from './offsets.ts';

const EPSILON = 1e-8;

export const ggdBam: BiasMethod = {
  hook: 'bias',
  name: 'ggd-bam',
  reducesTo: 'ALiBi with beta 1, alpha one over its slopes and mu 0; no positions as alpha grows',
  options: { norm: ['axes', 'radial'], scalable: false },
  init({ depth, heads, trained }, { scalable }) {
    const perHead = (of: (head: number) => number) => ({
      data: Float32Array.from({ length: depth * heads }, (_, i) => of(i % heads)),
      shape: [depth, heads],
    });
    const slopes = alibiSlopes(heads);
    const start = 1 / Math.log(cellsOf(trained).length);
    return {
      alpha: perHead((head) => -Math.log(slopes[head]!)),
      beta: perHead(() => 0),
      mu: { data: new Float32Array(2 * depth * heads), shape: [depth, heads, 2] },
      ...(scalable ? { scale: perHead(() => start) } : {}),
    };
  },
  bias({ weights, coordinates, where: { layer, heads, prefix }, options }) {
    const perHead = (weight: Tensor) => weight.reshape([heads, 1, 1]);
    const alpha = perHead(ofBlock(weights.alpha!, layer));
    const beta = perHead(tf.exp(ofBlock(weights.beta!, layer)));
    const means = tf.split(ofBlock(weights.mu!, layer), 2, -1).map(perHead);
    const { dy, dx } = offsetsOf(coordinates);
    const [y, x] = [dy, dx].map((offset, axis) =>
      tf.expandDims(offset, -3).sub(means[axis]!).square(),
    ) as [Tensor, Tensor]; // [.., h, T, T]
    const term = (squared: Tensor) =>
      tf.exp(tf.log(squared.add(EPSILON)).div(2).sub(alpha).mul(beta));
    const fall = options.norm === 'radial' ? term(y.add(x)) : term(y).add(term(x));
    return withPrefix(fall.neg(), prefix);
  },
  logitScale({ weights, where: { grid, layer, heads } }) {
    if (!weights.scale) return 1;
    const tokens = Math.log(cellsOf(grid).length);
    return ofBlock(weights.scale, layer).reshape([heads, 1, 1]).mul(tokens);
  },
};
