/** AdamW (Loshchilov and Hutter 2019, algorithm 2), one pass over memory a weight. */
import type { HostTensors } from '../../tensor/program.ts';
import { type Optimiser, type Step, zerosLike } from './optimiser.ts';

export type AdamWOptions = {
  readonly rate: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /** Decoupled: weights shrink by rate * decay a step. */
  readonly decay?: number;
  /** Rates of their own for weights whose name matches, first match first. */
  readonly rates?: readonly { readonly match: RegExp; readonly rate: number }[];
};

export function adamW({
  rate,
  betas = [0.9, 0.999],
  eps = 1e-8,
  decay = 0,
  rates = [],
}: AdamWOptions): Optimiser {
  return {
    moments: (weights) => ({ ...zerosLike(weights, 'first'), ...zerosLike(weights, 'second') }),
    async update(weights, gradients, moments, step) {
      for (const [name, { data }] of Object.entries(weights)) {
        const own = rates.find(({ match }) => match.test(name))?.rate ?? rate;
        adamWStep(
          data as Float32Array,
          gradients[name]!.data as Float32Array,
          momentOf(moments, name, 'first'),
          momentOf(moments, name, 'second'),
          { ...step, rate: own * step.rate, betas, eps, decay },
        );
      }
    },
  };
}

export const momentOf = (moments: HostTensors, name: string, moment: string): Float32Array =>
  moments[`${name}/${moment}`]!.data as Float32Array;

type Constants = Step & {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly decay: number;
};

function adamWStep(
  weight: Float32Array,
  gradient: Float32Array,
  first: Float32Array,
  second: Float32Array,
  { step, rate, gradientScale, betas: [beta1, beta2], eps, decay }: Constants,
): void {
  const unbias1 = rate / (1 - beta1 ** step);
  const unbias2 = 1 / Math.sqrt(1 - beta2 ** step);
  const keep = 1 - rate * decay;
  for (let i = 0; i < weight.length; i++) {
    const g = gradient[i]! * gradientScale;
    const m = beta1 * first[i]! + (1 - beta1) * g;
    const v = beta2 * second[i]! + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    weight[i] = weight[i]! * keep - (unbias1 * m) / (Math.sqrt(v) * unbias2 + eps);
  }
}
