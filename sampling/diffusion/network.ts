/** A network's prediction as the clean estimate that solvers ask for. */
import type { Denoise, Row } from './driver.ts';
import { conversion, type Prediction } from './prediction.ts';
import type { Schedule } from './solver.ts';

/** x is rows * length; the answer has the rows in the same order, predictions only. */
export type Network = (batch: {
  readonly x: Float32Array;
  readonly rows: readonly Row[];
}) => Promise<Float32Array>;

/** Converts each row's prediction at its own t. */
export function denoiseBy(network: Network, from: Prediction, schedule: Schedule): Denoise {
  return async ({ x, rows }) => {
    const predicted = await network({ x, rows });
    if (from === 'clean') return { clean: predicted };
    const length = x.length / rows.length;
    const clean = new Float32Array(x.length);
    for (const [row, { t }] of rows.entries()) {
      const weights = conversion(from, 'clean', schedule, t);
      for (let i = row * length; i < (row + 1) * length; i++) {
        clean[i] = weights.x * x[i]! + weights.value * predicted[i]!;
      }
    }
    return from === 'velocity' ? { clean, velocity: predicted } : { clean };
  };
}
