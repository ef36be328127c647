/**
 * What a learned codebook needs besides gradients. `average` (van den Oord et al. 2017, appendix A.1): a code
 * is the moving average of the latents that chose it; here on the unit sphere, where only the direction counts,
 * so that the count they are divided by does not matter. Reset (Dhariwal et al. 2020, section 3.2, "random restarts"): a
 * code that is hardly chosen takes the place of a random latent of the batch.
 *
 * Ours: use is a moving average of shares, corrected for its start; a code is dead below `reset.below` times
 * the mean share and is given the mean share for a new start; nothing is reset after step `reset.until`, so
 * that moving averages of weights catch up. Latents for step k come from the stream `reset/k`.
 */
import { CODEBOOK } from '../encoders/tokenizers/vq.ts';
import type { HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { momentOf } from './optimisers/adamw.ts';
import type { Moments, Optimiser, Step } from './optimisers/optimiser.ts';

export type CodebookOptions = {
  readonly codebook: 'gradient' | 'average';
  /** Of the moving averages. */
  readonly decay: number;
  readonly reset?: { readonly below: number; readonly until: number };
  readonly rng: Rng;
};

/** `inner`, and after each of its steps the codebook, from the watched 'tokens' and 'latents'. */
export function tendCodebook(inner: Optimiser, options: CodebookOptions): Optimiser {
  const { codebook, decay, reset, rng } = options;
  return {
    moments(weights) {
      const [V, d] = weights[CODEBOOK]!.shape as [number, number];
      return {
        ...inner.moments(weights),
        [`${CODEBOOK}/use`]: [V],
        ...(codebook === 'average' ? { [`${CODEBOOK}/sum`]: [V, d] } : {}),
      } satisfies Moments;
    },
    async update(weights, gradients, moments, step) {
      await inner.update(weights, gradients, moments, step);
      const met = meet(step);
      const book = bookOf(weights, moments);
      follow(book.use, sharesOf(met, book.use.length), decay);
      if (book.sum) followLatents(book, met, decay);
      if (reset && step.step <= reset.until)
        restart(book, met, {
          rng: rng.stream(`reset/${step.step}`),
          mean: (1 - decay ** step.step) / book.use.length,
          below: reset.below,
        });
    },
    ...(inner.dispose ? { dispose: inner.dispose } : {}),
  };
}

type Book = {
  readonly codes: Float32Array;
  readonly width: number;
  /** Of each code, the moving average of the share of latents that chose it, and of their sum. */
  readonly use: Float32Array;
  readonly sum?: Float32Array;
  /** The optimiser's, as large as the codes. */
  readonly others: readonly Float32Array[];
};
type Met = { readonly tokens: Int32Array; readonly latents: Float32Array };

function bookOf(weights: HostTensors, moments: HostTensors): Book {
  const { data, shape } = weights[CODEBOOK]!;
  const own = [`${CODEBOOK}/use`, `${CODEBOOK}/sum`];
  const others = Object.keys(moments).filter(
    (name) => name.startsWith(`${CODEBOOK}/`) && !own.includes(name),
  );
  return {
    codes: data as Float32Array,
    width: shape[1]!,
    use: momentOf(moments, CODEBOOK, 'use'),
    ...(moments[own[1]!] ? { sum: momentOf(moments, CODEBOOK, 'sum') } : {}),
    others: others.map((name) => moments[name]!.data as Float32Array),
  };
}

/** Tokens and latents of all batches of a step. */
function meet({ watched = [] }: Step): Met {
  const lengthOf = (name: string) =>
    watched.reduce((sum, batch) => sum + batch[name]!.data.length, 0);
  const tokens = new Int32Array(lengthOf('tokens'));
  const latents = new Float32Array(lengthOf('latents'));
  let [at, from] = [0, 0];
  for (const batch of watched) {
    tokens.set(batch.tokens!.data, at);
    latents.set(batch.latents!.data, from);
    at += batch.tokens!.data.length;
    from += batch.latents!.data.length;
  }
  return { tokens, latents };
}

function sharesOf({ tokens }: Met, codes: number): Float64Array {
  const shares = new Float64Array(codes);
  for (const token of tokens) shares[token]! += 1 / tokens.length;
  return shares;
}

function follow(averages: Float32Array, values: ArrayLike<number>, decay: number): void {
  for (let i = 0; i < averages.length; i++)
    averages[i] = decay * averages[i]! + (1 - decay) * values[i]!;
}

/** Codes that were ever chosen point where their latents do on average. */
function followLatents({ codes, width, sum }: Book, { tokens, latents }: Met, decay: number): void {
  const sums = new Float64Array(codes.length);
  for (const [i, token] of tokens.entries())
    for (let c = 0; c < width; c++)
      sums[token * width + c]! += latents[i * width + c]! / tokens.length;
  follow(sum!, sums, decay);
  for (let at = 0; at < codes.length; at += width) {
    const row = sum!.subarray(at, at + width);
    const length = Math.hypot(...row);
    if (length > 0)
      codes.set(
        row.map((value) => value / length),
        at,
      );
  }
}

function restart(
  { codes, width, use, sum, others }: Book,
  { tokens, latents }: Met,
  { rng, mean, below }: { rng: Rng; mean: number; below: number },
): void {
  for (let code = 0; code < use.length; code++) {
    if (use[code]! >= below * mean) continue;
    const chosen = rng.integer(tokens.length) * width;
    const latent = latents.subarray(chosen, chosen + width);
    codes.set(latent, code * width);
    use[code] = mean;
    sum?.set(
      latent.map((value) => value * mean),
      code * width,
    );
    for (const moment of others) moment.fill(0, code * width, (code + 1) * width);
  }
}
