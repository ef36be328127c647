/** Takes tickets of some kinds and runs their jobs, as a worker that others see. */
import { hostname } from 'node:os';
import type { JobHandler, JobWorker, WorkOptions } from './jobs.ts';
import type { Presence } from './presence.ts';
import { RUN_KINDS } from './queue.ts';
import type { Sweep } from './sweep.ts';
import { createRunner, type WorkerParts } from './worker.ts';

export type WorkParts = Omit<WorkerParts, 'worker'> & {
  readonly presence: Presence;
  readonly sweep: Pick<Sweep, 'drainExcess'>;
};

export async function startWork(
  parts: WorkParts,
  handler: JobHandler,
  { concurrency, device = 'cpu' }: WorkOptions,
): Promise<JobWorker> {
  const { events, presence, queue, sweep } = parts;
  const self = await presence.enlist({ host: hostname(), pid: process.pid, device });
  const lanes = typeof concurrency === 'number' ? [{ kinds: RUN_KINDS, concurrency }] : concurrency;
  const running = lanes.map((lane) => {
    const runner = createRunner({ ...parts, worker: self.id }, handler, lane.concurrency);
    const takers = lane.kinds.map((kind) =>
      queue.work(kind, lane.concurrency, async (ticket) => {
        const found = await runner.process(kind, ticket);
        if (!found) await sweep.drainExcess(kind);
      }),
    );
    return { runner, takers };
  });
  const takers = running.flatMap((lane) => lane.takers);
  await Promise.all(takers.map(({ ready }) => ready()));
  return {
    loaded: (model, seconds) => events.tell({ type: 'load', model, seconds }),
    keeps: self.keeps,
    async stop() {
      for (const { runner } of running) runner.stop();
      await Promise.all(takers.map(({ close }) => close()));
      for (const { runner } of running) runner.close();
      await self.leave();
    },
  };
}
