/** Initial values of learned weights of position methods. */
import type { HostTensor } from '../../tensor/program.ts';
import type { Rng } from '../../tensor/rng.ts';
import { sizeOf } from '../../tensor/shape.ts';

/** Xavier: uniform within sqrt(6 / (O + I)) for the matrices [O, I] that the last two axes are. */
export function uniformWeights(shape: readonly number[], rng: Rng): HostTensor {
  const limit = Math.sqrt(6 / (shape.at(-1)! + shape.at(-2)!));
  const data = Float32Array.from({ length: sizeOf(shape) }, () => (2 * rng.uniform() - 1) * limit);
  return { data, shape };
}
