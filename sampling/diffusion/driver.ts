/**
 * Drives one solver a picture, all of a batch in step, against a network: collects their queries into one call,
 * applies guidance, counts evaluations, checks that answers are finite, reports progress and stops on a signal.
 * Noise comes from a stream of each picture's own, so a picture does not depend on its batch.
 */
import type { Rng } from '../../tensor/rng.ts';
import { type Guidance, guidanceScale, guide } from './guidance.ts';
import { type Answer, checkTimes, type Query, type Schedule, type Solver } from './solver.ts';

/** One row of a call: which picture, at what time, under the asked condition or the null one. */
export type Row = {
  readonly picture: number;
  readonly t: number;
  readonly condition: 'asked' | 'null';
};

/** x is rows * picture length, row after row; so are the answer's arrays. Asked rows come first. */
export type Denoise = (batch: {
  readonly x: Float32Array;
  readonly rows: readonly Row[];
}) => Promise<Answer>;

/** `rng` gives this picture's streams: `noise` for its start, `step/k` for a stochastic solver's k-th step. */
export type Picture = { readonly rng: Rng; readonly start?: Float32Array };

export type Progress = {
  readonly step: number;
  readonly steps: number;
  /** Network rows so far. */
  readonly evaluations: number;
  /** The latest clean estimate of each picture, after guidance: borrowed, a preview. */
  readonly clean: readonly Float32Array[];
};

export type SampleOptions = {
  readonly schedule: Schedule;
  readonly times: readonly number[];
  /** Numbers in a picture. */
  readonly length: number;
  readonly guidance?: Guidance;
  /** Standard normal noise of a picture from one of its streams. Default: its next `length` normals. */
  readonly draw?: (stream: Rng) => Float32Array;
  /** Awaited after each step, so that it can let other work run. */
  readonly onStep?: (progress: Progress) => void | Promise<void>;
  readonly signal?: AbortSignal;
};

export type Sampled = { readonly pictures: Float32Array[]; readonly evaluations: number };

type Run = {
  readonly picture: number;
  readonly solver: Generator<Query, Float32Array, Answer>;
  turn: IteratorResult<Query, Float32Array>;
  clean: Float32Array;
};

/** Samples a batch; the solvers' own starts are unit noise scaled to the schedule unless a picture brings one. */
export async function sample(
  solver: Solver,
  denoise: Denoise,
  pictures: readonly Picture[],
  {
    schedule,
    times,
    length,
    guidance,
    draw = (stream) => stream.normals(length),
    onStep,
    signal,
  }: SampleOptions,
): Promise<Sampled> {
  checkTimes('sample', times);
  const runs = pictures.map(({ rng, start }, picture): Run => {
    const gaussian = (name: string) => draw(rng.stream(name));
    const first = start ?? gaussian('noise').map((value) => value * schedule.start);
    if (first.length !== length)
      throw new RangeError(`sample: expected a start of ${length} numbers, got ${first.length}`);
    const generator = solver({ start: first, times, schedule, gaussian });
    return { picture, solver: generator, turn: generator.next(), clean: first };
  });
  const steps = times.length - 1;
  let evaluations = 0;
  let reported = 0;
  const report = async (step: number) => {
    while (reported < step) {
      reported++;
      await onStep?.({ step: reported, steps, evaluations, clean: runs.map((run) => run.clean) });
    }
  };
  for (;;) {
    signal?.throwIfAborted();
    const waiting = runs.filter((run) => !run.turn.done);
    if (waiting.length === 0) break;
    evaluations += await answerAll(waiting, denoise, { length, ...(guidance ? { guidance } : {}) });
    await report(Math.min(...waiting.map((run) => (run.turn.done ? steps : run.turn.value.step))));
  }
  return { pictures: runs.map((run) => run.turn.value as Float32Array), evaluations };
}

/** One network call for every waiting solver; returns how many rows it had. */
async function answerAll(
  runs: readonly Run[],
  denoise: Denoise,
  { length, guidance }: { length: number; guidance?: Guidance },
): Promise<number> {
  const queries = runs.map((run) => run.turn.value as Query);
  const scales = queries.map(({ t }) => (guidance ? guidanceScale(guidance, t) : 1));
  const both = runs.flatMap((_, i) => (scales[i] === 1 ? [] : [i]));
  const order = [...runs.keys(), ...both];
  const x = new Float32Array(order.length * length);
  for (const [row, i] of order.entries()) x.set(queries[i]!.x, row * length);
  const rows = order.map(
    (i, row): Row => ({
      picture: runs[i]!.picture,
      t: queries[i]!.t,
      condition: row < runs.length ? 'asked' : 'null',
    }),
  );
  const batch = await denoise({ x, rows });
  const answers = rows.map((row, at) =>
    rowOf(batch, { at, length, row, query: queries[order[at]!]! }),
  );
  for (const [i, run] of runs.entries()) {
    const [asked, nothing] = [answers[i]!, answers[runs.length + both.indexOf(i)]];
    const options = { scale: scales[i]!, ...(guidance?.guides ? { guides: guidance.guides } : {}) };
    const answer = scales[i] === 1 ? asked : guide(asked, nothing!, options);
    run.clean = answer.clean;
    run.turn = run.solver.next(answer);
  }
  return rows.length;
}

/** A row's own copy of the answer, checked: a solver may keep it. */
function rowOf(
  batch: Answer,
  { at, length, row, query }: { at: number; length: number; row: Row; query: Query },
): Answer {
  const cut = (name: keyof Answer, values: Float32Array) => {
    const own = values.slice(at * length, (at + 1) * length);
    const bad = own.findIndex((value) => !Number.isFinite(value));
    if (own.length !== length || bad >= 0)
      throw new Error(
        `sample: expected ${length} finite values of ${name} for picture ${row.picture} in step ${query.step} (t = ${query.t}), got ${bad >= 0 ? `${own[bad]} at ${bad}` : own.length}`,
      );
    return own;
  };
  return {
    clean: cut('clean', batch.clean),
    ...(batch.velocity ? { velocity: cut('velocity', batch.velocity) } : {}),
    ...(batch.variance ? { variance: cut('variance', batch.variance) } : {}),
  };
}
