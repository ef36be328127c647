/**
 * From logits to the law that is drawn from: temperature, then top-k, top-p (Holtzman et al. 2020,
 * section 3.1) and min-p (Nguyen et al. 2024, section 3). What counts as the model's law in every
 * decoder is the law after these.
 *
 * Ours: top-k keeps exactly k, the lower token first among equals; top-p keeps the smallest set of the
 * likeliest tokens that reaches p; temperature 0 is the likeliest token.
 */
import { type Law, normalise, pointMass } from './law.ts';

export type Filters = {
  /** Divides the logits. Default: 1 */
  readonly temperature?: number;
  /** The likeliest tokens that are kept. Default: all */
  readonly topK?: number;
  /** Probability that the kept tokens reach together, above 0. Default: 1 */
  readonly topP?: number;
  /** Least probability that is kept, as a part of the largest. Default: 0 */
  readonly minP?: number;
};

export type Filter = (logits: ArrayLike<number>) => Law;

export function createFilter(filters: Filters, vocabulary: number): Filter {
  const { temperature = 1, topK, topP = 1, minP = 0 } = filters;
  check(filters, vocabulary);
  return (logits) => {
    if (temperature === 0) return pointMass(vocabulary, largest(logits));
    const law = softmax(logits, temperature);
    if (topK !== undefined && topK < vocabulary) keep(law, (order) => order.slice(0, topK));
    if (topP < 1) keep(law, (order) => order.slice(0, reaching(law, order, topP)));
    if (minP > 0) {
      const least = minP * law[largest(law)]!;
      for (let i = 0; i < law.length; i++) if (law[i]! < least) law[i] = 0;
      normalise(law);
    }
    return law;
  };
}

function check({ temperature = 1, topK, topP = 1, minP = 0 }: Filters, vocabulary: number): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new RangeError(`temperature: expected a number from 0, got ${temperature}`);
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1 && topK <= vocabulary))
    throw new RangeError(
      `top-k: expected an integer from 1 to the vocabulary's ${vocabulary}, got ${topK}`,
    );
  if (!(topP > 0 && topP <= 1))
    throw new RangeError(`top-p: expected a number above 0, up to 1, got ${topP}`);
  if (!(minP >= 0 && minP <= 1))
    throw new RangeError(`min-p: expected a number from 0 to 1, got ${minP}`);
}

export function softmax(logits: ArrayLike<number>, temperature: number): Law {
  const law = new Float64Array(logits.length);
  const top = logits[largest(logits)]!;
  for (let i = 0; i < law.length; i++) law[i] = Math.exp((logits[i]! - top) / temperature);
  normalise(law);
  return law;
}

function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Keeps what `choose` keeps of the tokens, likeliest first. */
function keep(law: Law, choose: (order: number[]) => readonly number[]): void {
  const order = Array.from(law.keys()).sort((a, b) => law[b]! - law[a]! || a - b);
  const kept = choose(order).map((token) => [token, law[token]!] as const);
  law.fill(0);
  for (const [token, p] of kept) law[token] = p;
  normalise(law);
}

function reaching(law: Law, order: readonly number[], p: number): number {
  let sum = 0;
  const last = order.findIndex((token) => {
    sum += law[token]!;
    return sum >= p;
  });
  return last < 0 ? order.length : last + 1;
}
