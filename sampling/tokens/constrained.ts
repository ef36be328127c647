/**
 * Sampling under a constraint without testing every token (AWRS: Lipkin et al. 2025, Algorithm 2):
 * tokens are tried in the order of log p + Gumbel noise until one is allowed. Each rejection of a token
 * with probability q among those left multiplies the weight by 1 - q; after the accepted one, another
 * token is tried, and the weight is multiplied by q if that is not allowed. The mean of the weight is the
 * allowed mass, and weighted pictures have the law of the model given the constraint; without weights,
 * the law is that of masking at each place.
 *
 * With `particles` pictures that belong together, those of little weight are given up for others on the
 * way (sequential Monte Carlo: Lipkin et al. 2025, section 4; Del Moral et al. 2006): when the effective
 * number of a group, (sum w)^2 / sum w^2, falls below `threshold` of it, the group is drawn again in
 * proportion to its weights (systematic resampling: Kitagawa 1996) and each has their mean. The mean of
 * the final weights still is the allowed mass. Tokens then depend on the group, not on one seed.
 */
import type { Rng } from '../../tensor/rng.ts';
import type { TokenModel } from './contract.ts';
import { type Decoder, openBatch } from './decoder.ts';
import { gumbels, type Law } from './law.ts';

/** Whether a token may follow the decided ones, at the place after them. */
export type Constraint = (decided: readonly number[], token: number) => boolean;
export type Tried = { readonly token: number; readonly weight: number; readonly tests: number };

/** One token of `law` that `allows`; weight 0 and any token where there is none. */
export function drawAllowed(law: Law, rng: Rng, allows: (token: number) => boolean): Tried {
  const noise = gumbels(rng, law.length);
  const score = (token: number) => Math.log(law[token]!) + noise[token]!;
  const order = Array.from(law.keys())
    .filter((token) => law[token]! > 0)
    .sort((a, b) => score(b) - score(a));
  let [weight, left] = [1, 1];
  for (const [i, token] of order.entries()) {
    const q = Math.min(1, law[token]! / left);
    if (allows(token)) {
      const next = order[i + 1];
      if (next === undefined) return { token, weight, tests: i + 1 };
      return { token, weight: allows(next) ? weight : weight * q, tests: i + 2 };
    }
    weight *= 1 - q;
    left -= law[token]!;
  }
  return { token: order[0]!, weight: 0, tests: order.length };
}

/** A constraint from a mask: one entry a token [V], or a place and token [N, V]; 0 forbids. */
export function maskConstraint(
  mask: ArrayLike<number>,
  { vocabulary, length }: TokenModel,
): Constraint {
  if (mask.length === vocabulary) return (_, token) => mask[token] !== 0;
  if (mask.length === vocabulary * length)
    return (decided, token) => mask[decided.length * vocabulary + token] !== 0;
  throw new RangeError(
    `mask: expected ${vocabulary} entries, one a token, or ${vocabulary * length}, one a place and token, got ${mask.length}`,
  );
}

export type ConstrainedOptions = {
  readonly constraint: Constraint | { readonly mask: ArrayLike<number> };
  /** Pictures of a group, neighbours in the batch. Default: 1, each for itself. */
  readonly particles?: number;
  /** Part of a group that counts, below which it is drawn again. */
  readonly threshold?: number;
};

export const constrained = ({
  constraint,
  particles = 1,
  threshold = 0.5,
}: ConstrainedOptions): Decoder => ({
  name: 'constrained',
  property: 'approximate',
  async decode(model, options) {
    const allows =
      typeof constraint === 'function' ? constraint : maskConstraint(constraint.mask, model);
    checkParticles(particles, threshold, model);
    const batch = openBatch(model, options);
    const logWeights = batch.rows.map(() => 0);
    const draw = (row: number, law: Law): number => {
      const decided = batch.rows[row]!;
      const rng = batch.streams[row]!('noise', decided.length);
      const { token, weight } = drawAllowed(law, rng, (one) => allows(decided, one));
      logWeights[row]! += Math.log(weight);
      return token;
    };
    /** Rows that take another's tokens; the weights of their groups become the mean. */
    const redrawn = (): Map<number, readonly number[]> => {
      const others = new Map<number, readonly number[]>();
      for (let first = 0; first < model.batch; first += particles) {
        const weights = logWeights.slice(first, first + particles);
        const { shares, logMean } = sharesOf(weights);
        if (effectiveNumber(shares) >= threshold * particles) continue;
        const rng = batch.streams[first]!('resample', batch.rows[first]!.length);
        for (const [i, from] of systematic(shares, rng.uniform()).entries()) {
          logWeights[first + i] = logMean;
          if (from !== i) others.set(first + i, batch.rows[first + from]!.slice());
        }
      }
      return others;
    };
    const first = await batch.start();
    for (const row of batch.open()) batch.settle(row, { drawn: draw(row, first(row)) });
    await batch.end();
    while (batch.open().length > 0) {
      const { laws } = await batch.forward(batch.rows.map(() => []));
      for (const row of batch.open()) batch.settle(row, { drawn: draw(row, laws(row, 0)) });
      await batch.end();
      if (batch.open().length > 0) await batch.adopt(redrawn());
    }
    return { ...batch.finish(), logWeights };
  },
});

function checkParticles(particles: number, threshold: number, { batch }: TokenModel): void {
  if (!(Number.isInteger(particles) && particles >= 1 && batch % particles === 0))
    throw new RangeError(
      `constrained: expected a number of particles that divides the ${batch} rows, got ${particles}`,
    );
  if (!(threshold >= 0 && threshold <= 1))
    throw new RangeError(`constrained: expected a threshold from 0 to 1, got ${threshold}`);
}

/** Weights over their sum, and the log of their mean; equal shares where all are 0. */
function sharesOf(logWeights: readonly number[]): { shares: number[]; logMean: number } {
  const top = Math.max(...logWeights);
  if (top === Number.NEGATIVE_INFINITY)
    return { shares: logWeights.map(() => 1 / logWeights.length), logMean: top };
  const weights = logWeights.map((value) => Math.exp(value - top));
  const total = weights.reduce((a, b) => a + b);
  const logMean = top + Math.log(total / weights.length);
  return { shares: weights.map((weight) => weight / total), logMean };
}

const effectiveNumber = (shares: readonly number[]): number =>
  1 / shares.reduce((sum, share) => sum + share * share, 0);

/** One index a place (i + u) / n: each index as often as its share says, to within one. */
export function systematic(shares: readonly number[], u: number): number[] {
  const n = shares.length;
  let [index, below] = [0, shares[0]!];
  return shares.map((_, i) => {
    while (below <= (i + u) / n && index < n - 1) below += shares[++index]!;
    return index;
  });
}
