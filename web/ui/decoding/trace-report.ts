/** Traces among the evaluations: which jobs have one, and what stands over it. */
import { useEffect, useState } from 'preact/hooks';
import type { TraceReport } from '../../../jobs/job.ts';
import { api, type ImageRequest, type Job } from '../api.ts';

/** Throws one sentence unless the value can be shown. */
export function checkTrace(value: unknown): TraceReport {
  const { chosen, sequential, grid } = (value ?? {}) as Partial<TraceReport>;
  const whole =
    grid !== undefined &&
    grid.height > 0 &&
    grid.width > 0 &&
    [chosen, sequential].every((run) => run && run.passes.length > 0);
  if (!whole) throw new TypeError('trace: expected the passes of two decoders, got something else');
  return value as TraceReport;
}

/** What was asked for. */
export const requestOf = ({ input }: Pick<Job, 'input'>): ImageRequest =>
  (input.kind === 'evaluate' ? input.config.request : undefined) as ImageRequest;

/** "red hair, seed 7, avatars-ar, 16 × 16 tokens, guidance 2". */
export function traceTitle({ request, grid }: Pick<TraceReport, 'request' | 'grid'>): string {
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

/** The report of a finished trace, which only its own address gives. */
export function useTrace(id: string | undefined) {
  const [state, setState] = useState<{ id?: string; report?: TraceReport; error?: string }>({});
  useEffect(() => {
    if (id === undefined) return;
    let gone = false;
    api
      .job(id)
      .then(({ job }) => ({ id, report: checkTrace(job.result) }))
      .catch((wrong: Error) => ({ id, error: wrong.message }))
      .then((next) => !gone && setState(next));
    return () => {
      gone = true;
    };
  }, [id]);
  return state.id === id ? state : {};
}
