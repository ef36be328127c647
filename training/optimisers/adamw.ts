/** AdamW (Loshchilov and Hutter 2019, algorithm 2), one pass over memory a weight. */
import type { HostTensors } from '../../tensor/program.ts';
import { add, compileLoop, div, mul, sqrt, sub } from '../../tensor/simd.ts';
import { momentsLike, type Optimiser } from './optimiser.ts';

export type AdamWOptions = {
  readonly rate: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /** Decoupled: weights shrink by rate * decay a step. */
  readonly decay?: number;
  /** Rates of their own for weights whose name matches, first match first. */
  readonly rates?: readonly { readonly match: RegExp; readonly rate: number }[];
};

/** One pass: moments, then the weight. `unbias1` holds the rate, `unbias2` corrects the root. */
const step = compileLoop(
  ['weight', 'gradient', 'first', 'second'],
  ['scale', 'beta1', 'rest1', 'beta2', 'rest2', 'unbias1', 'unbias2', 'eps', 'shrink'],
  ({ load, scalar, keep, store }) => {
    const gradient = keep(mul(load('gradient'), scalar('scale')));
    const first = keep(add(mul(load('first'), scalar('beta1')), mul(gradient, scalar('rest1'))));
    const square = mul(gradient, gradient);
    const second = keep(add(mul(load('second'), scalar('beta2')), mul(square, scalar('rest2'))));
    const root = add(mul(sqrt(second), scalar('unbias2')), scalar('eps'));
    const move = div(mul(first, scalar('unbias1')), root);
    store('first', first);
    store('second', second);
    store('weight', sub(mul(load('weight'), scalar('shrink')), move));
  },
);

export function adamW({
  rate,
  betas: [beta1, beta2] = [0.9, 0.999],
  eps = 1e-8,
  decay = 0,
  rates = [],
}: AdamWOptions): Optimiser {
  return {
    moments: (weights) => ({ ...momentsLike(weights, 'first'), ...momentsLike(weights, 'second') }),
    async update(weights, gradients, moments, { step: count, rate: share, gradientScale, arena }) {
      for (const [name, { data }] of Object.entries(weights)) {
        const own = share * (rates.find(({ match }) => match.test(name))?.rate ?? rate);
        const arrays = {
          weight: data as Float32Array,
          gradient: gradients[name]!.data as Float32Array,
          first: momentOf(moments, name, 'first'),
          second: momentOf(moments, name, 'second'),
        };
        step(arena, arrays, {
          scale: gradientScale,
          beta1,
          rest1: 1 - beta1,
          beta2,
          rest2: 1 - beta2,
          unbias1: own / (1 - beta1 ** count),
          unbias2: 1 / Math.sqrt(1 - beta2 ** count),
          eps,
          shrink: 1 - own * decay,
        });
      }
    },
  };
}

export const momentOf = (moments: HostTensors, name: string, moment: string): Float32Array =>
  moments[`${name}/${moment}`]!.data as Float32Array;
