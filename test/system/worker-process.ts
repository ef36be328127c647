/**
 * A process that works on toys until it is killed, or until a batch is done: what the crash tests start, kill and
 * start again. One argument, JSON of `WorkerTask`; it writes a line of JSON for each thing that happens.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isEnded } from '../../jobs/job.ts';
import { type OpenOptions, openJobs } from '../../jobs/open.ts';
import { batch, toyHandler } from '../jobs/toys.ts';

export type WorkerTask = {
  readonly options: OpenOptions;
  readonly concurrency: number;
  /** Milliseconds of each of the four steps of a picture. */
  readonly step: number;
  /** Requests of a batch that this process adds. */
  readonly add?: number;
  /** Ends when this batch has ended. */
  readonly until?: string;
};

const say = (what: unknown) => process.stdout.write(`${JSON.stringify(what)}\n`);
const task = JSON.parse(process.argv[2]!) as WorkerTask;
const jobs = await openJobs(task.options);
if (task.add !== undefined) say({ batch: (await jobs.add(batch(task.add))).id });
await jobs.work(
  toyHandler(async ({ job }) => {
    say({ step: job.id });
    await sleep(task.step);
  }),
  { concurrency: task.concurrency },
);
if (task.until !== undefined) {
  while (!isEnded((await jobs.get(task.until))!.state)) await sleep(100);
  await jobs.close();
  process.exit(0);
}
