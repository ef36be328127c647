/** Plans of speculative sampling that learn: draft lengths of ragged batches, arms chosen by bandits. */
import type { Drafter } from './drafters/drafter.ts';
import { type Chooser, type RaggedOptions, raggedLength } from './lengths.ts';
import type { Arm, Plan } from './speculative.ts';

/** One length for the whole batch, adapted by what its rows accept (BASS). */
export function raggedPlan(drafter: Drafter, options: RaggedOptions = {}): Plan {
  const { limit = 32 } = options;
  const lengths = raggedLength({ ...options, limit });
  return {
    arms: [{ drafter, length: limit }],
    next: () => ({ drafter, length: lengths.length }),
    learn: (_, accepted) => lengths.update(accepted),
  };
}

/** What a round with an arm takes, in passes over one token. */
export type ArmCost = (arm: Arm) => number;

/**
 * Drafters and lengths as a bandit's arms (BanditSpec); the reward is tokens decided a row, over what the
 * round costs (Ours: without a cost the longest drafts always win; measured times would change tokens
 * from run to run).
 */
export function banditPlan(
  arms: readonly Arm[],
  createChooser: (arms: number, most: number) => Chooser,
  costOf: ArmCost = () => 1,
): Plan {
  const most = Math.max(...arms.map((arm) => (arm.length + 1) / costOf(arm)));
  const chooser = createChooser(arms.length, most);
  const counts = arms.map(() => 0);
  const totals = arms.map(() => 0);
  return {
    arms,
    next: () => arms[chooser.choose()]!,
    learn: (arm, accepted) => {
      const decided = accepted.reduce((sum, n) => sum + n + 1, 0);
      const reward = decided / accepted.length / costOf(arm);
      const index = arms.indexOf(arm);
      chooser.reward(index, reward);
      counts[index]!++;
      totals[index]! += reward;
    },
    told: () =>
      arms.map(({ drafter, length }, i) => ({
        ...{ drafter: drafter.name, length, rounds: counts[i]! },
        reward: counts[i] ? totals[i]! / counts[i] : 0,
      })),
  };
}
