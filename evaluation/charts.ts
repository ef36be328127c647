/** Charts as SVG: curves with error bars and tables of colours, in the colours of a page or of a picture. */

/** CSS colours: of a page its variables, so that a chart follows light and dark. */
export type Palette = {
  readonly ink: string;
  readonly faint: string;
  readonly paper: string;
  readonly series: readonly string[];
};
/** Okabe and Ito's colours (2008), told apart by most eyes, on white as on black. */
const SERIES = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#d55e00',
  '#cc79a7',
  '#56b4e9',
  '#999933',
  '#888888',
];
export const PAGE: Palette = {
  ink: 'var(--ink)',
  faint: 'var(--faint)',
  paper: 'var(--paper)',
  series: SERIES,
};
export const PRINT: Palette = {
  ink: '#222222',
  faint: '#cccccc',
  paper: '#ffffff',
  series: SERIES,
};

export type ChartPoint = { readonly value: number; readonly low: number; readonly high: number };
export type Series = {
  readonly name: string;
  /** One a place on the axis. */
  readonly points: readonly (ChartPoint | undefined)[];
  /** Of its colour among the palette's; default: its place. */
  readonly color?: number;
};
export type LineChart = {
  readonly title: string;
  readonly places: readonly string[];
  readonly series: readonly Series[];
  /** Places whose points stand alone, such as sizes that are no squares. */
  readonly alone?: ReadonlySet<string>;
  /** A level to compare with, such as real drawings. */
  readonly level?: { readonly name: string; readonly value: number };
  /** Ends of the axis; default: those of the points. */
  readonly range?: readonly [number, number];
};

const WIDTH = 460;
const HEIGHT = 260;
const EDGE = { left: 54, right: 12, top: 30, bottom: 28 };
const FONT = 'font-family="system-ui, sans-serif" font-size="11"';

export const escapeText = (text: string): string =>
  text.replace(/[<>&"']/g, (mark) => `&#${mark.charCodeAt(0)};`);

const finite = (points: readonly (ChartPoint | undefined)[]): ChartPoint[] =>
  points.filter((point) => point !== undefined && Number.isFinite(point.value)) as ChartPoint[];

/** The least and the largest of what is to be seen, a little apart. */
export function rangeOf(series: readonly Series[], level?: number): [number, number] {
  const ends = series.flatMap(({ points }) => finite(points).flatMap((p) => [p.low, p.high]));
  const all = [...ends, ...(level === undefined ? [] : [level])].filter(Number.isFinite);
  const [low, high] = all.length > 0 ? [Math.min(...all), Math.max(...all)] : [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}

/** Round numbers that divide a range into about four. */
export function ticksOf([low, high]: readonly [number, number]): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(6)),
  );
}

