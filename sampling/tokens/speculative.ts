/**
 * Speculative sampling (Leviathan et al. 2023, Algorithm 1; Chen et al. 2023): a drafter proposes some
 * tokens, one pass verifies them, and the first rejected place is drawn from the residual. Rows of a
 * batch keep what they accepted, each its own number (ragged batches: BASS, Qian et al. 2024).
 */

import type { Rng } from '../../tensor/rng.ts';
import type { TokenModel } from './contract.ts';
import { type ArmRounds, checkDrafts, type Decoder, openBatch } from './decoder.ts';
import { type Drafter, propose } from './drafters/drafter.ts';
import { drawAt, type Law } from './law.ts';
import { exact, type Rule } from './verify.ts';

/** A drafter and how many tokens it drafts. */
export type Arm = { readonly drafter: Drafter; readonly length: number };
/** What to do in the next round, told what each unfinished row accepted in the one before. */
export type Plan = {
  readonly arms: readonly Arm[];
  next(): Arm;
  learn?(arm: Arm, accepted: readonly number[]): void;
  /** Of a plan that chooses: what each arm came to. */
  told?(): readonly ArmRounds[];
};

/** The same drafter and length at every pass. */
export const fixedPlan = (arm: Arm): Plan => ({ arms: [arm], next: () => arm });

export const speculative = (
  /** Told the rows' random numbers, of which a plan may draw by streams of its own. */
  createPlan: (model: TokenModel, rngs: readonly Rng[]) => Plan,
  rule: Rule = exact,
): Decoder => ({
  name: rule.name || 'speculative',
  property: rule.property,
  async decode(model, options) {
    const batch = openBatch(model, options);
    const plan = createPlan(model, options.rngs);
    for (const { length } of plan.arms) checkDrafts('length', length, model);
    // Arms may share a drafter, which begins and learns once.
    const drafters = new Set(plan.arms.map(({ drafter }) => drafter));
    for (const drafter of drafters) drafter.begin?.(model);
    const uniform = (row: number, place: number) => batch.streams[row]!('verify', place).uniform();
    const first = await batch.start();
    for (const row of batch.open())
      batch.settle(row, { drawn: drawAt(first(row), uniform(row, 0)) });
    await batch.end();

    while (batch.open().length > 0) {
      const arm = plan.next();
      const counts = batch.rows.map((_, row) => Math.min(arm.length, batch.room(row)));
      const proposals = await propose(arm.drafter, batch, { counts });
      const { laws, hidden } = await batch.forward(proposals.map(({ tokens }) => tokens));
      const accepted: number[] = [];
      for (const row of batch.open()) {
        const { tokens: drafted, laws: q } = proposals[row]!;
        const start = batch.rows[row]!.length;
        const told = verifyChain({
          ...{ drafted, q, rule, p: (i: number) => laws(row, i) },
          uniform: (i) => uniform(row, start + i),
        });
        accepted.push(told.accepted);
        batch.settle(row, { drafted, ...told });
        for (const drafter of drafters)
          drafter.observe?.(row, batch.rows[row]!, hidden(row, told.accepted));
      }
      plan.learn?.(arm, accepted);
      await batch.end();
    }
    return { ...batch.finish(), ...(plan.told ? { arms: plan.told() } : {}) };
  },
});

type Chain = {
  readonly drafted: readonly number[];
  readonly q: readonly Law[];
  readonly rule: Rule;
  readonly p: (index: number) => Law;
  readonly uniform: (index: number) => number;
};

/** Drafts that are kept, and the token after them. */
export function verifyChain({ drafted, q, rule, p, uniform }: Chain) {
  for (const [i, token] of drafted.entries()) {
    const law = p(i);
    if (uniform(i) < rule.acceptance(law, q[i]!, token)) continue;
    return {
      accepted: i,
      drawn: drawAt(rule.otherwise(law, q[i]!, token), uniform(i)),
      redrawn: true,
    };
  }
  const accepted = drafted.length;
  return { accepted, drawn: drawAt(p(accepted), uniform(accepted)), redrawn: false };
}
