/**
 * The contract of diffusion samplers. A solver is a generator function: it yields noisy pictures to be
 * denoised and receives what the network makes of them, so it never sees a network, a batch or a promise.
 * Time runs from t = 1 (noise) to t = 0 (clean), and x(t) = alpha(t) clean + sigma(t) noise.
 */

/** How signal and noise are mixed at a time. Derivatives are with respect to t. */
export type Schedule = {
  readonly name: string;
  alpha(t: number): number;
  sigma(t: number): number;
  alphaRate(t: number): number;
  sigmaRate(t: number): number;
  /** Standard deviation of x at t = 1, which turns unit noise into the first x. */
  readonly start: number;
  /** The default grid: `steps` + 1 falling values from 1 to 0. Solvers accept any falling grid. */
  times(steps: number): number[];
};

/** `step` is the index of the interval of the time grid that is being crossed. */
export type Query = { readonly x: Float32Array; readonly t: number; readonly step: number };

export type Answer = {
  /** The clean estimate E[clean | x]. */
  readonly clean: Float32Array;
  /**
   * dx/dt, where the network predicts it. It follows from `clean` while sigma(t) > 0; at sigma(t) = 0
   * only this says anything, because there `clean` is `x` itself.
   */
  readonly velocity?: Float32Array;
  /** Learned variance as a fraction: 0 is the posterior variance, 1 the forward one (Nichol and Dhariwal 2021, eq. 15). */
  readonly variance?: Float32Array;
};

export type Problem = {
  /** x at times[0]. */
  readonly start: Float32Array;
  readonly times: readonly number[];
  readonly schedule: Schedule;
  /** Standard normal noise as long as `start`, a function of the name alone. */
  readonly gaussian: (name: string) => Float32Array;
};

export type Solver = (problem: Problem) => Generator<Query, Float32Array, Answer>;

/** Runs a solver on one picture against a plain function: for oracles, and for programs without a driver. */
export async function solve(
  solver: Solver,
  problem: Problem,
  answer: (query: Query) => Answer | Promise<Answer>,
): Promise<Float32Array> {
  checkTimes('solve', problem.times);
  const run = solver(problem);
  let turn = run.next();
  while (!turn.done) turn = run.next(await answer(turn.value));
  return turn.value;
}

/** As `solve`, but returns every x on the way, in the order asked, and the picture last. */
export async function trace(
  solver: Solver,
  problem: Problem,
  answer: (query: Query) => Answer | Promise<Answer>,
): Promise<{ readonly x: Float32Array; readonly step: number }[]> {
  const seen: { x: Float32Array; step: number }[] = [];
  const end = await solve(solver, problem, (query) => {
    seen.push({ x: query.x, step: query.step });
    return answer(query);
  });
  return [...seen, { x: end, step: problem.times.length - 1 }];
}

/** Throws unless `times` is a falling grid of at least two finite values. */
export function checkTimes(where: string, times: readonly number[]): void {
  if (times.length < 2)
    throw new RangeError(`${where}: expected at least 2 times, got ${times.length}`);
  for (const [i, t] of times.entries()) {
    if (!Number.isFinite(t) || (i > 0 && t >= times[i - 1]!))
      throw new RangeError(
        `${where}: expected strictly falling times, got ${times[i - 1]} then ${t} at index ${i}`,
      );
  }
}

/** Throws unless `steps` is a whole number of at least 1. */
export function checkSteps(where: string, steps: number): void {
  if (!Number.isInteger(steps) || steps < 1)
    throw new RangeError(`${where}: expected steps as a whole number of at least 1, got ${steps}`);
}
