/** A comparison on disk: report.html with everything inside, and the same as JSON, CSV and PNG. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng, svgToPng } from '../../png.ts';
import { heatMap, legend, lineChart, PRINT } from '../charts.ts';
import { writeJson, writeWhole } from './cell-files.ts';
import { csvOf, formatReport, type Report } from './report.ts';
import { curvesOf, heatMapsOf, legendsOf } from './report-charts.ts';
import { reportPage } from './report-page.ts';
import { sheetsOf } from './report-sheets.ts';
import type { Resolution } from './run.ts';

export async function writeReport(
  out: string,
  resolution: Resolution,
  report: Report,
): Promise<void> {
  const charts = join(out, 'charts');
  await mkdir(charts, { recursive: true });
  const sheets: { name: string; file: Uint8Array }[] = [];
  for (const { name, chart } of await sheetsOf(resolution, report)) {
    const file = await encodePng(chart);
    sheets.push({ name, file });
    await writeWhole(join(charts, `${name}.png`), file);
  }
  const drawings = [
    ...legendsOf(report).map(({ of, names }) => ({
      ...{ name: `legend-${of}`, svg: legend(names, PRINT) },
    })),
    ...curvesOf(report).map(({ name, chart }) => ({ name, svg: lineChart(chart, PRINT) })),
    ...heatMapsOf(report).map(({ name, chart }) => ({ name, svg: heatMap(chart, PRINT) })),
  ];
  for (const { name, svg } of drawings)
    await writeWhole(join(charts, `${name}.png`), await svgToPng(Buffer.from(svg)));
  await writeJson(join(out, 'report.json'), report);
  await writeWhole(join(out, 'report.csv'), csvOf(report));
  await writeWhole(join(out, 'report.txt'), formatReport(report));
  await writeWhole(join(out, 'report.html'), reportPage(report, sheets));
}
