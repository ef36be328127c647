/** Ids that sort by the time they were made, also those of one millisecond. */
import { randomInt } from 'node:crypto';

const DIGITS = 36;
const pad = (value: number, length: number) => value.toString(DIGITS).padStart(length, '0');

/** 9 digits of time, 4 that count within this process, 5 by chance, so that processes do not meet. */
export function createIds(now: () => number = Date.now): () => string {
  let time = 0;
  let count = 0;
  return () => {
    const at = Math.max(now(), time);
    count = at === time ? count + 1 : 0;
    if (count === DIGITS ** 4) count = 0;
    time = count === 0 && at === time ? at + 1 : at;
    return `${pad(time, 9)}${pad(count, 4)}${pad(randomInt(DIGITS ** 5), 5)}`;
  };
}
