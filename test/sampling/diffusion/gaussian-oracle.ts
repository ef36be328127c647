/** Data whose denoiser and probability-flow solution are known in closed form. */
import type { Answer, Query, Schedule } from '../../../sampling/diffusion/solver.ts';

export type Normal = { readonly mean: number; readonly deviation: number };

/** Standard deviation of x(t) for data N(mean, deviation^2). */
export function spread(data: Normal, schedule: Schedule, t: number): number {
  return Math.hypot(schedule.alpha(t) * data.deviation, schedule.sigma(t));
}

/** E[clean | x] for normal data. */
export function normalOracle(data: Normal, schedule: Schedule) {
  return ({ x, t }: Pick<Query, 'x' | 't'>): Answer => {
    const alpha = schedule.alpha(t);
    const gain = (alpha * data.deviation ** 2) / spread(data, schedule, t) ** 2;
    return { clean: x.map((value) => data.mean + gain * (value - alpha * data.mean)) };
  };
}

/** Where the ODE takes `x` from time t to s: standard scores stay. */
export function normalPath(
  data: Normal,
  schedule: Schedule,
  { x, t, s }: { x: Float32Array; t: number; s: number },
): Float64Array {
  const ratio = spread(data, schedule, s) / spread(data, schedule, t);
  return Float64Array.from(
    x,
    (value) => schedule.alpha(s) * data.mean + ratio * (value - schedule.alpha(t) * data.mean),
  );
}

export type Mixture = readonly (Normal & { readonly weight: number })[];

function densities(data: Mixture, schedule: Schedule, x: number, t: number): number[] {
  return data.map(({ weight, ...normal }) => {
    const deviation = spread(normal, schedule, t);
    const score = (x - schedule.alpha(t) * normal.mean) / deviation;
    return (weight * Math.exp(-(score ** 2) / 2)) / deviation;
  });
}

/** E[clean | x] for a mixture of normals, every element a draw of its own. */
export function mixtureOracle(data: Mixture, schedule: Schedule) {
  return ({ x, t }: Pick<Query, 'x' | 't'>): Answer => {
    const each = data.map((part) => normalOracle(part, schedule)({ x, t }).clean);
    const clean = x.map((value, i) => {
      const p = densities(data, schedule, value, t);
      const total = p.reduce((a, b) => a + b);
      return p.reduce((sum, share, k) => sum + (share / total) * each[k]![i]!, 0);
    });
    return { clean };
  };
}

/** Share of x(t) below x, by Simpson's rule on the density's own closed form. */
function below(data: Mixture, schedule: Schedule, x: number, t: number): number {
  const widest = Math.max(...data.map((part) => spread(part, schedule, t)));
  const least = Math.min(...data.map((part) => schedule.alpha(t) * part.mean)) - 9 * widest;
  const [n, root] = [600, Math.sqrt(2 * Math.PI)];
  const width = (x - least) / n;
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    const p = densities(data, schedule, least + i * width, t).reduce((a, b) => a + b) / root;
    sum += i === 0 || i === n ? p : i % 2 === 1 ? 4 * p : 2 * p;
  }
  return (sum * width) / 3;
}

/** In one dimension the ODE keeps quantiles, so it takes x to the value at s with the same share below. */
export function mixturePath(
  data: Mixture,
  schedule: Schedule,
  { x, t, s }: { x: number; t: number; s: number },
): number {
  const share = below(data, schedule, x, t);
  let [low, high] = [-20, 20];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (below(data, schedule, middle, s) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
