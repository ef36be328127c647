/** What a person does to a job; a refusal is told. */
import { api, type Job } from '../api.ts';
import { complain } from './toasts.ts';

export const act = (job: Job, action: 'cancel' | 'pause' | 'resume' | 'retry') =>
  api.act(job.id, action).catch(complain);
