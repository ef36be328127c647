/** A run's curve on disk. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { checkChartName, writeChart } from '../png-chart.ts';
import { curveSvg } from './curve.ts';
import { readMetrics } from './metrics.ts';

/** Writes the curve as SVG or, by the file's name, PNG. */
export async function writeCurve(run: string, path: string): Promise<void> {
  checkChartName('curve', path);
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8').catch(() => {
    throw new Error(`curve: expected a run's folder with metrics.jsonl, got '${run}'`);
  });
  await writeChart(path, curveSvg(readMetrics(text), basename(run)));
}
