/**
 * Vector quantisation (van den Oord et al. 2017) with L2-normalised codes of few dimensions (Yu et al.
 * 2022, section 3.2), as LlamaGen has it (Sun et al. 2024): latents and codes are on the unit sphere before
 * they are compared and when they are looked up.
 *
 * Losses: `codebook` |sg(z) - e|^2 pulls codes to latents (left out where a moving average of latents
 * moves them: training/codebook.ts), `commitment` |z - sg(e)|^2 latents to codes, and `entropy` (Yu et al. 2024,
 * eq. 3), off by default: sharp choices, evenly spread, from a softmax of -distance / 0.01.
 */
import { stopGradient, straightThrough } from '../../tensor/ops/stop-gradient.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import type { Quantiser } from './contract.ts';

export type VqConfig = {
  readonly kind: 'vq';
  readonly codes: number;
  /** Numbers of a code. */
  readonly width: number;
  readonly commitment: number;
  readonly entropy: number;
  /** What moves the codes in training. */
  readonly codebook: 'gradient' | 'average';
};

export const CODEBOOK = 'quantize.embedding.weight';
const TEMPERATURE = 0.01;
/** Inside the logarithms of the entropies, as published. */
const EPSILON = 1e-5;

export function vq({ codes, width, commitment, entropy, codebook }: VqConfig): Quantiser {
  const shape = [codes, width];
  return {
    vocabulary: codes,
    width,
    shapes: { [CODEBOOK]: shape },
    init: (rng) => ({ [CODEBOOK]: { data: rng.stream(CODEBOOK).normals(codes * width), shape } }),
    quantise(weights, latents) {
      const grid = latents.shape.slice(0, 3);
      const z = unitVectors(latents.reshape([-1, width])); // [N, d]
      const book = unitVectors(weights[CODEBOOK]!); // [V, d]
      const nearest = nearestCodes(z, book);
      const e = tf.gather(book, nearest as tf.Tensor1D); // [N, d]
      const distance = (a: Tensor, b: Tensor) => tf.mean(tf.squaredDifference(a, b));
      return {
        codes: straightThrough(z, e).reshape([...grid, width]),
        tokens: nearest.reshape(grid),
        latents: z.reshape([...grid, width]),
        losses: {
          ...(codebook === 'gradient' ? { codebook: distance(e, stopGradient(z)) } : {}),
          commitment: distance(stopGradient(e), z).mul(commitment),
          ...(entropy > 0 ? { entropy: entropyLoss(z, book).mul(entropy) } : {}),
        },
      };
    },
    lookup: (weights, tokens) =>
      tf.gather(unitVectors(weights[CODEBOOK]!), tokens.toInt() as tf.Tensor),
  };
}

/** Of unit vectors the nearest code is the one with the largest product: [N, d], [V, d] -> int32 [N]. */
function nearestCodes(z: Tensor, book: Tensor): Tensor {
  const choice = tf.customGrad((...given) => {
    const [a, b] = given as Tensor[];
    return {
      value: tf.argMax(tf.matMul(a!, b!, false, true), 1),
      gradFunc: () => [tf.zerosLike(z), tf.zerosLike(book)],
    };
  });
  return choice(z, book);
}

/** Rows scaled to length 1. */
export const unitVectors = (x: Tensor): Tensor =>
  x.mul(tf.rsqrt(tf.sum(tf.square(x), -1, true).add(1e-12)));

/** Mean entropy of each latent's choice less the entropy of the mean choice. */
export function entropyLoss(z: Tensor, book: Tensor): Tensor {
  const squares = (x: Tensor) => tf.sum(tf.square(x), -1, true);
  const distances = squares(z)
    .add(squares(book).transpose())
    .sub(tf.matMul(z, book, false, true).mul(2)); // [N, V]
  const logits = distances.neg().div(TEMPERATURE);
  const chances = tf.softmax(logits);
  const own = tf.mean(tf.sum(chances.mul(tf.logSoftmax(logits)), -1)).neg();
  const mean = tf.mean(chances, 0);
  const spread = tf.sum(mean.mul(tf.log(mean.add(EPSILON)))).neg();
  return own.sub(spread);
}
