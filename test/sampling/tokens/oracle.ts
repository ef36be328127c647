/**
 * Token models whose joint law is known: logits are a function of the tokens seen, by place. They keep
 * a cache as networks do, with rows of any length, trees and rolling back, and count their passes.
 */
import type { Draft, TokenModel } from '../../../sampling/tokens/contract.ts';
import { createRng } from '../../../tensor/rng.ts';

/** Logits [V] of the token at `target`, from the tokens seen at each place, -1 where none was. */
export type LogitsOf = (seen: Int32Array, target: number, row: number) => Float32Array;
export type Toy = {
  readonly vocabulary: number;
  readonly length: number;
  readonly logitsOf: LogitsOf;
};

/** Random conditionals of every prefix: nothing is independent of anything. */
export function randomJoint(vocabulary: number, length: number, seed: number, spread = 1): Toy {
  const rng = createRng(seed);
  const tables = Array.from({ length }, (_, place) =>
    rng.stream(`${place}`).normals(vocabulary ** (place + 1)),
  );
  for (const table of tables) for (let i = 0; i < table.length; i++) table[i]! *= spread;
  return {
    ...{ vocabulary, length },
    logitsOf: (seen, target) => {
      let index = 0;
      for (let place = 0; place < target; place++)
        index = index * vocabulary + Math.max(0, seen[place]!);
      return tables[target]!.slice(index * vocabulary, (index + 1) * vocabulary);
    },
  };
}

/** A lattice in which a token depends on its left and upper neighbours, as far as they are seen. */
export function lattice(
  vocabulary: number,
  { height, width }: { height: number; width: number },
  seed: number,
  spread = 1,
): Toy {
  const rng = createRng(seed);
  const [left, above] = ['left', 'above'].map((name) => rng.stream(name).normals(vocabulary ** 2));
  const own = rng.stream('own').normals(vocabulary);
  return {
    ...{ vocabulary, length: height * width },
    logitsOf: (seen, target) => {
      const out = own.map((value) => value * spread);
      const add = (table: Float32Array, place: number) => {
        const token = seen[place]!;
        if (token < 0) return;
        for (let i = 0; i < vocabulary; i++) out[i]! += spread * table[token * vocabulary + i]!;
      };
      if (target % width > 0) add(left!, target - 1);
      if (target >= width) add(above!, target - width);
      return out;
    },
  };
}

export type Oracle = TokenModel & { readonly passes: number };

type Slot = { readonly token: number; readonly position: number };

export function oracle({ vocabulary, length, logitsOf }: Toy, batch = 1, most = 64): Oracle {
  const kept: Slot[][] = Array.from({ length: batch }, () => []);
  let waiting: readonly Draft[] = [];
  let passes = 0;
  const seenBy = (row: number, extra: readonly Slot[]): Int32Array => {
    const seen = new Int32Array(length).fill(-1);
    for (const { token, position } of [...kept[row]!, ...extra]) seen[position] = token;
    return seen;
  };
  /** A new token and its ancestors among the new ones. */
  const chainTo = (row: number, { tokens, positions, parents }: Draft, index: number): Slot[] => {
    const parent = parents?.[index] ?? index - 1;
    const before = parent < 0 ? [] : chainTo(row, waiting[row]!, parent);
    const last = before.at(-1)?.position ?? kept[row]!.at(-1)?.position ?? -1;
    const token = tokens[index]!;
    if (!(Number.isInteger(token) && token >= 0 && token < vocabulary))
      throw new RangeError(`oracle: token ${token}`);
    return [...before, { token, position: positions?.[index] ?? last + 1 }];
  };
  return {
    ...{ vocabulary, length, batch, window: most },
    get passes() {
      return passes;
    },
    get lengths() {
      return kept.map((row) => row.length);
    },
    async start() {
      passes++;
      const logits = new Float32Array(batch * vocabulary);
      for (let row = 0; row < batch; row++) {
        kept[row]!.length = 0;
        logits.set(logitsOf(seenBy(row, []), 0, row), row * vocabulary);
      }
      return logits;
    },
    async forward(rows) {
      if (rows.length !== batch) throw new RangeError(`oracle: ${rows.length} rows`);
      passes++;
      waiting = rows;
      const window = Math.max(1, ...rows.map(({ tokens }) => tokens.length));
      if (window > most) throw new RangeError(`oracle: window ${window}`);
      const logits = new Float32Array(batch * window * vocabulary);
      const hidden = new Float32Array(batch * window * vocabulary);
      for (const [row, draft] of rows.entries()) {
        if (draft.tokens.length > 0 && kept[row]!.length + draft.tokens.length > length - 1)
          throw new RangeError(`oracle: row ${row} is too long`);
        for (let i = 0; i < draft.tokens.length; i++) {
          const chain = chainTo(row, draft, i);
          const target = draft.targets?.[i] ?? chain.at(-1)!.position + 1;
          if (target >= length) continue;
          const answer = logitsOf(seenBy(row, chain), target, row);
          logits.set(answer, (row * window + i) * vocabulary);
          hidden.set(answer, (row * window + i) * vocabulary);
        }
      }
      return { window, logits, hidden };
    },
    commit(row, given) {
      const draft = waiting[row]!;
      const path = typeof given === 'number' ? Array.from({ length: given }, (_, i) => i) : given;
      if (path.length === 0) return;
      for (const [i, index] of path.entries())
        if ((draft.parents?.[index] ?? index - 1) !== (path[i - 1] ?? -1))
          throw new RangeError(`oracle: no path ${path}`);
      kept[row]!.push(...chainTo(row, draft, path.at(-1)!));
    },
    rollBack(row, to) {
      if (to > kept[row]!.length) throw new RangeError(`oracle: cannot roll back to ${to}`);
      kept[row]!.length = to;
    },
  };
}

/** The probability of every sequence, V^N of them, first token slowest. */
export function jointOf(
  toy: Toy,
  lawOf: (logits: Float32Array) => ArrayLike<number>,
): Float64Array {
  const { vocabulary, length, logitsOf } = toy;
  const joint = new Float64Array(vocabulary ** length);
  const seen = new Int32Array(length).fill(-1);
  const walk = (place: number, index: number, p: number): void => {
    if (place === length) {
      joint[index] = p;
      return;
    }
    const law = lawOf(logitsOf(seen, place, 0));
    for (let token = 0; token < vocabulary; token++) {
      seen[place] = token;
      walk(place + 1, index * vocabulary + token, p * law[token]!);
    }
    seen[place] = -1;
  };
  walk(0, 0, 1);
  return joint;
}

export const indexOf = (tokens: ArrayLike<number>, vocabulary: number): number => {
  let index = 0;
  for (let i = 0; i < tokens.length; i++) index = index * vocabulary + tokens[i]!;
  return index;
};
