/**
 * What followed the most similar hidden states (DReSD, Gritta et al. 2025, section 3: a store of reduced
 * hidden states and the tokens after them). Keys are the states that a pass gives anyway, times a random
 * matrix, of length 1; neighbours are exact. The drafter's law at each step is the share of the
 * neighbours whose tokens agree with the drafts so far; without such, the uniform law. Where the network
 * gives no hidden states, the drafter knows nothing.
 */
import type { Rng } from '../../../tensor/rng.ts';
import { type Law, uniformLaw } from '../law.ts';
import type { Drafter } from './drafter.ts';

export type Neighbour = { readonly similarity: number; readonly tokens: readonly number[] };
export type RetrievalStore = {
  add(state: ArrayLike<number>, tokens: readonly number[]): void;
  /** The `count` most similar entries, best first. */
  nearest(state: ArrayLike<number>, count: number): Neighbour[];
};

/** Keeps states of `width` numbers as `reduced` numbers each. */
export function retrievalStore(width: number, reduced: number, rng: Rng): RetrievalStore {
  const matrix = rng.normals(width * reduced);
  const entries: { key: Float64Array; tokens: readonly number[] }[] = [];
  const keyOf = (state: ArrayLike<number>): Float64Array => {
    if (state.length !== width)
      throw new RangeError(`retrieval: expected states of ${width} numbers, got ${state.length}`);
    const key = new Float64Array(reduced);
    for (let i = 0; i < width; i++)
      for (let j = 0; j < reduced; j++) key[j]! += state[i]! * matrix[i * reduced + j]!;
    const norm = Math.hypot(...key) || 1;
    return key.map((value) => value / norm);
  };
  return {
    add: (state, tokens) => {
      entries.push({ key: keyOf(state), tokens });
    },
    nearest: (state, count) => {
      const key = keyOf(state);
      return entries
        .map(({ key: other, tokens }) => {
          let similarity = 0;
          for (let j = 0; j < reduced; j++) similarity += key[j]! * other[j]!;
          return { similarity, tokens };
        })
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, count);
    },
  };
}

export type RetrievalOptions = {
  /** Filled before from other pictures; it is only read. */
  readonly store: RetrievalStore;
  readonly neighbours: number;
  /** Weight of the uniform law beside the neighbours', from 0 to 1. */
  readonly doubt?: number;
};

/** Entries hold the token that the state predicted and those after it. */
export function retrieval({ store, neighbours, doubt = 0.1 }: RetrievalOptions): Drafter {
  let vocabulary = 0;
  const found = new Map<number, { readonly decided: number; readonly near: Neighbour[] }>();
  const lawOf = (near: readonly Neighbour[], drafted: readonly number[]): Law => {
    const law = uniformLaw(vocabulary);
    const next = near
      .filter(({ tokens }) => drafted.every((token, i) => tokens[i] === token))
      .flatMap(({ tokens }) => tokens[drafted.length] ?? []);
    if (next.length === 0) return law;
    for (let i = 0; i < vocabulary; i++) law[i]! *= doubt;
    for (const token of next) law[token]! += (1 - doubt) / next.length;
    return law;
  };
  return {
    name: 'retrieval',
    begin: (model) => {
      vocabulary = model.vocabulary;
      found.clear();
    },
    laws: (asked) =>
      asked.map(({ row, tokens, decided }) => {
        const entry = found.get(row);
        const near = entry?.decided === decided ? entry.near : [];
        return lawOf(near, tokens.slice(decided - 1));
      }),
    observe: (row, decided, hidden) => {
      if (hidden)
        found.set(row, { decided: decided.length, near: store.nearest(hidden, neighbours) });
    },
  };
}
