/** One line that says how far something is: rewritten in a terminal, now and then in a log. */
import type { Output } from './context.ts';

export type ProgressLine = { show(line: string): void; end(): void };

/** Milliseconds between lines. */
const TERMINAL = 100;
const LOG = 10_000;

export function progressLine(output: Output, now: () => number): ProgressLine {
  const { columns } = output;
  let shown = Number.NEGATIVE_INFINITY;
  let pending = '';
  const write = (line: string) =>
    output.write(columns === undefined ? `${line}\n` : `\r\u001b[K${line.slice(0, columns - 1)}`);
  return {
    show(line) {
      pending = line;
      if (now() - shown < (columns === undefined ? LOG : TERMINAL)) return;
      shown = now();
      write(line);
      pending = '';
    },
    end() {
      if (pending !== '') write(pending);
      if (columns !== undefined && Number.isFinite(shown)) output.write('\n');
    },
  };
}

/** 3725 seconds are "1 h 02 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours === 0) return `${minutes} min ${whole % 60} s`;
  return `${hours} h ${String(minutes).padStart(2, '0')} min`;
}
