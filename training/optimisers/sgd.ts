/**
 * Stochastic gradient descent with Nesterov's momentum in the form that frameworks share (Sutskever et
 * al. 2013, with the velocity in units of gradients): v = m v + g, w -= rate (g + m v).
 */
import { momentOf } from './adamw.ts';
import { momentsLike, type Optimiser } from './optimiser.ts';

export type SgdOptions = { readonly rate: number; readonly momentum?: number };

export function sgd({ rate, momentum = 0.9 }: SgdOptions): Optimiser {
  return {
    moments: (weights) => momentsLike(weights, 'momentum'),
    async update(weights, gradients, moments, { rate: share, gradientScale }) {
      for (const [name, { data: weight }] of Object.entries(weights)) {
        const gradient = gradients[name]!.data;
        const velocity = momentOf(moments, name, 'momentum');
        for (let i = 0; i < weight.length; i++) {
          const g = gradient[i]! * gradientScale;
          const v = momentum * velocity[i]! + g;
          velocity[i] = v;
          weight[i] = weight[i]! - rate * share * (g + momentum * v);
        }
      }
    },
  };
}
