/** New weights of diffusion transformers, as DiT's (Peebles and Xie 2023). */
import type { HostTensor, HostTensors } from '../tensor/program.ts';
import type { Rng } from '../tensor/rng.ts';
import { sizeOf } from '../tensor/shape.ts';

/** By the tensors' names, in this order: gains of norms are one; `small` is normal 0.02; `zero` stays zero; the rest is Xavier's. */
export type InitialRules = {
  readonly small: RegExp;
  readonly zero: RegExp;
};

/** Each tensor draws from the stream of its own name. Xavier: uniform within sqrt(6 / (O + I)) for [O, ...I]. */
export function initialWeights(
  shapes: Readonly<Record<string, readonly number[]>>,
  { small, zero }: InitialRules,
  rng: Rng,
): HostTensors {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]): [string, HostTensor] => {
      const data = new Float32Array(sizeOf(shape));
      const draw = rng.stream(name);
      if (/norm\w*\.weight$/.test(name)) data.fill(1);
      else if (small.test(name) && !name.endsWith('.bias'))
        data.set(draw.normals(data.length).map((v) => v * 0.02));
      else if (!zero.test(name)) {
        const [out, ...into] = shape as [number, ...number[]];
        const limit = Math.sqrt(6 / (out + sizeOf(into)));
        for (let i = 0; i < data.length; i++) data[i] = (2 * draw.uniform() - 1) * limit;
      }
      return [name, { data, shape }];
    }),
  );
}
