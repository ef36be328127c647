/**
 * The variance-preserving SDE with a linear rate (Song et al. 2021): the rate of decay grows from
 * `slowest` at t = 0 to `fastest` at t = 1, so log alpha = -(fastest - slowest) t^2 / 4 - slowest t / 2.
 * Defaults are that paper's 0.1 and 20.
 */
import type { Schedule } from '../solver.ts';
import { uniformTimes } from './flow.ts';

export function vp({ slowest = 0.1, fastest = 20 } = {}): Schedule {
  const log = (t: number) => -((fastest - slowest) * t * t) / 4 - (slowest * t) / 2;
  const logRate = (t: number) => -((fastest - slowest) * t + slowest) / 2;
  const alpha = (t: number) => Math.exp(log(t));
  const sigma = (t: number) => Math.sqrt(Math.abs(Math.expm1(2 * log(t))));
  return {
    name: 'vp',
    alpha,
    sigma,
    alphaRate: (t) => logRate(t) * alpha(t),
    sigmaRate: (t) => (-logRate(t) * alpha(t) ** 2) / sigma(t),
    start: 1,
    times: (steps) => uniformTimes(steps),
  };
}
