/** A comparison on disk: report.html with everything inside, and the same as JSON, CSV and PNG. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng, svgToPng } from '../../png.ts';
import { heatMap, legend, lineChart, PRINT } from '../charts.ts';
import { writeJson, writeWhole } from './cell-files.ts';
import { csvOf, formatReport, type Report } from './report.ts';
import { curvesOf, heatMapsOf, legendsOf } from './report-charts.ts';
import { reportPage, type Sheet } from './report-page.ts';
import { sheetsOf } from './report-sheets.ts';
import type { Resolution } from './run.ts';

export async function writeReport(
  out: string,
  resolution: Resolution,
  report: Report,
): Promise<void> {
  const charts = join(out, 'charts');
  await rm(charts, { recursive: true, force: true }); // those of other models or methods
  await mkdir(charts, { recursive: true });
  const sheets: Sheet[] = [];
  for (const { name, title, chart } of await sheetsOf(resolution, report)) {
    const file = await encodePng(chart);
    sheets.push({ name, title, file });
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
