/**
 * Adam (Kingma and Ba 2015, algorithm 1) with the L2 penalty inside the gradient, where AdamW takes it
 * out: what older recipes mean by Adam with weight decay.
 */
import { type AdamWOptions, adamW } from './adamw.ts';
import type { Optimiser } from './optimiser.ts';

export function adam({ decay = 0, ...options }: AdamWOptions): Optimiser {
  const inner = adamW(options);
  return {
    moments: inner.moments,
    async update(weights, gradients, moments, step) {
      for (const [name, { data: weight }] of Object.entries(weights)) {
        const gradient = gradients[name]!.data;
        for (let i = 0; i < weight.length; i++)
          gradient[i] = gradient[i]! * step.gradientScale + decay * weight[i]!;
      }
      await inner.update(weights, gradients, moments, { ...step, gradientScale: 1 });
    },
  };
}
