/** What tests of jobs/ share: requests, a handler that draws toys, and waiting for what comes about. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchInput, Job, RenderInput } from '../../jobs/job.ts';
import type { Jobs, JobTask } from '../../jobs/jobs.ts';
import { type OpenOptions, openJobs } from '../../jobs/open.ts';
import type { ImageRequest } from '../../request.ts';

export const request = (more: Partial<ImageRequest> = {}): ImageRequest => ({
  version: 1,
  model: 'toy',
  condition: ['style=toy', 'hair color=red'],
  seed: 7,
  count: 1,
  size: { width: 8, height: 8 },
  sampling: { kind: 'diffusion', solver: 'euler', steps: 4 },
  ...more,
});
export const render = (more: Partial<ImageRequest> = {}): RenderInput => ({
  kind: 'render',
  request: request(more),
});
export const batch = (count: number, more: Partial<ImageRequest> = {}): BatchInput => ({
  kind: 'batch',
  title: `batch of ${count}`,
  requests: Array.from({ length: count }, (_, i) => request({ seed: 1000 * i, ...more })),
});

/** Bytes that depend on the request and on nothing else. */
export const drawToy = (request: ImageRequest, index: number): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([request, index]))
    .digest();

/** Draws each picture in steps, as a solver does; `step` is waited for before each. */
export const toyHandler =
  (step: (task: JobTask) => Promise<unknown> = () => sleep(1)) =>
  async (task: JobTask): Promise<void> => {
    if (task.job.input.kind !== 'render') return;
    const { request } = task.job.input;
    let done = task.existing.size;
    for (let index = 0; index < request.count; index++) {
      if (task.existing.has(index)) continue;
      for (let at = 1; at <= 4; at++) {
        await step(task);
        task.signal.throwIfAborted();
        task.progress({ step: 4 * done + at, steps: 4 * request.count, done });
        task.preview(index, drawToy(request, index));
      }
      await task.picture(index, drawToy(request, index), {
        ...{ model: request.model, seed: request.seed + index, ...request.size },
        ...{ prompt: request.condition.join(', '), recipe: { request } },
      });
      done++;
    }
  };

/** Calls `look` until it gives something. */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { within = 15_000, every = 20 } = {},
): Promise<T> {
  const start = Date.now();
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() - start > within) throw new Error(`until: expected it within ${within} ms`);
    await sleep(every);
  }
}

export const inState = (jobs: Jobs, id: string, ...states: Job['state'][]): Promise<Job> =>
  until(async () => {
    const job = await jobs.get(id);
    return job && states.includes(job.state) && job;
  });

export async function temporaryFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'ropewalk-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Jobs in memory whose pictures are in a folder of their own; closing removes it. */
export async function openToyJobs(options: Partial<OpenOptions> = {}) {
  const { folder, remove } = await temporaryFolder();
  const limits = { backoff: 20, ...options.limits };
  const jobs = await openJobs({ data: folder, database: 'memory:', ...options, limits });
  return {
    jobs,
    folder,
    async close() {
      await jobs.close();
      await remove();
    },
  };
}
