/** A job's task that keeps what it is told, in the place of a queue. */
import type { Job, JobInput, Point, Progress } from '../../jobs/job.ts';
import type { JobTask } from '../../jobs/jobs.ts';

export type Kept = {
  readonly pictures: Map<number, { png: Uint8Array; about: Parameters<JobTask['picture']>[2] }>;
  readonly progress: Progress[];
  readonly points: Point[];
  readonly previews: number[];
};

export function taskOf(
  input: JobInput,
  {
    id = 'job',
    existing = [],
    signal = new AbortController().signal,
    onProgress = () => {},
  }: {
    id?: string;
    existing?: readonly number[];
    signal?: AbortSignal;
    onProgress?: (progress: Progress) => void;
  } = {},
): { task: JobTask; kept: Kept } {
  const kept: Kept = { pictures: new Map(), progress: [], points: [], previews: [] };
  const job: Job = {
    ...{ id, kind: input.kind, state: 'running', title: id, input, priority: 100 },
    ...{ total: 1, done: 0, failed: 0, attempts: 1, createdAt: 0 },
  };
  const task: JobTask = {
    ...{ job, existing: new Set(existing), signal },
    progress(progress) {
      kept.progress.push(progress);
      onProgress(progress);
    },
    preview: (index) => void kept.previews.push(index),
    picture: async (index, png, about) => void kept.pictures.set(index, { png, about }),
    point: (point) => void kept.points.push(point),
  };
  return { task, kept };
}
