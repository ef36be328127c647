/**
 * HeadScale: softmax(lambda_h q k^T / sqrt(d)) with one number a head, the only ones that are tuned for a
 * longer input (Wang et al. 2024, "Length generalization of causal transformers without position
 * encoding", section 4). No positions are read, so it goes with any method, or with none.
 *
 * Weights: `scale` [blocks, heads], 1 at first. Options: `law` 'tokens' multiplies them by
 * sqrt(ln N / ln N_trained) of numbers of tokens, so an untuned model has that much at another size; 'none'
 * leaves them alone; `factor` (1) multiplies all. Ours: the law, and one number a head of every block of a
 * diffusion transformer.
 */
import { tf } from '../../../tensor/tf.ts';
import type { BiasMethod } from '../contract.ts';
import { tokensLaw } from '../extend/attention-scale.ts';

export const headScale: BiasMethod = {
  hook: 'bias',
  name: 'head-scale',
  reducesTo: 'plain attention with a scale of 1, on the trained grid',
  options: { law: ['tokens', 'none'], factor: 1 },
  init({ depth, heads }) {
    return {
      scale: { data: new Float32Array(depth * heads).fill(1), shape: [depth, heads] },
    };
  },
  logitScale({ weights, where, options }) {
    const law = options.law === 'tokens' ? tokensLaw(where) : 1;
    const own = tf.slice(weights.scale!, [where.layer, 0], [1, where.heads]);
    return own.reshape([where.heads, 1, 1]).mul(law * Number(options.factor));
  },
};
