/** Reports that evaluations left; loaded when a view asks, and again when an evaluation has ended. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ReportView } from '../../services.ts';
import { api } from '../api.ts';
import { onEvent } from './facts.ts';
import { resets } from './live.ts';
import { complain } from './toasts.ts';

export const reports = signal<readonly ReportView[]>([]);
export const reportsLoaded = signal(false);

async function load(): Promise<void> {
  const answer = await api.reports();
  reports.value = [...answer.reports].sort((a, b) => b.createdAt - a.createdAt);
  reportsLoaded.value = true;
}

export function useReports(): void {
  const again = resets.value;
  useEffect(() => {
    load().catch(complain);
    return onEvent((event) => {
      if (event.type === 'job' && event.job.kind === 'evaluate' && event.job.state === 'done')
        load().catch(complain);
    });
  }, [again]);
}
