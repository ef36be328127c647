/** Pearson's chi-square test of counts against a law, and drawing the counts of a decoder. */
import type { TokenModel } from '../../../sampling/tokens/contract.ts';
import type { Decoder, Decoding } from '../../../sampling/tokens/decoder.ts';
import type { Filters } from '../../../sampling/tokens/filters.ts';
import { createFilter } from '../../../sampling/tokens/filters.ts';
import { createRng } from '../../../tensor/rng.ts';
import { indexOf, jointOf, oracle, type Toy } from './oracle.ts';

/** Upper regularised incomplete gamma function Q(a, x): series below a + 1, continued fraction above (Lentz). */
export function upperGamma(a: number, x: number): number {
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < 10_000 && term > sum * 1e-15; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 10_000; n++) {
    const factor = -n * (n - a);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    const change = c * d;
    h *= change;
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return front * h;
}

/** Stirling's series, after shifting the argument above 10. */
function logGamma(x: number): number {
  let [shift, z] = [0, x];
  for (; z < 10; z++) shift += Math.log(z);
  const series = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5);
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** p of the counts; cells that expect fewer than 5 are joined. */
export function chiSquare(counts: ArrayLike<number>, law: ArrayLike<number>): number {
  let n = 0;
  for (let i = 0; i < counts.length; i++) n += counts[i]!;
  let [sum, cells, restCount, restExpected] = [0, 0, 0, 0];
  const add = (count: number, expected: number) => {
    if (expected <= 0) {
      if (count > 0) sum = Number.POSITIVE_INFINITY;
      return;
    }
    sum += (count - expected) ** 2 / expected;
    cells++;
  };
  for (let i = 0; i < counts.length; i++) {
    const expected = n * law[i]!;
    if (expected >= 5) add(counts[i]!, expected);
    else {
      restCount += counts[i]!;
      restExpected += expected;
    }
  }
  add(restCount, restExpected);
  return sum === Number.POSITIVE_INFINITY ? 0 : upperGamma((cells - 1) / 2, sum / 2);
}

export type Drawn = {
  readonly counts: Float64Array;
  readonly joint: Float64Array;
  readonly decodings: readonly Decoding[];
  readonly p: number;
  /** Total variation between counts and joint: about sqrt(cells / n) / 2 for a right decoder. */
  readonly distance: number;
  /** Calls of the model over tokens, a batch's call counted once. */
  readonly passes: number;
  /** Share of drafts that were kept. */
  readonly acceptance: number;
};

/** Draws n sequences, a batch of `batch` rows at a time, seeds first ... first + n - 1; `model` has the toy's law. */
export async function draw(
  toy: Toy,
  decoder: Decoder,
  {
    n,
    seed,
    batch = 50,
    filters = {},
    model = oracle(toy, batch),
  }: { n: number; seed: number; batch?: number; filters?: Filters; model?: TokenModel },
): Promise<Drawn> {
  const filter = createFilter(filters, toy.vocabulary);
  const joint = jointOf(toy, filter);
  const counts = new Float64Array(joint.length);
  const decodings: Decoding[] = [];
  for (let done = 0; done < n; done += batch) {
    const rngs = Array.from({ length: batch }, (_, i) => createRng(seed + done + i));
    const decoding = await decoder.decode(model, { rngs, filters });
    for (const tokens of decoding.tokens) counts[indexOf(tokens, toy.vocabulary)]!++;
    decodings.push(decoding);
  }
  let distance = 0;
  for (let i = 0; i < joint.length; i++) distance += Math.abs(counts[i]! / n - joint[i]!) / 2;
  const rows = decodings.flatMap(({ trace }) => trace.flat());
  const total = (value: (row: (typeof rows)[number]) => number) =>
    rows.reduce((sum, row) => sum + value(row), 0);
  const acceptance = total(({ accepted }) => accepted) / total(({ drafted }) => drafted.length);
  const passes = rows.filter(({ decided }) => decided.length > 0).length / (n * toy.length);
  return { counts, joint, decodings, p: chiSquare(counts, joint), distance, passes, acceptance };
}
