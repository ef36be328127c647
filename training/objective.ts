/**
 * Training objectives. Each is a weighted mean square of what the network says against a target that
 * follows from the clean picture and the noise; x = alpha(t) clean + sigma(t) noise, t = 1 is noise.
 *
 * - `clean`: the network says the clean picture, the loss is that of the velocity it implies:
 *   |clean' - clean|^2 / max(t, least)^2 on the flow (JiT: Li and He 2025, eq. 6; its clamp is 0.05).
 * - `velocity`: dx/dt (SiT: Ma et al. 2024, eq. 5), on the flow or on GVP; with `cosine` also one minus
 *   the cosine between the channels of the two velocities (LightningDiT: Yao et al. 2025).
 * - `noise`: the noise (Ho et al. 2020, eq. 14); where the network learns variances, as DiT's do, also
 *   one step of the variational bound (variational.ts).
 */
import type { ObjectiveConfig } from '../generators/model.ts';
import { SCHEDULES } from '../sampling/diffusion/registry.ts';
import { shiftTime } from '../sampling/diffusion/schedules/flow.ts';
import type { Rng } from '../tensor/rng.ts';
import { type Tensor, type Tensors, tf } from '../tensor/tf.ts';
import { variationalBits } from './variational.ts';

/** Where t is drawn: sigmoid of a normal number, or evenly. */
export type TimeDraw = { readonly mean: number; readonly std: number } | 'uniform';
const LEAST_T = 0.05;

/** A time, shifted as sampling shifts its own. */
export function drawTime(draw: TimeDraw, rng: Rng, shift = 1): number {
  if (draw === 'uniform') return shiftTime(rng.uniform(), shift);
  return shiftTime(1 / (1 + Math.exp(-(draw.mean + draw.std * rng.normal()))), shift);
}

export type Noised = {
  readonly x: Float32Array;
  readonly target: Float32Array;
  readonly weight: number;
};

/** Writes the noisy picture and the target of one picture; returns the weight of its square error. */
export function noisePicture(
  { prediction, schedule: name, least = LEAST_T }: ObjectiveConfig,
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
  return prediction === 'clean' ? 1 / Math.max(t, least) ** 2 : 1;
}

/** Mean square error of each picture: [B, H, W, C] twice -> [B]. */
export const squareErrors = (prediction: Tensor, target: Tensor): Tensor =>
  tf.mean(tf.square(prediction.sub(target)), [1, 2, 3]);

/** Mean of 1 - cosine between the channels of two pictures: [B, H, W, C] twice -> [B]. */
export function cosineErrors(prediction: Tensor, target: Tensor): Tensor {
  const inverse = (x: Tensor) => tf.rsqrt(tf.maximum(tf.sum(tf.square(x), -1), 1e-16));
  const along = tf.sum(prediction.mul(target), -1);
  const cosine = along.mul(inverse(prediction)).mul(inverse(target)); // [B, H, W]
  return tf.mean(cosine.neg().add(1), [1, 2]);
}

/** Mean over pictures of weight times square error: prediction, target [B, H, W, C], weight [B]. */
export function weightedError(prediction: Tensor, target: Tensor, weight: Tensor): Tensor {
  return tf.mean(squareErrors(prediction, target).mul(weight));
}

/** Throws unless the objective is one that can be trained and then sampled with. */
export function checkObjective(
  { prediction, schedule, cosine = false }: ObjectiveConfig,
  { variance }: { readonly variance: boolean },
): void {
  if (variance && prediction !== 'noise')
    throw new RangeError(
      `objective.prediction: expected 'noise' for a network that learns variances, got '${prediction}'; set model.config.variance to false to train without`,
    );
  if (prediction === 'noise' && SCHEDULES[schedule]().alpha(1) === 0)
    throw new RangeError(
      `objective.schedule: expected 'linear' for prediction 'noise', got '${schedule}', which ends without any signal, where no clean picture follows from the noise; predict 'clean' or 'velocity' on it`,
    );
  if (cosine && prediction !== 'velocity')
    throw new RangeError(
      `objective.cosine: expected prediction 'velocity', got '${prediction}'; leave it out`,
    );
}

/**
 * The loss of an objective from the network's prediction [B, H, W, C] ([B, H, W, 2 C] with a learned
 * variance) and a batch's tensors.
 */
export function createObjective(
  objective: ObjectiveConfig,
  network: { readonly variance: boolean },
): (prediction: Tensor, batch: Tensors) => Tensor {
  checkObjective(objective, network);
  return (prediction, { target, weight, clean, bound }) => {
    if (network.variance) {
      const [said, variance] = tf.split(prediction, 2, -1) as [Tensor, Tensor];
      const bits = variationalBits({
        said,
        variance,
        noise: target!,
        clean: clean!,
        bound: bound!,
      });
      return weightedError(said, target!, weight!).add(tf.mean(bits));
    }
    const error = weightedError(prediction, target!, weight!);
    return objective.cosine ? error.add(tf.mean(cosineErrors(prediction, target!))) : error;
  };
}
