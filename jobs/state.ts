/** The states of a job; apart from the schemas, which the page has no use for. */

export const JOB_STATES = ['waiting', 'running', 'paused', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];
/** In these a job stays until a person asks for it again. */
export const isEnded = (state: JobState): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled';
