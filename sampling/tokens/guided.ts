/**
 * Classifier-free guidance of token models (Ho and Salimans 2022, eq. 6, on logits as in LlamaGen):
 * unconditional + scale (conditional - unconditional). One model of 2 B rows, whose rows B ... 2 B - 1
 * have the null condition, becomes a model of B rows.
 */
import type { Draft, TokenModel } from './contract.ts';

/** Factor of guidance at a place of the sequence; 1 is the conditional model alone. */
export type GuidanceScale = number | ((position: number) => number);

export function guided(model: TokenModel, scale: GuidanceScale): TokenModel {
  if (model.batch % 2 !== 0) {
    throw new RangeError(
      `guided: expected a model with an even number of rows, conditions and null conditions, got ${model.batch}`,
    );
  }
  const batch = model.batch / 2;
  const { vocabulary } = model;
  const scaleAt = typeof scale === 'number' ? () => scale : scale;
  /** Mixes the two halves of `logits` [2 B, n, V] into the first, as far as a row has `places` that they are about. */
  const mix = (
    logits: Float32Array,
    n: number,
    places: (row: number) => readonly number[],
  ): Float32Array => {
    const half = batch * n * vocabulary;
    for (let row = 0; row < batch; row++) {
      for (const [index, place] of places(row).entries()) {
        const factor = scaleAt(place);
        const start = (row * n + index) * vocabulary;
        for (let i = start; i < start + vocabulary; i++) {
          const free = logits[half + i]!;
          logits[i] = free + factor * (logits[i]! - free);
        }
      }
    }
    return logits.subarray(0, half);
  };

  return {
    ...{ vocabulary, batch, length: model.length, window: model.window },
    get lengths() {
      return Array.from({ length: batch }, (_, row) => model.lengths[row]!);
    },
    async start() {
      return mix(await model.start(), 1, () => [0]);
    },
    async forward(rows) {
      const { window, logits, hidden } = await model.forward([...rows, ...rows]);
      const mixed = mix(logits, window, (row) => placesOf(rows[row]!, model.lengths[row]!));
      const conditional = hidden?.subarray(0, hidden.length / 2);
      return { window, logits: mixed, ...(conditional ? { hidden: conditional } : {}) };
    },
    commit(row, kept) {
      model.commit(row, kept);
      model.commit(batch + row, kept);
    },
    rollBack(row, length) {
      model.rollBack(row, length);
      model.rollBack(batch + row, length);
    },
  };
}

/** The place that each new token's logits are about, after `committed` tokens. */
function placesOf({ tokens, positions, targets, parents }: Draft, committed: number): number[] {
  const places: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const parent = parents?.[i] ?? i - 1;
    const after = (parent < 0 ? committed : places[parent]!) + 1;
    places.push(targets?.[i] ?? (positions ? positions[i]! + 1 : after));
  }
  return places;
}
