/** What an optimiser is: arithmetic on one weight's numbers, with moments that it names itself. */
import type { HostTensors } from '../../tensor/program.ts';

export type Step = {
  /** Counted from 1. */
  readonly step: number;
  /** Learning rate now, as a fraction of each group's own rate. */
  readonly rate: number;
  /** Gradients are multiplied by this: clipping and the mean over accumulated batches. */
  readonly gradientScale: number;
};

export type Optimiser = {
  /** Moments, all zero, named '<weight>/<moment>'. */
  readonly moments: (weights: HostTensors) => HostTensors;
  /** Changes `weights` and `moments` in place. */
  readonly update: (
    weights: HostTensors,
    gradients: HostTensors,
    moments: HostTensors,
    step: Step,
  ) => Promise<void>;
};

export function zerosLike(weights: HostTensors, moment: string): HostTensors {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => [
      `${name}/${moment}`,
      { data: new Float32Array(data.length), shape },
    ]),
  );
}
