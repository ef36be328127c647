/**
 * Sampling under a constraint without testing every token (AWRS: Lipkin et al. 2025, Algorithm 2):
 * tokens are tried in the order of log p + Gumbel noise until one is allowed. Each rejection of a token
 * with probability q among those left multiplies the weight by 1 - q; after the accepted one, another
 * token is tried, and the weight is multiplied by q if that is not allowed. The mean of the weight is the
 * allowed mass, and weighted pictures have the law of the model given the constraint; without weights,
 * the law is that of masking at each place.
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
};

export const constrained = ({ constraint }: ConstrainedOptions): Decoder => ({
  name: 'constrained',
  property: 'approximate',
  async decode(model, options) {
    const allows =
      typeof constraint === 'function' ? constraint : maskConstraint(constraint.mask, model);
    const batch = openBatch(model, options);
    const logWeights = batch.rows.map(() => 0);
    const draw = (row: number, law: Law): number => {
      const decided = batch.rows[row]!;
      const rng = batch.streams[row]!('noise', decided.length);
      const { token, weight } = drawAllowed(law, rng, (one) => allows(decided, one));
      logWeights[row]! += Math.log(weight);
      return token;
    };
    const first = await batch.start();
    for (const row of batch.open()) batch.settle(row, { drawn: draw(row, first(row)) });
    await batch.end();
    while (batch.open().length > 0) {
      const { laws } = await batch.forward(batch.rows.map(() => []));
      for (const row of batch.open()) batch.settle(row, { drawn: draw(row, laws(row, 0)) });
      await batch.end();
    }
    return { ...batch.finish(), logWeights };
  },
});
