/** Runs `ropewalk work` until it is asked to stop. */
import type { Context } from './context.ts';
import { Exit } from './context.ts';
import type { WorkOptions } from './work.ts';
import { aborted, forkOptions, placesOf } from './worker.ts';

export async function work(options: WorkOptions, context: Context): Promise<void> {
  const { env, signal, stderr } = context;
  if (!env.DATABASE_URL)
    throw new Error(
      `work: expected DATABASE_URL, the database of the server to work for, got ${env.REDIS_URL ? 'REDIS_URL alone' : 'none'}; a server alone does its work by itself`,
    );
  const { openJobs } = await import('../jobs/open.ts');
  const { startWorker } = await import('../workers/main.ts');
  const jobs = await openJobs(placesOf(options, context));
  const worker = startWorker(Promise.resolve(jobs), forkOptions(options, context));
  try {
    await worker.ready();
    stderr.write('works; Ctrl-C hands back what it has in hand\n');
    await aborted(signal);
  } finally {
    await worker.stop();
    await jobs.close();
  }
  throw new Exit(0);
}
