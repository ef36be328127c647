/** The generalised variance-preserving path, alpha = cos(pi t / 2), sigma = sin(pi t / 2) (Ma et al. 2024, SiT). */
import type { Schedule } from '../solver.ts';
import { uniformTimes } from './flow.ts';

const QUARTER = Math.PI / 2;

export function gvp(): Schedule {
  return {
    name: 'gvp',
    // The sine of the complement, so that alpha(1) is exactly 0.
    alpha: (t) => Math.sin(QUARTER * (1 - t)),
    sigma: (t) => Math.sin(QUARTER * t),
    alphaRate: (t) => -QUARTER * Math.sin(QUARTER * t),
    sigmaRate: (t) => QUARTER * Math.sin(QUARTER * (1 - t)),
    start: 1,
    times: (steps) => uniformTimes(steps),
  };
}
