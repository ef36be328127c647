/**
 * Adaptive Dormand-Prince 5(4) (Dormand and Prince 1980) on the probability-flow ODE in t, with the starting step and
 * controller of Hairer, Norsett and Wanner (1993, II.4). The error norm is over one picture, so pictures of a batch
 * step independently. Only the ends of `times` count. With `overshoot` the last step may run past the end and a
 * quartic through its ends and middle (Shampine 1986) is read there, as SiT's integrator does; otherwise the last
 * step is cut, which never asks for times beyond the grid. Needs a slope at the end: at sigma = 0 a velocity.
 */
import { velocityOf } from '../prediction.ts';
import type { Answer, Problem, Query, Solver } from '../solver.ts';
import { weightedSum } from '../weighted-sum.ts';

const STAGES: readonly { readonly at: number; readonly from: readonly number[] }[] = [
  { at: 1 / 5, from: [1 / 5] },
  { at: 3 / 10, from: [3 / 40, 9 / 40] },
  { at: 4 / 5, from: [44 / 45, -56 / 15, 32 / 9] },
  { at: 8 / 9, from: [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729] },
  { at: 1, from: [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656] },
  { at: 1, from: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84] },
];
/** Fifth-order weights minus fourth-order ones. */
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];
/** Where the solution is in the middle of a step. */
const MIDDLE = [
  6025192743 / 30085553152,
  0,
  51252292925 / 65400821598,
  -2691868925 / 45128329728,
  187940372067 / 1594534317056,
  -1776094331 / 19743644256,
  11237099 / 235043384,
].map((weight) => weight / 2);

export type DormandPrinceOptions = {
  readonly atol?: number;
  readonly rtol?: number;
  readonly overshoot?: boolean;
  /** Steps, refused ones included, after which it gives up. */
  readonly limit?: number;
};

type Tolerance = { readonly atol: number; readonly rtol: number };

/** Root mean square of `error` in units of the tolerance at |a|, |b|. */
function scaled(
  error: Float32Array,
  a: Float32Array,
  b: Float32Array,
  { atol, rtol }: Tolerance,
): number {
  let sum = 0;
  for (let i = 0; i < error.length; i++)
    sum += (error[i]! / (atol + rtol * Math.max(Math.abs(a[i]!), Math.abs(b[i]!)))) ** 2;
  return Math.sqrt(sum / error.length);
}

function* slopeAt(
  { schedule, times }: Problem,
  x: Float32Array,
  t: number,
): Generator<Query, Float32Array, Answer> {
  const step = times.findLastIndex((time, i) => i === 0 || (time > t && i < times.length - 1));
  return velocityOf(yield { x, t, step }, x, schedule, t);
}

/** Size of the first step, from the first slopes (Hairer et al. 1993, II.4). */
function* firstStep(
  problem: Problem,
  {
    x,
    t,
    slope,
    tolerance,
  }: { x: Float32Array; t: number; slope: Float32Array; tolerance: Tolerance },
): Generator<Query, number, Answer> {
  const [d0, d1] = [scaled(x, x, x, tolerance), scaled(slope, x, x, tolerance)];
  const h0 = d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : (0.01 * d0) / d1;
  const probe = yield* slopeAt(problem, weightedSum([1, x], [-h0, slope]), t - h0);
  const d2 = scaled(weightedSum([1, probe], [-1, slope]), x, x, tolerance) / h0;
  const steepest = Math.max(d1, d2);
  const h1 = steepest <= 1e-15 ? Math.max(1e-6, h0 * 1e-3) : (0.01 / steepest) ** (1 / 5);
  return Math.min(100 * h0, h1);
}

/** Next step size over this one, aiming at 0.9 of the tolerance, never shrinking after a success. */
function growth(error: number): number {
  if (error === 0) return 10;
  return Math.min(10, Math.max(0.9 / error ** (1 / 5), error < 1 ? 1 : 0.2));
}

/** The quartic through both ends of a step (with slopes) and its middle, at a fraction u of it. */
function between(
  {
    x,
    next,
    slopes,
    h,
  }: { x: Float32Array; next: Float32Array; slopes: Float32Array[]; h: number },
  u: number,
): Float32Array {
  const middle = weightedSum([1, x], ...slopes.map((k, i) => [-h * MIDDLE[i]!, k] as const));
  const [first, last] = [slopes[0]!, slopes[6]!];
  return x.map((y0, i) => {
    const [y1, m, d0, d1] = [next[i]!, middle[i]!, -h * first[i]!, -h * last[i]!];
    const a = 2 * (d1 - d0) - 8 * (y1 + y0) + 16 * m;
    const b = 5 * d0 - 3 * d1 + 18 * y0 + 14 * y1 - 32 * m;
    const c = d1 - 4 * d0 - 11 * y0 - 5 * y1 + 16 * m;
    return y0 + u * (d0 + u * (c + u * (b + u * a)));
  });
}

export function dormandPrince({
  atol = 1e-6,
  rtol = 1e-3,
  overshoot = false,
  limit = 1000,
}: DormandPrinceOptions = {}): Solver {
  const tolerance = { atol, rtol };
  return function* (problem) {
    const { start, times } = problem;
    const end = times[times.length - 1]!;
    let [x, t] = [start, times[0]!];
    let slope = yield* slopeAt(problem, x, t);
    let h = yield* firstStep(problem, { x, t, slope, tolerance });
    for (let tries = 0; tries < limit; tries++) {
      if (!overshoot) h = Math.min(h, t - end);
      const slopes = [slope];
      let next = x;
      for (const { at, from } of STAGES) {
        next = weightedSum([1, x], ...from.map((weight, i) => [-h * weight, slopes[i]!] as const));
        slopes.push(yield* slopeAt(problem, next, t - at * h));
      }
      const off = weightedSum(...slopes.map((k, i) => [h * ERROR[i]!, k] as const));
      const error = scaled(off, x, next, tolerance);
      if (error <= 1) {
        const passed = t - h <= end;
        if (passed) return t - h === end ? next : between({ x, next, slopes, h }, (t - end) / h);
        [x, t, slope] = [next, t - h, slopes[6]!];
      }
      h *= growth(error);
    }
    throw new Error(`dormandPrince: no end after ${limit} steps, at t = ${t}; loosen atol or rtol`);
  };
}
