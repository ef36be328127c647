/** Many who ask for a row at the same time are answered by one statement: of fifty clients, one waits as long as all. */
import { oncePerTurn } from '../one-turn.ts';

/** Reads by `read` what was asked for within one turn of the event loop. */
export function gather<Value>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): (key: string) => Promise<Value | undefined> {
  let keys = new Set<string>();
  const readAll = oncePerTurn(() => {
    const asked = [...keys];
    keys = new Set();
    return read(asked);
  });
  return async (key) => {
    keys.add(key);
    return (await readAll()).get(key);
  };
}
