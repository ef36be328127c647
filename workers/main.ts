/** One worker a device: takes jobs from the queue and has its child compute them. */
import type { Jobs, JobWorker } from '../jobs/jobs.ts';
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
  let working: Promise<JobWorker>;
  const child = forkChild({
    ...options,
    onModels(news) {
      working.then(
        (worker) =>
          news.type === 'load'
            ? worker.loaded(news.model, news.seconds)
            : worker.keeps(news.models),
        () => {}, // told by `ready`
      );
    },
  });
  working = opening.then((jobs) =>
    jobs.work((task) => child.run(task), {
      device: options.setup.device.device,
      concurrency: [
        { kinds: ['render'], concurrency: renders },
        { kinds: ['train', 'evaluate'], concurrency: 1 },
      ],
    }),
  );
  working.catch(() => {}); // told by `ready`
  return {
    get pid() {
      return child.pid;
    },
    ready: () => working.then(() => undefined),
    async stop() {
      const worker = await working.catch(() => undefined);
      await worker?.stop();
      await child.close();
    },
  };
}
