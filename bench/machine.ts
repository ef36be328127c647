/** What a measurement was made on, and how times are taken. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';

export function describeMachine(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const changed =
    execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }).trim() !== '';
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${memory} GiB`,
    `Node ${process.version}, commit ${commit}${changed ? ' with changes' : ''}, ${new Date().toISOString().slice(0, 10)}`,
  ].join('\n');
}

export type Timing = { readonly best: number; readonly median: number };

/** Milliseconds of `body` over `runs` runs after `warm` that do not count. */
export async function time(
  body: () => Promise<unknown>,
  { runs = 10, warm = 3 } = {},
): Promise<Timing> {
  for (let i = 0; i < warm; i++) await body();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await body();
    times.push(performance.now() - start);
  }
  return summary(times);
}

/**
 * Times several bodies in turn, so that a change of the machine's load meets all of them: their ratios
 * hold where their times do not.
 */
export async function timeInTurn(
  bodies: readonly (() => Promise<unknown>)[],
  { runs = 10, warm = 2 } = {},
): Promise<Timing[]> {
  const times = bodies.map((): number[] => []);
  for (let i = 0; i < warm + runs; i++) {
    for (const [k, body] of bodies.entries()) {
      const start = performance.now();
      await body();
      if (i >= warm) times[k]!.push(performance.now() - start);
    }
  }
  return times.map(summary);
}

function summary(times: number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  return { best: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]! };
}
