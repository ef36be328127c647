/** What an optimiser is: arithmetic on one weight's numbers, with moments that it names itself. */
import type { HostTensors } from '../../tensor/program.ts';
import type { Arena } from '../../tensor/simd.ts';

export type Step = {
  /** Counted from 1. */
  readonly step: number;
  /** Learning rate now, as a fraction of each group's own rate. */
  readonly rate: number;
  /** Gradients are multiplied by this: clipping and the mean over accumulated batches. */
  readonly gradientScale: number;
  /** Where weights, gradients and moments live. */
  readonly arena: Arena;
  /** What the loss let be seen of each batch of the step. */
  readonly watched?: readonly HostTensors[];
};

/** Shapes of moments, named '<weight>/<moment>'; they start at zero. */
export type Moments = Readonly<Record<string, readonly number[]>>;

export type Optimiser = {
  readonly moments: (weights: HostTensors) => Moments;
  /** Changes `weights` and `moments` in place. */
  readonly update: (
    weights: HostTensors,
    gradients: HostTensors,
    moments: HostTensors,
    step: Step,
  ) => Promise<void>;
  /** Frees the programs of optimisers that have some. */
  readonly dispose?: () => Promise<void>;
};

/** A moment as large as each weight. */
export const momentsLike = (weights: HostTensors, moment: string): Moments =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { shape }]) => [`${name}/${moment}`, shape]),
  );
