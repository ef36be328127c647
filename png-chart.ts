/** Charts on disk. */
import { mkdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { svgToPng } from './png.ts';
import { replaceFile, writeFully } from './tensor/atomic-file.ts';

/** Throws unless the file's name says SVG or PNG; `where` begins the sentence. */
export function checkChartName(where: string, path: string): void {
  if (!['.svg', '.png'].includes(extname(path).toLowerCase()))
    throw new RangeError(`${where}: expected a file name that ends in .svg or .png, got '${path}'`);
}

/** Writes a chart as SVG or, by the file's name, PNG. */
export async function writeChart(path: string, svg: string): Promise<void> {
  const bytes = Buffer.from(svg);
  const file = extname(path).toLowerCase() === '.svg' ? bytes : await svgToPng(bytes);
  await mkdir(join(path, '..'), { recursive: true });
  await replaceFile(path, (handle) => writeFully(handle, file));
}
