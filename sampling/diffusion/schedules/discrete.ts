/**
 * Schedules given as a table of betas (Ho et al. 2020). The table's entry i (0 the cleanest) lies at
 * t = (i + 1) / length, and t = 0 is clean. Between entries log alpha^2 is a cubic through them with
 * central slopes (ours), so that ODE solvers keep their order off the table's own times.
 */
import { checkSteps, type Schedule } from '../solver.ts';

/** Products of (1 - beta) up to and including each entry. */
export function cumulativeSignal(betas: Float64Array): Float64Array {
  let product = 1;
  return betas.map((beta) => {
    product *= 1 - beta;
    return product;
  });
}

export function discrete(betas: Float64Array, { name = 'discrete' } = {}): Schedule {
  const length = betas.length;
  const logs = [0, ...Array.from(cumulativeSignal(betas), Math.log)]; // at t = k / length
  const slopes = logs.map((_, k) => {
    const [before, after] = [Math.max(k - 1, 0), Math.min(k + 1, length)];
    return (logs[after]! - logs[before]!) / (after - before);
  });
  const cubic = (t: number) => {
    const at = Math.min(Math.max(t, 0), 1) * length;
    const k = Math.min(Math.floor(at), length - 1);
    const u = at - k;
    const [y0, y1, m0, m1] = [logs[k]!, logs[k + 1]!, slopes[k]!, slopes[k + 1]!];
    const [c, d] = [3 * (y1 - y0) - 2 * m0 - m1, m0 + m1 - 2 * (y1 - y0)];
    return { log: y0 + u * (m0 + u * (c + u * d)), rate: length * (m0 + u * (2 * c + 3 * u * d)) };
  };
  const alpha = (t: number) => Math.exp(cubic(t).log / 2);
  const sigma = (t: number) => Math.sqrt(Math.abs(Math.expm1(cubic(t).log)));
  return {
    name,
    alpha,
    sigma,
    alphaRate: (t) => (alpha(t) * cubic(t).rate) / 2,
    sigmaRate: (t) => (-(alpha(t) ** 2) * cubic(t).rate) / (2 * sigma(t)),
    start: 1,
    times: (steps) => {
      checkSteps(name, steps);
      if (steps > length)
        throw new RangeError(`${name}: expected at most ${length} steps, got ${steps}`);
      return Array.from(
        { length: steps + 1 },
        (_, i) => Math.round((length * (steps - i)) / steps) / length,
      );
    },
  };
}

/** Table entry -> t, and back (as networks with a timestep embedding over entries are told it). */
export const timeOfEntry = (entry: number, length: number): number => (entry + 1) / length;
export const entryOfTime = (t: number, length: number): number => t * length - 1;

/** The grid that visits `entries` (any order) from noisy to clean, and ends at 0. */
export function entryTimes(entries: readonly number[], length: number): number[] {
  const falling = [...entries].sort((a, b) => b - a);
  return [...falling.map((entry) => timeOfEntry(entry, length)), 0];
}

/**
 * Which entries a shorter process keeps, rising. 'ddimN' keeps every s-th for the whole stride s that
 * leaves N (Song et al. 2021, DDIM); '50' or '10,15,20' splits the table into that many equal parts and
 * spreads each number over its part, both ends included (Nichol and Dhariwal 2021, section 4).
 */
export function respacedEntries(length: number, respacing: string): number[] {
  const ddim = /^ddim(\d+)$/.exec(respacing);
  if (ddim) return stridedEntries(length, Number(ddim[1]));
  const counts = respacing === '' ? [length] : respacing.split(',').map(Number);
  const entries: number[] = [];
  let first = 0;
  for (const [part, count] of counts.entries()) {
    const size = Math.floor(length / counts.length) + (part < length % counts.length ? 1 : 0);
    if (!Number.isInteger(count) || count < 1 || count > size)
      throw new RangeError(
        `respacedEntries: expected part ${part} of '${respacing}' between 1 and ${size}, got ${count}`,
      );
    const stride = count === 1 ? 1 : (size - 1) / (count - 1);
    // Summed, not multiplied, and ties to even: published tables were made so.
    for (let i = 0, at = 0; i < count; i++, at += stride) entries.push(first + roundToEven(at));
    first += size;
  }
  return entries;
}

function stridedEntries(length: number, count: number): number[] {
  for (let stride = 1; stride < length; stride++) {
    if (Math.ceil(length / stride) === count)
      return Array.from({ length: count }, (_, i) => i * stride);
  }
  throw new RangeError(
    `respacedEntries: no whole stride leaves ${count} of ${length} entries; use '${count}' instead of 'ddim${count}'`,
  );
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** Betas of the process that only visits `entries` (rising): its signal at them is the full process's. */
export function respacedBetas(betas: Float64Array, entries: readonly number[]): Float64Array {
  const signal = cumulativeSignal(betas);
  let last = 1;
  return Float64Array.from(entries, (entry) => {
    const beta = 1 - signal[entry]! / last;
    last = signal[entry]!;
    return beta;
  });
}
