/** Many who ask for a row at the same time are answered by one statement: of fifty clients, one waits as long as all. */
import { setImmediate } from 'node:timers/promises';

/**
 * Reads by `read` what was asked for within one turn of the event loop. As reading begins after the last question, an
 * answer is never older than its question.
 */
export function gather<Value>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): (key: string) => Promise<Value | undefined> {
  let keys = new Set<string>();
  let reading: Promise<ReadonlyMap<string, Value>> | undefined;

  async function readAll(): Promise<ReadonlyMap<string, Value>> {
    await setImmediate();
    const asked = [...keys];
    keys = new Set();
    reading = undefined;
    return read(asked);
  }
  return async (key) => {
    keys.add(key);
    reading ??= readAll();
    return (await reading).get(key);
  };
}