export function lineChart(chart: LineChart, palette: Palette): string {
  const { title, places, series, level } = chart;
  const range = chart.range ?? rangeOf(series, level?.value);
  const bottom = HEIGHT - EDGE.bottom;
  const y = (value: number) =>
    bottom - ((value - range[0]) / (range[1] - range[0])) * (bottom - EDGE.top);
  const room = (WIDTH - EDGE.left - EDGE.right) / places.length;
  const x = (place: number, of: number) =>
    EDGE.left + room * (place + 0.5) + (of - (series.length - 1) / 2) * Math.min(5, room / 12);
  const grid = ticksOf(range).map(
    (tick) =>
      `<line x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${at(y(tick))}" y2="${at(y(tick))}" stroke="${palette.faint}"/><text x="${EDGE.left - 6}" y="${at(y(tick) + 4)}" text-anchor="end" fill="${palette.ink}">${tick}</text>`,
  );
  const names = places.map(
    (place, i) =>
      `<text x="${at(EDGE.left + room * (i + 0.5))}" y="${bottom + 17}" text-anchor="middle" fill="${palette.ink}">${escapeText(place)}</text>`,
  );
  const real = level
    ? `<line x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${at(y(level.value))}" y2="${at(y(level.value))}" stroke="${palette.ink}" stroke-dasharray="4 3"/><text x="${WIDTH - EDGE.right}" y="${at(y(level.value) - 4)}" text-anchor="end" fill="${palette.ink}">${escapeText(level.name)}</text>`
    : '';
  const lines = series.map((one, i) =>
    curve(one, { chart, palette, look: lookOf(one.color ?? i, palette), y, x: (p) => x(p, i) }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escapeText(title)}" ${FONT}>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${palette.paper}"/>`,
    `<text x="8" y="17" font-size="13" font-weight="600" fill="${palette.ink}">${escapeText(title)}</text>`,
    ...grid,
    ...names,
    real,
    ...lines,
    '</svg>',
  ].join('');
}

type Look = { readonly color: string; readonly hollow: boolean };
/** When all colours are taken they come again, with hollow marks. */
const lookOf = (place: number, { series }: Palette): Look => ({
  color: series[place % series.length]!,
  hollow: place % (2 * series.length) >= series.length,
});
const markOf = ({ color, hollow }: Look, { paper }: Palette): string =>
  `fill="${hollow ? paper : color}" stroke="${color}" stroke-width="1.5"`;

type Drawn = {
  readonly chart: LineChart;
  readonly palette: Palette;
  readonly look: Look;
  readonly x: (place: number) => number;
  readonly y: (value: number) => number;
};

function curve({ name, points }: Series, { chart, palette, look, x, y }: Drawn): string {
  const { color, hollow } = look;
  const joined = points.map((point, i) =>
    point && Number.isFinite(point.value) && !chart.alone?.has(chart.places[i]!)
      ? `${at(x(i))},${at(y(point.value))}`
      : '',
  );
  const runs = joined
    .join(' ')
    .split(/\s{2,}/)
    .filter((run) => run.trim().includes(' '));
  const paths = runs.map(
    (run) =>
      `<polyline points="${run.trim()}" fill="none" stroke="${color}" stroke-width="1.6"${hollow ? ' stroke-dasharray="5 3"' : ''}/>`,
  );
  const marks = points.flatMap((point, i) => {
    if (!point || !Number.isFinite(point.value)) return [];
    const [left, top, low] = [at(x(i)), at(y(point.high)), at(y(point.low))];
    const said = `${name}, ${chart.places[i]}: ${short(point.value)} [${short(point.low)}, ${short(point.high)}]`;
    return `<g><title>${escapeText(said)}</title><line x1="${left}" x2="${left}" y1="${top}" y2="${low}" stroke="${color}" stroke-width="1.2"/><circle cx="${left}" cy="${at(y(point.value))}" r="3" ${markOf(look, palette)}/></g>`;
  });
  return [...paths, ...marks].join('');
}

const at = (value: number): number => Number(value.toFixed(1));
export const short = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '-';

/** Names and colours of series, one after the other. */
export function legend(names: readonly string[], palette: Palette): string {
  let left = 8;
  const marks = names.map((name, i) => {
    const x = left;
    left += 30 + name.length * 6.6;
    return `<circle cx="${at(x + 5)}" cy="11" r="4" ${markOf(lookOf(i, palette), palette)}/><text x="${at(x + 14)}" y="15" fill="${palette.ink}">${escapeText(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(left)} 22" width="${Math.ceil(left)}" height="22" ${FONT}><rect width="100%" height="22" fill="${palette.paper}"/>${marks.join('')}</svg>`;
}

export type HeatMap = {
  readonly title: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [row][column] */
  readonly values: readonly (readonly (number | undefined)[])[];
  /** Which end is good: it is blue, the other orange; of `neither` the more, the bluer. */
  readonly better: 'less' | 'more' | 'one' | 'neither';
  /** Colours compare the values of a column alone, not of the whole table. */
  readonly within?: 'columns';
};

const CELL = { width: 62, height: 24 };

/** Every value in its cell; the colour says how good it is among those it is compared with. */
export function heatMap(chart: HeatMap, palette: Palette): string {
  const { title, rows, columns, values, better, within } = chart;
  const left = 16 + Math.max(...rows.map((row) => row.length)) * 6.6;
  const [width, height] = [left + columns.length * CELL.width + 8, 52 + rows.length * CELL.height];
  const badness = (value: number) =>
    better === 'more' ? -value : better === 'one' ? Math.abs(value - 1) : value;
  const endsOf = (some: readonly (number | undefined)[]): [number, number] => {
    const bad = some
      .filter((value) => value !== undefined && Number.isFinite(value))
      .map((value) => badness(value!));
    return [Math.min(...bad), Math.max(...bad)];
  };
  const ends = columns.map((_, c) =>
    endsOf(within === 'columns' ? values.map((row) => row[c]) : values.flat()),
  );
  const cell = (value: number | undefined, r: number, c: number) => {
    const [x, y] = [left + c * CELL.width, 46 + r * CELL.height];
    const [best, worst] = ends[c]!;
    const known = value !== undefined && Number.isFinite(value);
    const share = known && worst > best ? (badness(value) - best) / (worst - best) : 0.5;
    const color = share < 0.5 || better === 'neither' ? '#0072b2' : '#e69f00';
    const strength = better === 'neither' ? share * 0.55 : Math.abs(share - 0.5) * 1.1;
    const fill = known
      ? `<rect x="${at(x)}" y="${y}" width="${CELL.width - 2}" height="${CELL.height - 2}" fill="${color}" fill-opacity="${at2(strength)}"/>`
      : '';
    return `${fill}<text x="${at(x + CELL.width / 2 - 1)}" y="${y + 15}" text-anchor="middle" fill="${palette.ink}">${known ? short(value) : ''}</text>`;
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${height}" width="${Math.ceil(width)}" height="${height}" role="img" aria-label="${escapeText(title)}" ${FONT}>`,
    `<rect width="100%" height="100%" fill="${palette.paper}"/>`,
    `<text x="8" y="17" font-size="13" font-weight="600" fill="${palette.ink}">${escapeText(title)}</text>`,
    ...columns.map(
      (name, c) =>
        `<text x="${at(left + (c + 0.5) * CELL.width)}" y="38" text-anchor="middle" fill="${palette.ink}">${escapeText(name)}</text>`,
    ),
    ...rows.map(
      (name, r) =>
        `<text x="8" y="${61 + r * CELL.height}" fill="${palette.ink}">${escapeText(name)}</text>`,
    ),
    ...values.flatMap((row, r) => row.map((value, c) => cell(value, r, c))),
    '</svg>',
  ].join('');
}

const at2 = (value: number): number => Number(value.toFixed(2));
