/** Numbers and times as people read them. */

const whole = new Intl.NumberFormat('en-GB');
export const count = (value: number): string => whole.format(Math.floor(value));
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A share of 1, rounded down: nothing is done before it is. */
export const percent = (share: number): string => `${Math.floor(100 * share)} %`;

/** 0.8 s, 23 s, 4 min, 3 h 58 min. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1).replace(/\.0$/, '')} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${count(Math.floor(minutes / 60))} h${rest === 0 ? '' : ` ${rest} min`}`;
}

/** 11 kB, 1.4 GB. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let at = 0;
  for (; size >= 999.5 && at < units.length - 1; at++) size /= 1000;
  return `${size < 9.95 && at > 0 ? size.toFixed(1).replace(/\.0$/, '') : Math.round(size)} ${units[at]}`;
}

/** 14:31, and the day before it when it is not today. */
export function clock(time: number, today = Date.now()): string {
  const at = new Date(time);
  const hour = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return at.toDateString() === new Date(today).toDateString()
    ? hour
    : `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${hour}`;
}

export function dayOf(time: number, today = Date.now()): string {
  const day = new Date(time).toDateString();
  if (day === new Date(today).toDateString()) return 'Today';
  if (day === new Date(today - 86_400_000).toDateString()) return 'Yesterday';
  return new Date(time).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
}
