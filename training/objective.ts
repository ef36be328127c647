/**
 * Training objectives. Each is a weighted mean square of what the network says against a target that
 * follows from the clean picture and the noise; x = alpha(t) clean + sigma(t) noise, t = 1 is noise.
 *
 * - `clean`: the network says the clean picture, the loss is that of the velocity it implies:
 *   |clean' - clean|^2 / max(t, 0.05)^2 on the flow (JiT: Li and He 2025, eq. 6 and its clamp).
 * - `velocity`: dx/dt (SiT: Ma et al. 2024, eq. 5), on the flow or on GVP.
 * - `noise`: the noise (Ho et al. 2020, eq. 14). The learned variance's term is in variational.ts.
 */
import type { ObjectiveConfig } from '../generators/model.ts';
import { SCHEDULES } from '../sampling/diffusion/registry.ts';
import type { Rng } from '../tensor/rng.ts';
import { type Tensor, tf } from '../tensor/tf.ts';

/** Where t is drawn: sigmoid of a normal number, or evenly. */
export type TimeDraw = { readonly mean: number; readonly std: number } | 'uniform';
const SMALLEST_T = 0.05;

export function drawTime(draw: TimeDraw, rng: Rng): number {
  if (draw === 'uniform') return rng.uniform();
  return 1 / (1 + Math.exp(-(draw.mean + draw.std * rng.normal())));
}

export type Noised = {
  readonly x: Float32Array;
  readonly target: Float32Array;
  readonly weight: number;
};

/** Writes the noisy picture and the target of one picture; returns the weight of its square error. */
export function noisePicture(
  { prediction, schedule: name }: ObjectiveConfig,
  clean: Float32Array,
  noise: Float32Array,
  t: number,
  { x, target }: { x: Float32Array; target: Float32Array },
): number {
  const schedule = SCHEDULES[name]();
  const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
  const [alphaRate, sigmaRate] = [schedule.alphaRate(t), schedule.sigmaRate(t)];
  for (let i = 0; i < clean.length; i++) {
    const [c, n] = [clean[i]!, noise[i]!];
    x[i] = alpha * c + sigma * n;
    target[i] =
      prediction === 'clean' ? c : prediction === 'noise' ? n : alphaRate * c + sigmaRate * n;
  }
  return prediction === 'clean' ? 1 / Math.max(t, SMALLEST_T) ** 2 : 1;
}

/** Mean over pictures of weight times square error: prediction, target [B, H, W, C], weight [B]. */
export function weightedError(prediction: Tensor, target: Tensor, weight: Tensor): Tensor {
  const each = tf.mean(tf.square(prediction.sub(target)), [1, 2, 3]);
  return tf.mean(each.mul(weight));
}
