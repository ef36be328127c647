/**
 * Linear betas (Ho et al. 2020, section 4): 0.0001 to 0.02 over 1000 steps, as DiT trains on; other lengths
 * scale both ends by 1000 / length (Dhariwal and Nichol 2021). `scaledLinearBetas` is linear in sqrt(beta),
 * as latent diffusion trains on (Rombach et al. 2022).
 */
import type { Schedule } from '../solver.ts';
import { discrete } from './discrete.ts';

function evenly(length: number, first: number, last: number): Float64Array {
  return Float64Array.from({ length }, (_, i) =>
    i === length - 1 ? last : first + (i * (last - first)) / (length - 1),
  );
}

export function linearBetas(
  length = 1000,
  { first = 0.1 / length, last = 20 / length } = {},
): Float64Array {
  return evenly(length, first, last);
}

export function scaledLinearBetas(
  length = 1000,
  { first = 0.00085, last = 0.012 } = {},
): Float64Array {
  return evenly(length, Math.sqrt(first), Math.sqrt(last)).map((root) => root * root);
}

export function linear({ length = 1000 } = {}): Schedule {
  return discrete(linearBetas(length), { name: 'linear' });
}
