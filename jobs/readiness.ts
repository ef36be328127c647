/** Whether database, queue and store answer, within a time. */
import type { Database } from './database.ts';
import type { Jobs } from './jobs.ts';
import type { TicketQueue } from './queue.ts';
import type { Store } from './store.ts';

/** How long an answer may take. */
const PATIENCE = 5000;

type Asked = { readonly database: Database; readonly queue: TicketQueue; readonly store: Store };

/** One sentence for each that does not answer. */
export async function checkReady({ database, queue, store }: Asked): ReturnType<Jobs['check']> {
  const parts: readonly (readonly [string, Promise<unknown>])[] = [
    ['database', database.sql('SELECT 1')],
    ['queue', queue.check()],
    ['storage', store.check()],
  ];
  const found = await Promise.all(
    parts.map(([name, answer]) =>
      inTime(answer).then(
        () => undefined,
        ({ message }: Error) => (message.startsWith(`${name}:`) ? message : `${name}: ${message}`),
      ),
    ),
  );
  const problems = found.filter((problem) => problem !== undefined);
  return { ready: problems.length === 0, problems };
}

/** Throws where it takes long; it goes on then. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`expected an answer within ${PATIENCE / 1000} s, got none`)),
      PATIENCE,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
