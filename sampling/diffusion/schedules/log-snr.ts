/**
 * Grids equally spaced in lambda = log(alpha / sigma), as DPM-Solver++ counts steps (Lu et al. 2022).
 * They cannot reach alpha = 0 or sigma = 0, so the first and last time are stated.
 */
import { checkSteps, type Schedule } from '../solver.ts';

/** The time with a given log(alpha / sigma), by bisection: it falls as t rises on every schedule. */
export function timeOfLogSnr(schedule: Schedule, lambda: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (Math.log(schedule.alpha(middle) / schedule.sigma(middle)) > lambda) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** `steps` + 1 falling times. Append 0 to end on the clean estimate. */
export function logSnrTimes(
  schedule: Schedule,
  steps: number,
  { from, to }: { readonly from: number; readonly to: number },
): number[] {
  checkSteps('logSnrTimes', steps);
  const [first, last] = [from, to].map((t) => Math.log(schedule.alpha(t) / schedule.sigma(t))) as [
    number,
    number,
  ];
  if (!Number.isFinite(first) || !(last > first && Number.isFinite(last)))
    throw new RangeError(
      `logSnrTimes: expected falling times with signal and noise on ${schedule.name}, got ${from} to ${to}`,
    );
  const inner = Array.from({ length: steps - 1 }, (_, i) =>
    timeOfLogSnr(schedule, first + ((i + 1) / steps) * (last - first)),
  );
  return [from, ...inner, to];
}
