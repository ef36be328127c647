/** What a bandit's arms came to over several decodings, and which of them was best in hindsight. */
import type { ArmRounds, Decoding } from '../sampling/tokens/decoder.ts';

/** The arms of decodings by one bandit, taken together; nothing of other decoders. */
export function pooledArms(decodings: readonly Decoding[]): {
  readonly arms?: readonly ArmRounds[];
} {
  const told = decodings.flatMap(({ arms }) => (arms ? [arms] : []));
  const [first] = told;
  if (!first) return {};
  const arms = first.map(({ drafter, length }, i) => {
    const rounds = told.reduce((sum, all) => sum + all[i]!.rounds, 0);
    const total = told.reduce((sum, all) => sum + all[i]!.rounds * all[i]!.reward, 0);
    return { drafter, length, rounds, reward: rounds === 0 ? 0 : total / rounds };
  });
  return { arms };
}

/** The arm with the largest mean reward, and its share of all rounds. */
export function bestArm(arms: readonly ArmRounds[]): ArmRounds & { readonly share: number } {
  const best = arms.reduce((a, b) => (b.reward > a.reward ? b : a));
  const rounds = arms.reduce((sum, arm) => sum + arm.rounds, 0);
  return { ...best, share: best.rounds / rounds };
}
