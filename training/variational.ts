/**
 * The learned variance's part of the loss: one step of the variational bound in bits per dimension (Ho
 * et al. 2020, eqs. 5 and 13; learned ranges of Nichol and Dhariwal 2021, eq. 15). It trains the
 * variance only: the mean is the network's, with its gradient stopped, and is left to the square error
 * of the noise. Both are added with weight 1, as DiT does.
 *
 * A step goes from t to t - 1/1000. The model's mean misses the posterior's by gain * (noise' - noise),
 * so that neither mean is computed, and nothing cancels near t = 1 where the clean estimate is huge.
 */
import { transition } from '../sampling/diffusion/gaussian.ts';
import type { Schedule } from '../sampling/diffusion/solver.ts';
import { type Tensor, tf } from '../tensor/tf.ts';

const STEPS = 1000;
/** Nichol and Dhariwal's cap, where a schedule ends without any signal. */
const LARGEST_FORWARD = 0.999;

/** Moves a time in [0, 1) up to the end of its step: 1/1000 ... 1. */
export const snapTime = (t: number): number => Math.min(Math.floor(t * STEPS) + 1, STEPS) / STEPS;

/** Numbers of a row of `bound`: gain, log posterior variance, log forward variance, 1 in the last step. */
export const BOUND_WIDTH = 4;

/** What the bound needs to know of the step from `t`, which is a multiple of 1/1000. */
export function boundOf(schedule: Schedule, t: number): [number, number, number, number] {
  const last = t < 1.5 / STEPS;
  const step = transition(schedule, t, last ? 0 : t - 1 / STEPS);
  // The last step's posterior has no variance; published code gives it the one before's.
  const posterior = last ? transition(schedule, t + 1 / STEPS, t).posterior : step.posterior;
  const forward = Math.min(step.forward, LARGEST_FORWARD);
  const gain = forward / (schedule.sigma(t) * Math.sqrt(1 - forward));
  return [gain, Math.log(posterior), Math.log(forward), last ? 1 : 0];
}

export type BoundInputs = {
  /** What the network says of the noise, and of the variance in [-1, 1]; and the noise: [B, H, W, C]. */
  readonly said: Tensor;
  readonly variance: Tensor;
  readonly noise: Tensor;
  /** The clean picture, which the last step's likelihood cuts into 256 bins. */
  readonly clean: Tensor;
  /** [B, 4], see `boundOf`. */
  readonly bound: Tensor;
};

/** Bits per dimension of each picture, [B]. */
export function variationalBits({ said, variance, noise, clean, bound }: BoundInputs): Tensor {
  const [gain, low, high, last] = tf
    .split(bound, BOUND_WIDTH, -1)
    .map((column) => column.reshape([-1, 1, 1, 1])) as [Tensor, Tensor, Tensor, Tensor];
  const fraction = variance.add(1).div(2);
  const logVariance = low.add(fraction.mul(high.sub(low)));
  const miss = gain.mul(stopGradient(said).sub(noise));
  const nats = tf.where(
    tf.broadcastTo(last.greater(0.5), miss.shape),
    negativeLogLikelihood(clean, miss, logVariance),
    divergence(low, miss, logVariance),
  );
  return tf.mean(nats, [1, 2, 3]).div(Math.LN2);
}

/** KL divergence of a normal distribution from one whose mean is `miss` away. */
function divergence(logTrue: Tensor, miss: Tensor, logVariance: Tensor): Tensor {
  const ratio = tf.exp(logTrue.sub(logVariance));
  const distance = tf.square(miss).mul(tf.exp(logVariance.neg()));
  return logVariance.sub(logTrue).sub(1).add(ratio).add(distance).mul(0.5);
}

/** Of pixel values whose bins are 2/255 wide and, at both ends, reach to infinity. */
function negativeLogLikelihood(clean: Tensor, miss: Tensor, logVariance: Tensor): Tensor {
  const scale = tf.exp(logVariance.mul(-0.5));
  const above = normalDistribution(scale.mul(miss.add(1 / 255)));
  const below = normalDistribution(scale.mul(miss.sub(1 / 255)));
  const inner = tf.where(clean.greater(0.999), below.neg().add(1), above.sub(below));
  const mass = tf.where(clean.less(-0.999), above, inner);
  return tf.log(tf.maximum(mass, 1e-12)).neg();
}

/** Page's approximation (1977), which published losses use. */
function normalDistribution(x: Tensor): Tensor {
  const bend = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return tf.tanh(bend).add(1).mul(0.5);
}

/** x, through which no gradient flows. */
function stopGradient(x: Tensor): Tensor {
  const still = tf.customGrad((value) => ({
    value: (value as Tensor).clone(),
    gradFunc: (dy: Tensor) => tf.zerosLike(dy),
  }));
  return still(x);
}
