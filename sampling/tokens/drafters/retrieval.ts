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

export type Neighbour = { readonly similarity: number; readonly tokens: ArrayLike<number> };
export type RetrievalStore = {
  /** The `count` most similar entries, best first. */
  nearest(state: ArrayLike<number>, count: number): Neighbour[];
};
export type GrowingStore = RetrievalStore & {
  add(state: ArrayLike<number>, tokens: readonly number[]): void;
};

/** Turns states of C numbers into keys of r: times a matrix [C, r], of length 1. */
export function keysBy(matrix: ArrayLike<number>, reduced: number) {
  const width = matrix.length / reduced;
  return (state: ArrayLike<number>): Float64Array => {
    if (state.length !== width)
      throw new RangeError(`retrieval: expected states of ${width} numbers, got ${state.length}`);
    const key = new Float64Array(reduced);
    for (let i = 0; i < width; i++)
      for (let j = 0; j < reduced; j++) key[j]! += state[i]! * matrix[i * reduced + j]!;
    const norm = Math.hypot(...key) || 1;
    return key.map((value) => value / norm);
  };
}

/** Keeps states of `width` numbers as `reduced` numbers each. */
export function retrievalStore(width: number, reduced: number, rng: Rng): GrowingStore {
  const keyOf = keysBy(rng.normals(width * reduced), reduced);
  const entries: { key: Float64Array; tokens: readonly number[] }[] = [];
  return {
    add: (state, tokens) => {
      entries.push({ key: keyOf(state), tokens });
    },
    nearest: (state, count) => {
      const key = keyOf(state);
      const near = mostSimilar(entries.length, count, (i) => product(key, entries[i]!.key, 0));
      return near.map(([i, similarity]) => ({ similarity, tokens: entries[i]!.tokens }));
    },
  };
}

export type StoredPictures = {
  /** [C, r] */
  readonly matrix: ArrayLike<number>;
  /** [N, T - 1, r], of the states before each picture's tokens 1 ... T - 1. */
  readonly keys: ArrayLike<number>;
  /** [N, T] */
  readonly tokens: Int32Array;
  /** T */
  readonly length: number;
};

/** A store of whole pictures, which is only read. */
export function storedPictures({ matrix, keys, tokens, length }: StoredPictures): RetrievalStore {
  const places = (tokens.length / length) * (length - 1);
  const reduced = keys.length / places;
  const keyOf = keysBy(matrix, reduced);
  return {
    nearest: (state, count) => {
      const key = keyOf(state);
      const near = mostSimilar(places, count, (i) => product(key, keys, i * reduced));
      return near.map(([i, similarity]) => {
        const picture = Math.floor(i / (length - 1));
        const start = picture * length + (i % (length - 1)) + 1;
        return { similarity, tokens: tokens.subarray(start, (picture + 1) * length) };
      });
    },
  };
}

function product(key: Float64Array, keys: ArrayLike<number>, from: number): number {
  let sum = 0;
  for (let j = 0; j < key.length; j++) sum += key[j]! * keys[from + j]!;
  return sum;
}

/** The `count` of `among` entries with the largest values, largest first, earlier ones first of equals. */
function mostSimilar(
  among: number,
  count: number,
  similarityOf: (index: number) => number,
): [index: number, value: number][] {
  const best: [number, number][] = [];
  for (let i = 0; i < among; i++) {
    const value = similarityOf(i);
    if (best.length === count && value <= best.at(-1)![1]) continue;
    if (best.length === count) best.pop();
    let at = best.length;
    while (at > 0 && best[at - 1]![1] < value) at--;
    best.splice(at, 0, [i, value]);
  }
  return best;
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
