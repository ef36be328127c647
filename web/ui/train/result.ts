/** What a finished training left: the id of its model. */
import type { Job } from '../../../jobs/job.ts';

export function modelOf({ result }: Pick<Job, 'result'>): string | undefined {
  const found =
    result !== null && typeof result === 'object' ? (result as { model?: unknown }).model : result;
  return typeof found === 'string' ? found : undefined;
}
