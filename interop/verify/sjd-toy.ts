/** The authors' toy of speculative Jacobi decoding: its law, and the random numbers of whole decodes by pass and slot. */
import type { Law } from '../../sampling/tokens/law.ts';
import { type Fixture, numbersOf, tensorOf } from './fixture.ts';

export type Toy = {
  /** Tokens of the vocabulary, to decode, and in a window. */
  readonly V: number;
  readonly N: number;
  readonly W: number;
  /** The two tokens that are given. */
  readonly start: readonly number[];
  /** A softmax of what the last two tokens and the place say. */
  readonly lawAfter: (prefix: readonly number[]) => Law;
  /** By pass: tokens of new slots, uniform numbers for redraws by slot, and those for residuals in turn. */
  readonly fresh: readonly Float64Array[];
  readonly redraws: readonly Float64Array[];
  readonly residuals: readonly Float64Array[];
  /** What judges a token in a slot of a pass. */
  readonly judgeAt: (pass: number, slot: number, token: number) => number;
  /** Uniform numbers [V] of the first window's slots, and of those that a pass adds. */
  readonly noise: readonly Float64Array[];
  readonly addedNoise: (pass: number, index: number) => Float64Array;
};

export function rowsOf(values: Float64Array, width: number): Float64Array[] {
  const count = values.length / width;
  return Array.from({ length: count }, (_, i) => values.slice(i * width, (i + 1) * width));
}

export function toyOf(fixture: Fixture): Toy {
  const { V, N, W } = fixture.config as Pick<Toy, 'V' | 'N' | 'W'>;
  const table = (name: string, width: number) => rowsOf(tensorOf(fixture, name).data, width);
  const [last, second, place] = [table('in/W1', V), table('in/W2', V), table('in/P', V)];
  const [rs, added] = [table('in/rs', V), table('in/table_new', V)];
  return {
    ...{ V, N, W, start: numbersOf(fixture, 'in/start') },
    lawAfter: (prefix) => {
      const [b, a, t] = [prefix.at(-2)!, prefix.at(-1)!, prefix.length - 2];
      const weights = last[a]!.map((value, i) => Math.exp(value + second[b]![i]! + place[t]![i]!));
      const total = weights.reduce((sum, value) => sum + value, 0);
      return weights.map((value) => value / total);
    },
    fresh: table('in/fresh', W),
    redraws: table('in/adv_u', W),
    residuals: table('in/mult_u', W),
    judgeAt: (pass, slot, token) => rs[pass * W + slot]![token]!,
    noise: table('in/table0', V),
    addedNoise: (pass, index) => added[pass * W + index]!,
  };
}
