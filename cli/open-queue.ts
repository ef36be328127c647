/** The queue that a comparison is drawn by: that of a server and its workers. */
import type { Painter } from '../evaluation/resolution/painter.ts';
import type { OpenOptions } from '../jobs/open.ts';
import type { Context } from './context.ts';
import type { EvaluateResolutionCommand } from './evaluate-resolution.ts';
import { createQueuePainter, type QueuePainterOptions } from './queue-painter.ts';
import { placesOf } from './worker.ts';

/** Where it is; throws where none is configured, or a model is a folder, which workers need not have. */
export function checkQueue(
  options: Pick<EvaluateResolutionCommand, 'models' | 'data'>,
  context: Context,
): OpenOptions {
  if (!context.env.DATABASE_URL)
    throw new Error(
      'queue: expected DATABASE_URL, the database of the workers, got none; leave --queue out to draw here',
    );
  const folder = options.models.find((text) => text.includes('/'));
  if (folder !== undefined)
    throw new RangeError(
      `queue: expected ids of models, by which workers find their own, got '${folder}'; leave --queue out to draw from a folder`,
    );
  return placesOf(options, context);
}

/** Throws where no worker is there. */
export async function openQueuePainter(
  places: OpenOptions,
  options: QueuePainterOptions,
): Promise<Painter> {
  const { openJobs } = await import('../jobs/open.ts');
  const jobs = await openJobs(places);
  const painter = createQueuePainter(jobs, options);
  try {
    const workers = (await jobs.workers()).length;
    if (workers === 0)
      throw new Error(
        'queue: expected a worker, got none; start some with `ropewalk work`, or leave --queue out to draw here',
      );
    return {
      ...painter,
      workers,
      dispose: () => painter.dispose().finally(() => jobs.close()),
    };
  } catch (error) {
    await jobs.close();
    throw error;
  }
}
