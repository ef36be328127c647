/** Traces among the evaluations: which jobs have one, and what stands over it. */
import type { Job, TraceReport } from '../../../jobs/job.ts';

/** The report, or nothing where a job has none that can be shown. */
export function traceOf({ state, result }: Pick<Job, 'state' | 'result'>): TraceReport | undefined {
  const report = result as Partial<TraceReport> | null | undefined;
  const { chosen, sequential, grid } = report ?? {};
  const whole =
    state === 'done' &&
    grid !== undefined &&
    grid.height > 0 &&
    grid.width > 0 &&
    [chosen, sequential].every((run) => run && run.passes.length > 0);
  return whole ? (report as TraceReport) : undefined;
}

/** "red hair, seed 7, avatars-ar, 16 × 16 tokens, guidance 2". */
export function traceTitle({ request, grid }: TraceReport): string {
  const words = request.condition.map((word) => (typeof word === 'string' ? word : word.word));
  const { guidance } = request.sampling as { guidance?: number };
  return [
    words.join(', ') || 'no words',
    `seed ${request.seed}`,
    request.model,
    `${grid.width} × ${grid.height} tokens`,
    ...(guidance === undefined ? [] : [`guidance ${guidance}`]),
  ].join(', ');
}
