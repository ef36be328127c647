/** The comparison as one page that needs nothing else: no scripts, charts as SVG, sheets inside; light and dark. */
import { escapeText, heatMap, legend, lineChart, PAGE, short } from '../charts.ts';
import { PAGE_STYLE } from '../page-style.ts';
import { MEASURES, type MeasureName } from './measures.ts';
import type { Report } from './report.ts';
import { curvesOf, heatMapsOf, methodsOf } from './report-charts.ts';

/** `sheets` are PNG files. */
export function reportPage(
  report: Report,
  sheets: readonly { readonly name: string; readonly file: Uint8Array }[],
): string {
  const title = 'Quality over sizes';
  const models = [...new Set(report.rows.map(({ model }) => model))];
  const samples = report.rows[0]!.samples;
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${PAGE_STYLE}</style></head><body><main>`,
    `<h1>${title}</h1><p class="note">${escapeText(models.join(', '))}; ${samples} pictures a cell</p>`,
    `<h2>Best method for each size</h2>${bestTable(report)}`,
    warnings(report),
    `<h2>One seed at every size</h2><p>The real drawing of the same words first; then methods down, sizes across. Every row is one seed: a model that keeps the picture draws it larger.</p>`,
    ...sheets.map(
      ({ name, file }) =>
        `<div class="scroll"><img alt="${escapeText(name)}" src="data:image/png;base64,${Buffer.from(file).toString('base64')}"></div>`,
    ),
    `<h2>Curves</h2><p>Bars are intervals. A method is left out at sizes where it changes nothing.</p><p class="legend">${legend(methodsOf(report), PAGE)}</p>`,
    `<div class="charts">${curvesOf(report)
      .map(({ chart }) => lineChart(chart, PAGE))
      .join('')}</div>`,
    `<h2>All arms</h2><p>Blue is better, orange worse, within one table.</p><div class="charts">${heatMapsOf(
      report,
    )
      .map(({ chart }) => heatMap(chart, PAGE))
      .join('')}</div>`,
    `<h2>Compared</h2><p>KID of one arm over that of another, of the same seeds: below 1 the first is better. In bold: 1 is outside of the interval.</p>${comparisonTable(report)}`,
    `<h2>Cost</h2>${costTable(report)}`,
    `<h2>All numbers</h2>${numberTable(report)}`,
    `<h2>How this was made</h2><ul>${report.made.map((sentence) => `<li>${escapeText(sentence)}</li>`).join('')}</ul>`,
    '</main></body></html>\n',
  ].join('\n');
}

type Cell = string | { readonly text: string; readonly told: boolean };

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) =>
    row
      .map((cell) =>
        typeof cell === 'string'
          ? `<td>${escapeText(cell)}</td>`
          : `<td${cell.told ? ' class="told"' : ''}>${escapeText(cell.text)}</td>`,
      )
      .join(''),
  );
  return `<div class="scroll"><table><thead><tr>${head.map((name) => `<th>${escapeText(name)}</th>`).join('')}</tr></thead><tbody>${cells.map((row) => `<tr>${row}</tr>`).join('')}</tbody></table></div>`;
}

const interval = (point: { value: number; low: number; high: number } | undefined): string => {
  if (!point) return '';
  const { value, low, high } = point;
  return low === high ? short(value) : `${short(value)} [${short(low)}, ${short(high)}]`;
};

const bestTable = ({ best }: Report): string =>
  table(
    ['size', 'best', 'KID x 1000', 'not told from it'],
    best.map(({ size, arm, kid, alike }) => [size, arm, interval(kid), alike.join('; ') || '-']),
  );

function warnings({ rows }: Report): string {
  const all = new Set(rows.flatMap((row) => row.warnings));
  return [...all].map((text) => `<p class="note">${escapeText(text)}.</p>`).join('');
}

const comparisonTable = ({ comparisons }: Report): string =>
  comparisons.length === 0
    ? '<p>One arm only.</p>'
    : table(
        ['size', 'arm', 'against', 'ratio'],
        comparisons.map(({ size, arm, against, ratio, told }) => [
          ...[size, arm, against],
          { text: interval(ratio), told },
        ]),
      );

/** Seconds of a picture, and over those of no method with the same model at the same size. */
function costTable({ rows }: Report): string {
  const own = rows.filter(({ unchanged }) => !unchanged);
  return table(
    ['model', 'method', 'size', 'seconds a picture', 'relative to none'],
    own.map(({ model, extend, size, numbers }) => {
      const none = rows.find((r) => r.model === model && r.size === size && r.extend === 'none');
      const [mine, theirs] = [numbers.seconds!.value, none?.numbers.seconds?.value];
      return [model, extend, size, short(mine), theirs ? short(mine / theirs) : '-'];
    }),
  );
}

/** A number and, in brackets, that of real drawings. */
function numberTable({ rows }: Report): string {
  const names = (Object.keys(MEASURES) as MeasureName[]).filter((name) =>
    rows.some(({ numbers }) => numbers[name]),
  );
  const cell = (row: Report['rows'][number], name: MeasureName) => {
    const found = row.numbers[name];
    if (!found) return '';
    return found.real === undefined
      ? short(found.value)
      : `${short(found.value)} (${short(found.real)})`;
  };
  return `<p class="note">In brackets the same of real drawings; of relative numbers, the rate of real drawings; of how far figures moved, what those of other drawings are apart.</p>${table(
    ['arm and size', ...names.map((name) => MEASURES[name].title)],
    rows.map((row) => [
      `${row.model}, ${row.extend}, ${row.size}${row.unchanged ? ' (as none)' : ''}`,
      ...names.map((name) => cell(row, name)),
    ]),
  )}`;
}
