/**
 * Finite scalar quantisation (Mentzer et al. 2024, section 3 and listing 1): each number of a latent is
 * bounded and rounded to one of L values; the code's number is written with these digits. Nothing is
 * learned, so no loss is added and every code can be reached.
 *
 * Ours: the shift that brings 0 to a level where L is even is the exact atanh; the bound is wider than the
 * outermost levels by a thousandth. Two levels are refused: 0 would lie at the end of the bound.
 */
import { straightThrough } from '../../tensor/ops/stop-gradient.ts';
import { type Tensor, tf } from '../../tensor/tf.ts';
import type { Quantiser } from './contract.ts';

export type FsqConfig = {
  readonly kind: 'fsq';
  /** Values of each number of a latent, at least 3; their product is the number of codes. */
  readonly levels: readonly number[];
};

const MARGIN = 1e-3;

export function fsq({ levels }: FsqConfig): Quantiser {
  if (levels.length === 0 || levels.some((level) => !Number.isInteger(level) || level < 3))
    throw new RangeError(`FSQ: expected levels of at least 3, got [${levels.join(', ')}]`);
  const width = levels.length;
  const row = (of: (level: number, i: number) => number) => tf.tensor1d(levels.map(of));
  /** Digits 0 ... L - 1 lie at (digit - floor(L / 2)) / floor(L / 2). */
  const half = () => row((level) => Math.floor(level / 2));
  const places = levels.map((_, i) => levels.slice(0, i).reduce((a, b) => a * b, 1));
  return {
    vocabulary: levels.reduce((a, b) => a * b, 1),
    width,
    shapes: {},
    init: () => ({}),
    quantise(_, latents) {
      const bounded = bound(latents, levels);
      const rounded = tf.round(bounded);
      const digits = rounded.add(half()); // [B, h, w, d]
      const tokens = tf.sum(digits.mul(row((_, i) => places[i]!)), -1).toInt();
      const codes = straightThrough(bounded, rounded).div(half());
      return { codes, tokens, latents: bounded.div(half()), losses: {} };
    },
    lookup(_, tokens) {
      const digits = levels.map((level, i) => {
        const shifted = tf.floorDiv(tokens.toInt(), tf.scalar(places[i]!, 'int32'));
        return tf.mod(shifted, tf.scalar(level, 'int32')).toFloat();
      });
      return tf.stack(digits, -1).sub(half()).div(half());
    },
  };
}

/** [.., d] -> [.., d] in a range that rounds to exactly the levels, with 0 -> 0. */
function bound(latents: Tensor, levels: readonly number[]): Tensor {
  const reach = levels.map((level) => ((level - 1) * (1 + MARGIN)) / 2);
  const offset = levels.map((level) => (level % 2 === 1 ? 0 : 0.5));
  const shift = tf.tensor1d(offset.map((value, i) => Math.atanh(value / reach[i]!)));
  return tf.tanh(latents.add(shift)).mul(tf.tensor1d(reach)).sub(tf.tensor1d(offset));
}
