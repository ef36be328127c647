/**
 * Linear interpolation between data and noise: x = (1 - t) clean + t noise (Liu et al. 2022, rectified flow;
 * the "Linear" path of Ma et al. 2024, SiT). A shift s warps a grid u into t = s u / (1 + (s - 1) u)
 * (Esser et al. 2024, eq. 23, with s the root of their size ratio): s > 1 spends more steps near noise.
 * A code that runs time the other way (0 = noise) and shifts by s' has s = 1 / s'.
 */
import { checkSteps, type Schedule } from '../solver.ts';

export function shiftTime(u: number, shift: number): number {
  return (shift * u) / (1 + (shift - 1) * u);
}

export function flow({ shift = 1 }: { readonly shift?: number } = {}): Schedule {
  if (!(shift > 0 && Number.isFinite(shift)))
    throw new RangeError(`flow: expected a shift above 0, got ${shift}`);
  return {
    name: 'flow',
    alpha: (t) => 1 - t,
    sigma: (t) => t,
    alphaRate: () => -1,
    sigmaRate: () => 1,
    start: 1,
    times: (steps) => uniformTimes(steps).map((u) => shiftTime(u, shift)),
  };
}

/** 1, ..., 0 in equal steps, or from `from` to `to`. */
export function uniformTimes(steps: number, { from = 1, to = 0 } = {}): number[] {
  checkSteps('uniformTimes', steps);
  return Array.from({ length: steps + 1 }, (_, i) => (from * (steps - i) + to * i) / steps);
}
