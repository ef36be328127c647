/**
 * How often a reader finds in a picture what was asked for. The rate on generated pictures stands beside that
 * on real drawings with the same conditions, because no reader is perfect, and beside what chance gives, because
 * many attributes are easily guessed ("hat=no").
 */
import type { Rng } from '../tensor/rng.ts';
import type { Attributes, Reading } from './attributes.ts';
import { bootstrap, type Interval, sumOf } from './bootstrap.ts';

/** One picture's score. `style` and `combination` are 1 when found. */
export type Score = {
  readonly style: number;
  readonly found: number;
  readonly asked: number;
  readonly combination: number;
};

/** `conditions` are word ids; words of `style` count apart from other attributes. */
export function scoreReadings(
  attributes: Attributes,
  readings: readonly Reading[],
  conditions: readonly (readonly number[])[],
  combinations: readonly (readonly number[])[] = [],
): Score[] {
  const seen = (reading: Reading, word: number) => reading[attributes.of[word]!] === word;
  return readings.map((reading, i) => {
    const isStyle = (word: number) => attributes.of[word] === attributes.style;
    const others = conditions[i]!.filter((word) => !isStyle(word));
    const all = (words: readonly number[]) => Number(words.every((word) => seen(reading, word)));
    return {
      style: all(conditions[i]!.filter(isStyle)),
      found: others.filter((word) => seen(reading, word)).length,
      asked: others.length,
      combination: all(combinations[i] ?? []),
    };
  });
}

export type RateOf = 'style' | 'attributes' | 'combination';
/** Rates on generated and real pictures, and the first relative to the second. */
export type Rates = {
  readonly generated: Interval;
  readonly real: Interval;
  readonly relative: Interval;
};

const parts = (scores: readonly Score[], what: RateOf): [Float64Array, Float64Array] => {
  const of = (read: (score: Score) => number) => Float64Array.from(scores, read);
  if (what === 'attributes') return [of(({ found }) => found), of(({ asked }) => asked)];
  return [of((score) => score[what]), of(() => 1)];
};

/** Picture i of both sides has the same condition, so both are resampled together. */
export function compareRates(
  generated: readonly Score[],
  real: readonly Score[],
  what: RateOf,
  rng: Rng,
): Rates {
  const [a, aOf] = parts(generated, what);
  const [b, bOf] = parts(real, what);
  const rate = (found: Float64Array, of: Float64Array) => (pick: Int32Array) =>
    sumOf(found, pick) / sumOf(of, pick);
  const interval = (name: string, statistic: (pick: Int32Array) => number) =>
    bootstrap(a.length, statistic, { rng: rng.stream(name) });
  return {
    generated: interval('generated', rate(a, aOf)),
    real: interval('real', rate(b, bOf)),
    relative: interval('relative', (pick) => rate(a, aOf)(pick) / rate(b, bOf)(pick)),
  };
}

export type Control = {
  /** Rates when every picture is scored against another one's condition. */
  readonly style: Interval;
  readonly attributes: Interval;
  /** What readings and conditions that know nothing of each other agree on, from how often each word occurs. */
  readonly chance: { readonly style: number; readonly attributes: number };
};

/** Other pictures' conditions that each picture is scored against. */
const OTHERS = 10;

/** The negative control: conditions of the next pictures in a random cyclic order, never a picture's own. */
export function permutedControl(
  attributes: Attributes,
  readings: readonly Reading[],
  conditions: readonly (readonly number[])[],
  rng: Rng,
): Control {
  const count = readings.length;
  const order = shuffled(count, rng.stream('order'));
  const totals = readings.map(() => ({ style: 0, found: 0, asked: 0 }));
  const shifts = Math.min(OTHERS, count - 1);
  for (let shift = 1; shift <= shifts; shift++) {
    const given: (readonly number[])[] = [];
    for (const [i, at] of order.entries()) given[at] = conditions[order[(i + shift) % count]!]!;
    for (const [i, score] of scoreReadings(attributes, readings, given).entries()) {
      const total = totals[i]!;
      total.style += score.style / shifts;
      total.found += score.found;
      total.asked += score.asked;
    }
  }
  const scores = totals.map((total) => ({ ...total, combination: 0 }));
  const rateOf = (what: RateOf) => {
    const [found, of] = parts(scores, what);
    return bootstrap(count, (pick) => sumOf(found, pick) / sumOf(of, pick), {
      rng: rng.stream(what),
    });
  };
  return {
    style: rateOf('style'),
    attributes: rateOf('attributes'),
    chance: chanceOf(attributes, readings, conditions),
  };
}

function chanceOf(
  attributes: Attributes,
  readings: readonly Reading[],
  conditions: readonly (readonly number[])[],
): Control['chance'] {
  const said = new Float64Array(attributes.of.length); // share of readings that give the word
  for (const reading of readings) for (const word of reading) said[word]! += 1 / readings.length;
  const total = { style: 0, styles: 0, others: 0, asked: 0 };
  for (const word of conditions.flat()) {
    if (attributes.of[word] === attributes.style) {
      total.style += said[word]!;
      total.styles++;
    } else {
      total.others += said[word]!;
      total.asked++;
    }
  }
  return { style: total.style / total.styles, attributes: total.others / total.asked };
}

/** 0 ... length - 1 in random order (Fisher and Yates). */
export function shuffled(length: number, rng: Rng): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Rate of each attribute, both sides: what a model is good and bad at. */
export function ratesByAttribute(
  attributes: Attributes,
  generated: readonly Reading[],
  real: readonly Reading[],
  conditions: readonly (readonly number[])[],
): Record<string, { readonly asked: number; readonly generated: number; readonly real: number }> {
  const counts = attributes.names.map(() => ({ asked: 0, generated: 0, real: 0 }));
  for (const [i, words] of conditions.entries())
    for (const word of words) {
      const attribute = attributes.of[word]!;
      const count = counts[attribute]!;
      count.asked++;
      count.generated += Number(generated[i]![attribute] === word);
      count.real += Number(real[i]![attribute] === word);
    }
  const entries = attributes.names.map((name, i) => [name, counts[i]!] as const);
  return Object.fromEntries(
    entries
      .filter(([, { asked }]) => asked > 0)
      .map(([name, { asked, generated: g, real: r }]) => [
        name,
        { asked, generated: g / asked, real: r / asked },
      ]),
  );
}
