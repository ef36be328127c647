/** Signals that survive a reload of the page. */
import { effect, type Signal, signal } from '@preact/signals';

const PREFIX = 'ropewalk.';

/** Storage may be switched off, full, or hold what an older page wrote: then the fallback stands. */
export function stored<T>(key: string, fallback: T, read: (value: unknown) => T): Signal<T> {
  const value = signal(readStored(key, fallback, read));
  effect(() => {
    const text = JSON.stringify(value.value);
    try {
      localStorage.setItem(PREFIX + key, text);
    } catch {
      // without storage the page forgets at a reload, and works
    }
  });
  return value;
}

function readStored<T>(key: string, fallback: T, read: (value: unknown) => T): T {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? fallback : read(JSON.parse(text));
  } catch {
    return fallback;
  }
}
