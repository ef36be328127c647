/**
 * Gaussian transitions of the forward process and what training needs of them: posteriors, the tables of
 * a discrete process (Ho et al. 2020, eqs. 4, 6, 7), learned-range variances (Nichol and Dhariwal 2021,
 * eq. 15) and the terms of the variational bound in bits.
 */
import { cumulativeSignal } from './schedules/discrete.ts';
import type { Schedule } from './solver.ts';

export type Transition = {
  /** Posterior mean of x(s) given x(t) and the clean picture: clean weight * clean + x weight * x(t). */
  readonly clean: number;
  readonly x: number;
  /** Posterior variance, and the forward variance of x(t) given x(s), both 0 or more. */
  readonly posterior: number;
  readonly forward: number;
};

/** From time t down to s < t, on any schedule (Kingma et al. 2021). */
export function transition(schedule: Schedule, t: number, s: number): Transition {
  const ratio = schedule.alpha(t) / schedule.alpha(s);
  const [noisy, cleaner] = [schedule.sigma(t) ** 2, schedule.sigma(s) ** 2];
  const forward = Math.max(noisy - ratio * ratio * cleaner, 0);
  return {
    clean: (schedule.alpha(s) * forward) / noisy,
    x: (ratio * cleaner) / noisy,
    posterior: (forward * cleaner) / noisy,
    forward,
  };
}

/** x(t) = alpha clean + sigma noise. */
export function noised(
  clean: Float32Array,
  noise: Float32Array,
  schedule: Schedule,
  t: number,
): Float32Array {
  const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
  return clean.map((value, i) => alpha * value + sigma * noise[i]!);
}

/** log variance between two ends: fraction 0 gives the posterior's, 1 the forward one. */
export function rangedLogVariance(
  fraction: number,
  logPosterior: number,
  logForward: number,
): number {
  return fraction * logForward + (1 - fraction) * logPosterior;
}

export type GaussianTables = {
  readonly betas: Float64Array;
  readonly signal: Float64Array;
  readonly signalBefore: Float64Array;
  readonly posteriorVariance: Float64Array;
  /** Its log; entry 0, whose variance is 0, repeats entry 1. */
  readonly posteriorLogVariance: Float64Array;
  readonly posteriorClean: Float64Array;
  readonly posteriorX: Float64Array;
};

/** Everything a discrete process needs by entry; `signal` is the product of (1 - beta). */
export function gaussianTables(betas: Float64Array): GaussianTables {
  const signal = cumulativeSignal(betas);
  const signalBefore = signal.map((_, i) => (i === 0 ? 1 : signal[i - 1]!));
  const posteriorVariance = betas.map(
    (beta, i) => (beta * (1 - signalBefore[i]!)) / (1 - signal[i]!),
  );
  return {
    betas,
    signal,
    signalBefore,
    posteriorVariance,
    posteriorLogVariance: posteriorVariance.map((_, i) =>
      Math.log(posteriorVariance[i === 0 && betas.length > 1 ? 1 : i]!),
    ),
    posteriorClean: betas.map((beta, i) => (beta * Math.sqrt(signalBefore[i]!)) / (1 - signal[i]!)),
    posteriorX: betas.map(
      (beta, i) => ((1 - signalBefore[i]!) * Math.sqrt(1 - beta)) / (1 - signal[i]!),
    ),
  };
}

/** KL divergence in nats of N(mean1, exp(log1)) from N(mean2, exp(log2)). */
export function normalKl(mean1: number, log1: number, mean2: number, log2: number): number {
  return 0.5 * (log2 - log1 - 1 + Math.exp(log1 - log2) + (mean1 - mean2) ** 2 * Math.exp(-log2));
}

/** tanh approximation of the standard normal distribution function (Page 1977), as published losses use it. */
function normalCdf(x: number): number {
  return 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** Log probability of a pixel value in [-1, 1], cut into 256 bins, under a normal (Ho et al. 2020, eq. 13). */
export function discretisedLogLikelihood(value: number, mean: number, logVariance: number): number {
  const scale = Math.exp(-logVariance / 2);
  const above = normalCdf(scale * (value - mean + 1 / 255));
  const below = normalCdf(scale * (value - mean - 1 / 255));
  // The outer bins reach to infinity; the floor keeps the log finite far from the mean.
  const mass = value < -0.999 ? above : value > 0.999 ? 1 - below : above - below;
  return Math.log(Math.max(mass, 1e-12));
}

export type Moments = { readonly mean: Float32Array; readonly logVariance: Float32Array };

/** The model's p(x(before) | x(t)) at a table entry; `fraction` is the learned range, in [0, 1]. */
export function modelMoments(
  tables: GaussianTables,
  entry: number,
  { clean, x, fraction }: { clean: Float32Array; x: Float32Array; fraction: Float32Array },
): Moments {
  const [a, b] = [tables.posteriorClean[entry]!, tables.posteriorX[entry]!];
  const [low, high] = [tables.posteriorLogVariance[entry]!, Math.log(tables.betas[entry]!)];
  return {
    mean: clean.map((value, i) => a * value + b * x[i]!),
    logVariance: fraction.map((f) => rangedLogVariance(f, low, high)),
  };
}

/**
 * One term of the variational bound in bits per dimension: the KL divergence from the true posterior, or at
 * entry 0 the discretised negative log likelihood.
 */
export function variationalBits(
  tables: GaussianTables,
  entry: number,
  { clean, x, model }: { clean: Float32Array; x: Float32Array; model: Moments },
): number {
  const [a, b] = [tables.posteriorClean[entry]!, tables.posteriorX[entry]!];
  const logTrue = tables.posteriorLogVariance[entry]!;
  let nats = 0;
  for (let i = 0; i < clean.length; i++) {
    const [mean, logVariance] = [model.mean[i]!, model.logVariance[i]!];
    nats +=
      entry === 0
        ? -discretisedLogLikelihood(clean[i]!, mean, logVariance)
        : normalKl(a * clean[i]! + b * x[i]!, logTrue, mean, logVariance);
  }
  return nats / clean.length / Math.LN2;
}
