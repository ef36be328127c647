/**
 * LongRoPE's search for factors (Ding et al. 2024, algorithm 1): a population that begins with position
 * interpolation, NTK, YaRN and mutations of them; in every generation the best are mutated and crossed, and the
 * best of all stay. Factors of an axis never fall from one frequency to the next slower one and lie between 1
 * and 1.25 s; what is found is never worse than what the search began with. The result is the options of the
 * extension `longrope` (encoders/positions/extend/longrope.ts).
 *
 * The loss is an argument: training/longrope-loss.ts has the denoising loss of a model at a size.
 *
 * Ours: factors of two axes; a mutated factor is drawn between its neighbours, so a mutation stays near its
 * parent; 24 candidates over 12 generations, where the paper has 64 over 40; a second YaRN among the
 * seeds, whose band is for sides of a few dozen tokens. Factors do not hold YaRN's temperature: the extension
 * `attention-scale` beside them does.
 */
import type { ExtendMethod, Frequencies, Options, Where } from '../encoders/positions/contract.ts';
import { ratiosOf } from '../encoders/positions/extend/bands.ts';
import { interpolation } from '../encoders/positions/extend/interpolation.ts';
import { visionNtk } from '../encoders/positions/extend/ntk.ts';
import { visionYarn } from '../encoders/positions/extend/yarn.ts';
import type { Spans } from '../encoders/positions/grid.ts';
import { completeOptions } from '../encoders/positions/options.ts';
import type { Rng } from '../tensor/rng.ts';

/** What frequencies are divided by, [F] of each axis. */
export type Factors = Frequencies;
export type Candidate = { readonly name: string; readonly factors: Factors };
export type Judged = Candidate & { readonly loss: number };

export type SearchOptions = {
  readonly seeds: readonly Candidate[];
  /** The largest factor of each axis; an axis with 1 is left alone. */
  readonly limits: { readonly y: number; readonly x: number };
  /** Lower is better; what is no number is worse than any. */
  readonly loss: (factors: Factors) => Promise<number>;
  readonly rng: Rng;
  /** New candidates of a generation. @default 24 */
  readonly population?: number;
  /** @default 12 */
  readonly generations?: number;
  /** How many of the best are mutated and crossed. @default 8 */
  readonly parents?: number;
  /** Chance of each factor to be drawn anew by a mutation. @default 0.3 */
  readonly chance?: number;
  readonly onJudged?: (progress: SearchProgress) => void;
  readonly signal?: AbortSignal;
};
/** Candidates judged so far and in all, and the best loss among them. */
export type SearchProgress = { readonly done: number; readonly of: number; readonly best: number };
export type Found = {
  readonly best: Judged;
  /** What the search began with. */
  readonly seeds: readonly Judged[];
  /** The best loss after the seeds and each generation. */
  readonly history: readonly number[];
};

export async function searchLongrope(options: SearchOptions): Promise<Found> {
  const { limits, rng, population = 24, generations = 12, parents = 8, chance = 0.3 } = options;
  if (options.seeds.length === 0 || Math.min(population, parents) < 1)
    throw new RangeError(
      `longrope search: expected seeds, a population and parents, got ${options.seeds.length}, ${population} and ${parents}`,
    );
  const judge = createJudge(options, options.seeds.length + population * generations);
  const seeds = await judge(options.seeds);
  let kept = ranked(seeds, parents);
  const history = [kept[0]!.loss];
  for (let generation = 0; generation < generations; generation++) {
    const children = Array.from({ length: population }, (_, i): Candidate => {
      const draw = rng.stream(`${generation}/${i}`);
      const parent = () => kept[draw.integer(kept.length)]!.factors;
      const [a, b] = [parent(), parent()];
      // Half are mutated, half crossed; with one parent all are mutated.
      const child = (axis: 'y' | 'x') =>
        i % 2 === 1 && kept.length > 1
          ? crossed(a[axis], b[axis], draw)
          : mutated(a[axis], limits[axis], chance, draw);
      return { name: 'longrope', factors: { y: child('y'), x: child('x') } };
    });
    kept = ranked([...kept, ...(await judge(children))], parents);
    history.push(kept[0]!.loss);
  }
  return { best: kept[0]!, seeds, history };
}

