/** One worker a device: takes jobs from the queue and has its child compute them. */
import type { Jobs } from '../jobs/jobs.ts';
import { type ForkOptions, forkChild } from './fork.ts';

export type WorkerOptions = ForkOptions & {
  /** Renders in hand at the same time: as many as a batch has pictures. */
  readonly renders?: number;
};
export type Worker = {
  /** Of the process that computes. */
  readonly pid: number | undefined;
  /** Resolves when it takes jobs. */
  ready(): Promise<void>;
  /** Ends the step, hands the jobs back and leaves. */
  stop(): Promise<void>;
};

/** Starts the child at once, so that it is ready when the queue is. */
export function startWorker(
  opening: Promise<Jobs>,
  { renders = 16, ...options }: WorkerOptions,
): Worker {
  const child = forkChild(options);
  const working = opening.then((jobs) =>
    Promise.all([
      jobs.work((task) => child.run(task), { kinds: ['render'], concurrency: renders }),
      jobs.work((task) => child.run(task), { kinds: ['train', 'evaluate'], concurrency: 1 }),
    ]),
  );
  working.catch(() => {}); // told by `ready`
  return {
    get pid() {
      return child.pid;
    },
    ready: () => working.then(() => undefined),
    async stop() {
      const workers = await working.catch(() => []);
      await Promise.all(workers.map((worker) => worker.stop()));
      await child.close();
    },
  };
}
