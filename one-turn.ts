/** Many who ask for the same at the same time are answered together. */
import { setImmediate } from 'node:timers/promises';

/**
 * One reading for all who ask within one turn of the event loop. It begins after the last question, so an answer is
 * never older than its question.
 */
export function oncePerTurn<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let reading: Promise<Value> | undefined;
  async function begin(): Promise<Value> {
    await setImmediate();
    reading = undefined;
    return read();
  }
  return () => {
    reading ??= begin();
    return reading;
  };
}
