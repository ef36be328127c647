/** Keeps the rows of batches in step with those of their render jobs: counted anew a moment after something changed. */
import type { Job } from './job.ts';
import type { Transitions } from './transitions.ts';

/** Changes within this many milliseconds are counted together. */
const MOMENT = 100;

export type Batches = ReturnType<typeof createBatches>;

export function createBatches(transitions: Transitions, tell: (job: Job) => void) {
  const due = new Map<string, NodeJS.Timeout>();
  const counting = new Set<Promise<void>>();

  async function count(id: string): Promise<void> {
    const { job, changed } = await transitions.refresh(id);
    if (changed) tell(job);
  }
  function start(id: string): void {
    due.delete(id);
    // A database that is away leaves the counts as they are until the next change or sweep.
    const done = count(id)
      .catch(() => {})
      .finally(() => counting.delete(done));
    counting.add(done);
  }

  return {
    touch(id: string): void {
      if (!due.has(id))
        due.set(
          id,
          setTimeout(() => start(id), MOMENT),
        );
    },
    /** Counts what is due now, and waits for it. */
    async flush(): Promise<void> {
      for (const [id, timer] of due) {
        clearTimeout(timer);
        start(id);
      }
      await Promise.all(counting);
    },
  };
}
