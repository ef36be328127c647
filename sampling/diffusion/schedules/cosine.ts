/**
 * The cosine schedule, alpha(t)^2 = f(t) / f(0) with f(t) = cos^2((t + s) / (1 + s) pi / 2)
 * (Nichol and Dhariwal 2021, eq. 17; s = 0.008 and betas capped at 0.999 are theirs).
 */
import type { Schedule } from '../solver.ts';
import { uniformTimes } from './flow.ts';

const QUARTER = Math.PI / 2;

export function cosine({ offset = 0.008 } = {}): Schedule {
  const speed = QUARTER / (1 + offset);
  const angle = (t: number) => speed * (t + offset);
  const first = Math.cos(angle(0));
  const alpha = (t: number) => Math.sin(speed * (1 - t)) / first; // cos of the complement: exactly 0 at t = 1
  // cos^2(a0) - cos^2(a) = sin(a - a0) sin(a + a0), which keeps its digits near t = 0.
  const sigma = (t: number) =>
    Math.sqrt(Math.sin(speed * t) * Math.sin(angle(t) + angle(0))) / first;
  const alphaRate = (t: number) => (-speed * Math.sin(angle(t))) / first;
  return {
    name: 'cosine',
    alpha,
    sigma,
    alphaRate,
    sigmaRate: (t) => (-alpha(t) * alphaRate(t)) / sigma(t),
    start: 1,
    times: (steps) => uniformTimes(steps),
  };
}

/** The same schedule cut into `length` betas, for networks trained on discrete timesteps. */
export function cosineBetas(length: number, { offset = 0.008, most = 0.999 } = {}): Float64Array {
  const remaining = (t: number) => Math.cos(((t + offset) / (1 + offset)) * QUARTER) ** 2;
  return Float64Array.from({ length }, (_, i) =>
    Math.min(1 - remaining((i + 1) / length) / remaining(i / length), most),
  );
}
