/** A run's metrics.jsonl: a line a step, and what the steps came to. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainedBy } from '../generators/model.ts';

export type StepMetrics = {
  readonly step: number;
  readonly loss: number;
  readonly norm: number;
  readonly rate: number;
  /** Pictures of the step. */
  readonly pictures: number;
  readonly picturesPerSecond: number;
  readonly heldOutLoss?: number;
};
/** Runs that were begun before `pictures` was written have lines without. */
export type MetricsLine = Omit<StepMetrics, 'pictures'> & Partial<Pick<StepMetrics, 'pictures'>>;

/** Lines of metrics.jsonl; a last line that was cut off by a crash is left out. */
export function readMetrics(text: string): MetricsLine[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as MetricsLine];
    } catch {
      return [];
    }
  });
}

/**
 * Pictures and hours up to a checkpoint (step-N): of views and packed rows what was there, and no time between
 * sessions. Nothing where the metrics do not tell of every step.
 */
export async function trainedBy(
  run: string,
  checkpoint: string,
): Promise<{ readonly training?: TrainedBy }> {
  const last = Number(checkpoint.slice('step-'.length));
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8').catch(() => '');
  const lines = readMetrics(text).flatMap(({ step, pictures, picturesPerSecond }) =>
    step <= last && pictures !== undefined
      ? [{ pictures, seconds: pictures / picturesPerSecond }]
      : [],
  );
  if (lines.length < last) return {};
  const pictures = lines.reduce((sum, line) => sum + line.pictures, 0);
  const seconds = lines.reduce((sum, line) => sum + line.seconds, 0);
  return { training: { pictures, hours: Number((seconds / 3600).toPrecision(2)) } };
}
