/**
 * Instructive decoding (Kim et al. 2024, eq. 3): logits under the condition less `epsilon` times the
 * logits under a noisy or opposite one. Rows B ... 2 B - 1 of the model have the noisy conditions. It is
 * classifier-free guidance at scale 1 / (1 - epsilon), times 1 - epsilon.
 */
import type { TokenModel } from './contract.ts';
import { guided } from './guided.ts';

export function instructive(model: TokenModel, epsilon: number): TokenModel {
  if (!(epsilon >= 0 && epsilon < 1))
    throw new RangeError(`instructive: expected an epsilon from 0 to below 1, got ${epsilon}`);
  const inner = guided(model, 1 / (1 - epsilon));
  const scaled = (logits: Float32Array): Float32Array => logits.map((z) => z * (1 - epsilon));
  return {
    ...inner,
    get lengths() {
      return inner.lengths;
    },
    start: async () => scaled(await inner.start()),
    forward: async (rows) => {
      const answer = await inner.forward(rows);
      return { ...answer, logits: scaled(answer.logits) };
    },
  };
}
