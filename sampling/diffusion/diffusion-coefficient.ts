/**
 * How much noise a stochastic solver adds and removes again: g(t) of dx = (velocity - g score) dt + sqrt(2 g) dw,
 * run backwards. The law of x(t) is the same for every g >= 0 (Ma et al. 2024, SiT); more g corrects more.
 */
import type { Schedule } from './solver.ts';

export type DiffusionForm = 'sigma' | 'linear' | 'decreasing' | 'increasing-decreasing' | 'sbdm';

export function diffusionCoefficient(
  form: DiffusionForm,
  schedule: Schedule,
  { norm = 1 }: { readonly norm?: number } = {},
): (t: number) => number {
  switch (form) {
    case 'sigma':
      return (t) => norm * schedule.sigma(t);
    case 'linear':
      return (t) => norm * t;
    case 'decreasing':
      return (t) => 0.25 * (1 - norm * Math.cos(Math.PI * t)) ** 2;
    case 'increasing-decreasing':
      return (t) => norm * Math.sin(Math.PI * t) ** 2;
    case 'sbdm':
      return (t) => norm * forwardDrift(schedule, t).diffusion;
  }
}

/** Drift factor and half squared diffusion of the forward SDE that has this schedule; infinite at alpha = 0. */
export function forwardDrift(schedule: Schedule, t: number): { factor: number; diffusion: number } {
  const [alpha, sigma] = [schedule.alpha(t), schedule.sigma(t)];
  const factor = schedule.alphaRate(t) / alpha;
  return { factor, diffusion: sigma * schedule.sigmaRate(t) - factor * sigma * sigma };
}
