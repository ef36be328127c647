/**
 * How many tokens to draft, and by which drafter, in the next round. The choice sees past rounds only,
 * so it cannot change what is drawn: any rule keeps the law.
 */
import type { Rng } from '../../tensor/rng.ts';

export type Chooser = {
  /** Index of the arm of the next round. */
  choose(): number;
  /** What the round with that arm was worth. */
  reward(arm: number, value: number): void;
};

/**
 * UCB (Hou et al. 2025, BanditSpec, Algorithm 2): each arm once, then the largest of mean + sqrt(c ln t / n),
 * n the arm's own count. Rewards are divided by `most`.
 */
export function ucb(arms: number, { c = 2, most = 1 } = {}): Chooser {
  const counts = new Float64Array(arms);
  const means = new Float64Array(arms);
  let rounds = 0;
  const bound = (arm: number) => means[arm]! + Math.sqrt((c * Math.log(rounds)) / counts[arm]!);
  return {
    choose: () => {
      const untried = counts.indexOf(0);
      if (untried >= 0) return untried;
      let best = 0;
      for (let arm = 1; arm < arms; arm++) if (bound(arm) > bound(best)) best = arm;
      return best;
    },
    reward: (arm, value) => {
      rounds++;
      counts[arm]!++;
      means[arm]! += (value / most - means[arm]!) / counts[arm]!;
    },
  };
}

/**
 * EXP3 (Auer et al. 2002, figure 1): arms by exponential weights of importance-weighted rewards, mixed
 * with the uniform law by `gamma`. Rewards are divided by `most` and must then be from 0 to 1.
 */
export function exp3(arms: number, rng: Rng, { gamma = 0.1, most = 1 } = {}): Chooser {
  const scores = new Float64Array(arms);
  const chances = (): Float64Array => {
    const top = scores.reduce((a, b) => Math.max(a, b));
    const weights = scores.map((score) => Math.exp(score - top));
    const total = weights.reduce((a, b) => a + b);
    return weights.map((weight) => ((1 - gamma) * weight) / total + gamma / arms);
  };
  return {
    choose: () => {
      let u = rng.uniform();
      const all = chances();
      for (let arm = 0; arm < arms; arm++) {
        u -= all[arm]!;
        if (u < 0) return arm;
      }
      return arms - 1;
    },
    reward: (arm, value) => {
      scores[arm]! += (gamma * value) / (most * chances()[arm]! * arms);
    },
  };
}

export type RaggedOptions = {
  readonly first?: number;
  readonly increase?: number;
  readonly modulus?: number;
  readonly limit?: number;
};

/**
 * Draft length of a ragged batch (BASS, Qian et al. 2024, Algorithm 1): longer when a row accepted all,
 * else down towards what was accepted, faster at the second time in a row. Their constants.
 */
export function raggedLength({
  first = 7,
  increase = 2,
  modulus = 10,
  limit = 32,
}: RaggedOptions = {}) {
  let length = Math.min(first, limit);
  let decreased = 0;
  return {
    get length() {
      return length;
    },
    /** Accepted drafts of each row that had drafts, in the round just done. */
    update(accepted: readonly number[]): void {
      const most = Math.max(0, ...accepted);
      if (most >= length) {
        length = Math.min(length + increase, limit);
        decreased = 0;
        return;
      }
      length = Math.max(1, most, length - Math.ceil(length / modulus) - decreased);
      decreased = 1;
    },
  };
}
