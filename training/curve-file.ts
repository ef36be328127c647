/** A run's curve on disk. */
import { mkdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { svgToPng } from '../png.ts';
import { replaceFile, writeFully } from '../tensor/atomic-file.ts';
import { curveSvg, readMetrics } from './curve.ts';

/** Writes the curve as SVG or, by the file's name, PNG. */
export async function writeCurve(run: string, path: string): Promise<void> {
  const kind = extname(path).toLowerCase();
  if (kind !== '.svg' && kind !== '.png')
    throw new RangeError(`curve: expected a file name that ends in .svg or .png, got '${path}'`);
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8').catch(() => {
    throw new Error(`curve: expected a run's folder with metrics.jsonl, got '${run}'`);
  });
  const svg = Buffer.from(curveSvg(readMetrics(text), basename(run)));
  const file = kind === '.svg' ? svg : await svgToPng(svg);
  await mkdir(join(path, '..'), { recursive: true });
  await replaceFile(path, (handle) => writeFully(handle, file));
}