/** The published methods as factors, for a size larger than trained. */
export function longropeSeeds(
  frequencies: Frequencies,
  { where, spans, base }: { readonly where: Where; readonly spans: Spans; readonly base: number },
): { seeds: Candidate[]; limits: { y: number; x: number } } {
  const seed = (name: string, method: ExtendMethod, given: Options = {}): Candidate => {
    const options = completeOptions(method, given);
    const others = { coordinates: new Float64Array(0), logitScale: 1 };
    const extended = method.extend({
      where,
      spans,
      options,
      base,
      frequencies,
      ...others,
    }).frequencies;
    // A frequency of 0 does not turn, whatever it is divided by.
    const over = (axis: 'y' | 'x') =>
      rising(frequencies[axis].map((f, i) => (f === 0 ? 1 : f / extended[axis][i]!)));
    return { name, factors: { y: over('y'), x: over('x') } };
  };
  const { y, x } = ratiosOf(spans);
  const limit = (s: number) => (s > 1 ? LARGEST * s : 1);
  return {
    seeds: [
      seed('interpolation', interpolation),
      seed('vision-ntk', visionNtk),
      seed('vision-yarn', visionYarn),
      seed('vision-yarn:alpha=0.25,beta=2', visionYarn, { alpha: 0.25, beta: 2 }),
    ],
    limits: { y: limit(y), x: limit(x) },
  };
}

/** Of the ratio s, as in the paper. */
const LARGEST = 1.25;

/** Candidates with their losses; one that was judged before is not judged again. */
function createJudge({ loss, onJudged, signal }: SearchOptions, of: number) {
  const known = new Map<string, number>();
  let [done, best] = [0, Number.POSITIVE_INFINITY];
  return async (candidates: readonly Candidate[]): Promise<Judged[]> => {
    const judged: Judged[] = [];
    for (const candidate of candidates) {
      signal?.throwIfAborted();
      const key = JSON.stringify(candidate.factors);
      const found = known.get(key) ?? (await loss(candidate.factors));
      const value = Number.isNaN(found) ? Number.POSITIVE_INFINITY : found;
      known.set(key, value);
      best = Math.min(best, value);
      done += 1;
      onJudged?.({ done, of, best });
      judged.push({ ...candidate, loss: value });
    }
    return judged;
  };
}

/** The best, of equal ones the earlier, each once. */
function ranked(all: readonly Judged[], count: number): Judged[] {
  const seen = new Set<string>();
  return [...all]
    .sort((a, b) => a.loss - b.loss)
    .filter(({ factors }) => {
      const key = JSON.stringify(factors);
      return !seen.has(key) && seen.add(key);
    })
    .slice(0, count);
}

/** Each factor with this chance anew, between the one before and the one after. */
function mutated(
  parent: readonly number[],
  limit: number,
  chance: number,
  draw: Rng,
): readonly number[] {
  const child = [...parent];
  for (const i of child.keys()) {
    if (limit <= 1 || draw.uniform() >= chance) continue;
    const [low, high] = [child[i - 1] ?? 1, child[i + 1] ?? limit];
    child[i] = Math.min(limit, rounded(low + draw.uniform() * Math.max(0, high - low)));
  }
  return rising(child);
}

/** Each factor from one of the two. */
const crossed = (a: readonly number[], b: readonly number[], draw: Rng): readonly number[] =>
  rising(a.map((factor, i) => (draw.uniform() < 0.5 ? factor : b[i]!)));

/** None below the one before it. */
function rising(factors: readonly number[]): readonly number[] {
  let most = 0;
  return factors.map((factor) => {
    most = Math.max(most, factor);
    return most;
  });
}

/** Steps of a hundredth are the paper's. */
const rounded = (factor: number): number => Math.round(100 * factor) / 100;
