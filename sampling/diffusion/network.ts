/** A network's prediction as the clean estimate that solvers ask for. */
import type { Denoise, Row } from './driver.ts';
import { conversion, type Prediction } from './prediction.ts';
import type { Schedule } from './solver.ts';

/** As long as x, row after row. `variance` is a fraction of its range, where the network learns one. */
export type Predicted = { readonly prediction: Float32Array; readonly variance?: Float32Array };
/** x is rows * length; the answer has the rows in the same order. */
export type Network = (batch: {
  readonly x: Float32Array;
  readonly rows: readonly Row[];
}) => Promise<Predicted>;

/** Converts each row's prediction at its own t. */
export function denoiseBy(network: Network, from: Prediction, schedule: Schedule): Denoise {
  return async ({ x, rows }) => {
    const { prediction: predicted, ...learned } = await network({ x, rows });
    if (from === 'clean') return { clean: predicted, ...learned };
    const length = x.length / rows.length;
    const clean = new Float32Array(x.length);
    for (const [row, { t }] of rows.entries()) {
      const weights = conversion(from, 'clean', schedule, t);
      for (let i = row * length; i < (row + 1) * length; i++) {
        clean[i] = weights.x * x[i]! + weights.value * predicted[i]!;
      }
    }
    return from === 'velocity' ? { clean, velocity: predicted, ...learned } : { clean, ...learned };
  };
}
