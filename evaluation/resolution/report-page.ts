/** The comparison as one page that needs nothing else: no scripts, charts as SVG, sheets inside; light and dark. */
import { escapeText, heatMap, legend, lineChart, PAGE, short } from '../charts.ts';
import { PAGE_STYLE } from '../page-style.ts';
import { type Between, isOfModels } from './compare.ts';
import { MEASURES, type MeasureName } from './measures.ts';
import { type Report, seedsText } from './report.ts';
import { type Curves, curvesOf, heatMapsOf, legendsOf, modelsOf } from './report-charts.ts';

/** A PNG file, and what it shows. */
export type Sheet = { readonly name: string; readonly title: string; readonly file: Uint8Array };

export function reportPage(report: Report, sheets: readonly Sheet[]): string {
  const title = 'Quality over sizes';
  const models = modelsOf(report);
  const samples = report.rows[0]!.samples;
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${PAGE_STYLE}</style></head><body><main>`,
    `<h1>${title}</h1><p class="note">${escapeText(models.join(', '))}; ${samples} pictures a cell</p>`,
    `<h2>Best method for each size</h2>${bestTable(report)}`,
    warnings(report),
    modelComparisons(report),
    `<h2>One seed at every size</h2><p>The real drawing of the same words first; then models or methods down, sizes across. Every row is one seed: a model that keeps the picture draws it larger. Best: with the method of the least KID at that size or, where nothing was measured, at the largest size that was. Grey: not drawn.</p>`,
    ...sheets.map(
      ({ title, file }) =>
        `<p class="note">${escapeText(title)}</p><div class="scroll"><img alt="${escapeText(title)}" src="data:image/png;base64,${Buffer.from(file).toString('base64')}"></div>`,
    ),
    ...curves(report),
    `<h2>All arms</h2><p>Blue is better, orange worse, within a size. Of seconds: the bluer, the more.</p><div class="charts">${heatMapsOf(
      report,
    )
      .map(({ chart }) => heatMap(chart, PAGE))
      .join('')}</div>`,
    `<h2>Methods compared</h2><p>${RATIO}</p>${comparisonTable(report, ['methods', 'shapes'])}`,
    `<h2>Cost</h2><p>Seconds of a picture, without compiling.</p>${costTable(report)}`,
    `<h2>All numbers</h2>${numberTable(report)}`,
    `<h2>How this was made</h2><ul>${report.made.map((sentence) => `<li>${escapeText(sentence)}</li>`).join('')}</ul>`,
    '</main></body></html>\n',
  ].join('\n');
}

const RATIO =
  'KID of one arm over that of another, of the same seeds: below 1 the first is better. In bold: 1 is outside of the interval.';

const TITLES: Readonly<Record<Curves['of'], string>> = {
  models: 'Models over sizes',
  methods: 'Methods over sizes',
};
const NOTES: Readonly<Record<Curves['of'], string>> = {
  models: 'Best method: that of the least KID at a size.',
  methods: 'A method is left out at sizes where it changes nothing or was not drawn.',
};

function curves(report: Report): string[] {
  const all = curvesOf(report);
  const bars = report.made.find((sentence) => sentence.startsWith('Bars')) ?? '';
  return legendsOf(report).map(({ of, names }) => {
    const own = all.filter((one) => one.of === of).map(({ chart }) => lineChart(chart, PAGE));
    return `<h2>${TITLES[of]}</h2><p>${NOTES[of]} ${escapeText(bars)}</p><p class="legend">${legend(names, PAGE)}</p><div class="charts">${own.join('')}</div>`;
  });
}

/** Each later model against the first, beside what seeds do. */
function modelComparisons(report: Report): string {
  const rows = report.comparisons.filter(isOfModels);
  if (rows.length === 0) return '';
  const seeds = rows.some((row) => row.seeds)
    ? " The difference in KID x 1000 is the mean over sets of seeds (where a model was trained several times, each set is another training), with the interval that Student's t gives it; the seeds' spread is the deviation from set to set within an arm. In bold: 0 is outside of the interval."
    : '';
  return `<h2>Models compared</h2><p>With one method, and each with its best, which is chosen by the same numbers. ${RATIO}${escapeText(seeds)}</p>${comparisonTable(report, ['models', 'best methods'])}`;
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

function comparisonTable({ comparisons }: Report, kinds: readonly Between[]): string {
  const rows = comparisons.filter(({ between }) => kinds.includes(between));
  const seeds = rows.some((row) => row.seeds);
  if (rows.length === 0) return '<p>One arm only.</p>';
  return table(
    ['size', 'arm', 'against', 'of', 'ratio', ...(seeds ? ['KID x 1000 apart, over seeds'] : [])],
    rows.map((row) => [
      ...[row.size, row.arm, row.against, row.between],
      { text: interval(row.ratio), told: row.told },
      ...(seeds
        ? [{ text: row.seeds ? seedsText(row.seeds) : '', told: row.seeds?.told ?? false }]
        : []),
    ]),
  );
}

/** Seconds of a picture, over those of no method with the same model, and with the first, at the same size. */
function costTable(report: Report): string {
  const [first] = modelsOf(report);
  const several = modelsOf(report).length > 1;
  const plain = (model: string | undefined, size: string) =>
    report.rows.find((r) => r.model === model && r.size === size && r.extend === 'none')?.numbers
      .seconds?.value;
  const relative = (mine: number, theirs: number | undefined) =>
    theirs ? short(mine / theirs) : '-';
  return table(
    [
      ...['model', 'method', 'size', 'seconds a picture', 'relative to none'],
      ...(several ? [`relative to ${first}, none`] : []),
    ],
    report.rows
      .filter(({ unchanged }) => !unchanged)
      .map(({ model, extend, size, numbers }) => {
        const mine = numbers.seconds!.value;
        return [
          ...[model, extend, size, short(mine), relative(mine, plain(model, size))],
          ...(several ? [relative(mine, plain(first, size))] : []),
        ];
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
