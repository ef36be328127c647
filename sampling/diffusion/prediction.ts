/**
 * The things a network may predict, turned into each other. At a fixed x and t each is p clean + q noise
 * with x = alpha clean + sigma noise, so any one of them together with x gives all the others.
 * Velocity is dx/dt = alpha' clean + sigma' noise (Ma et al. 2024, SiT, with time reversed);
 * `v` is alpha noise - sigma clean (Salimans and Ho 2022); score is -noise / sigma.
 */
import type { Answer, Schedule } from './solver.ts';
import { weightedSum } from './weighted-sum.ts';

export type Prediction = 'clean' | 'noise' | 'velocity' | 'v' | 'score';

/** Weights [p, q] of clean and noise. */
function parts(kind: Prediction, schedule: Schedule, t: number): [number, number] {
  switch (kind) {
    case 'clean':
      return [1, 0];
    case 'noise':
      return [0, 1];
    case 'velocity':
      return [schedule.alphaRate(t), schedule.sigmaRate(t)];
    case 'v':
      return [-schedule.sigma(t), schedule.alpha(t)];
    case 'score':
      return [0, -1 / schedule.sigma(t)];
  }
}

/** `to` = x weight * x + value weight * `from`, in exact arithmetic. */
export function conversion(
  from: Prediction,
  to: Prediction,
  schedule: Schedule,
  t: number,
): { readonly x: number; readonly value: number } {
  if (from === to) return { x: 0, value: 1 };
  const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
  const [p, q] = parts(from, schedule, t);
  const [p2, q2] = parts(to, schedule, t);
  const determinant = alpha * q - sigma * p;
  const weights = {
    x: (p2 * q - q2 * p) / determinant,
    value: (q2 * alpha - p2 * sigma) / determinant,
  };
  if (!Number.isFinite(weights.x) || !Number.isFinite(weights.value))
    throw new RangeError(
      `conversion: ${to} does not follow from ${from} on schedule ${schedule.name} at t = ${t}; use times strictly inside, or predict ${to}`,
    );
  return weights;
}

/** Turns a prediction at (x, t) into another kind. */
export function convert(
  value: Float32Array,
  x: Float32Array,
  { from, to, schedule, t }: { from: Prediction; to: Prediction; schedule: Schedule; t: number },
): Float32Array {
  const weights = conversion(from, to, schedule, t);
  return weightedSum([weights.x, x], [weights.value, value]);
}

/** The answer a solver wants, from whatever the network predicts. */
export function toAnswer(
  value: Float32Array,
  x: Float32Array,
  { from, schedule, t }: { from: Prediction; schedule: Schedule; t: number },
): Answer {
  const clean = convert(value, x, { from, to: 'clean', schedule, t });
  return from === 'velocity' ? { clean, velocity: value } : { clean };
}

/** dx/dt of the probability-flow ODE: the network's own, or the one its clean estimate implies. */
export function velocityOf(
  answer: Answer,
  x: Float32Array,
  schedule: Schedule,
  t: number,
): Float32Array {
  return (
    answer.velocity ?? convert(answer.clean, x, { from: 'clean', to: 'velocity', schedule, t })
  );
}

/** Gradient of the log density of x(t). Goes through the velocity where there is one: that is exact at alpha = 0. */
export function scoreOf(
  answer: Answer,
  x: Float32Array,
  schedule: Schedule,
  t: number,
): Float32Array {
  const from = answer.velocity ? 'velocity' : 'clean';
  return convert(answer.velocity ?? answer.clean, x, { from, to: 'score', schedule, t });
}

/**
 * Velocity of a clean estimate on the `flow` schedule with t kept above `least` in the division, as x-prediction is
 * trained and sampled by Li and He 2025 (JiT; least 0.05). Steps below `least` then stop short of the estimate.
 */
export function clampedVelocity(
  clean: Float32Array,
  x: Float32Array,
  { t, least = 0.05 }: { readonly t: number; readonly least?: number },
): Float32Array {
  const scale = 1 / Math.max(t, least);
  return weightedSum([scale, x], [-scale, clean]);
}
